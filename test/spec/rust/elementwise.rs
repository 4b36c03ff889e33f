//! Activations, dropout, pooling, norms of rows and the loss, of docs/numerics/operations.md.

use crate::arithmetic::{exp, log, phi, sum4, tanh};

#[derive(Clone, Copy, PartialEq)]
pub enum Activation {
    Gelu,
    GeluTanh,
    Relu,
    Silu,
    Tanh,
}

fn float(bits: u32) -> f32 {
    f32::from_bits(bits)
}

const GELU_CUBE: u32 = 0x3d122279;
const GELU_ROOT: u32 = 0x3f4c422a;

impl Activation {
    pub fn named(name: &str) -> Option<Activation> {
        Some(match name {
            "gelu" | "gelu_python" | "gelu_erf" => Activation::Gelu,
            "gelu_new" | "gelu_pytorch_tanh" | "gelu_fast" | "gelu_tanh" => Activation::GeluTanh,
            "relu" => Activation::Relu,
            "silu" | "swish" => Activation::Silu,
            "tanh" => Activation::Tanh,
            _ => return None,
        })
    }

    pub fn forward(self, x: f32) -> f32 {
        match self {
            Activation::Gelu => x * phi(x),
            Activation::GeluTanh => {
                let t = tanh(x * (((float(GELU_CUBE) * x) * x) + float(GELU_ROOT)));
                (0.5 * x) * (1.0 + t)
            }
            Activation::Relu => {
                if x < 0.0 {
                    0.0
                } else {
                    x
                }
            }
            Activation::Silu => {
                let e = exp(-x.abs());
                x * ((if x < 0.0 { e } else { 1.0 }) / (1.0 + e))
            }
            Activation::Tanh => tanh(x),
        }
    }

    /// `x` is the input, for tanh the output.
    pub fn back(self, x: f32, dy: f32) -> f32 {
        match self {
            Activation::Gelu => {
                let g = exp((-0.5 * x) * x);
                dy * (phi(x) + (x * (g * float(0x3ecc422a))))
            }
            Activation::GeluTanh => {
                let t = tanh(x * (((float(GELU_CUBE) * x) * x) + float(GELU_ROOT)));
                let d = ((float(0x3ddb33b6) * x) * x) + float(GELU_ROOT);
                dy * (((0.5 * t) + 0.5) + (((0.5 * x) * (1.0 - t * t)) * d))
            }
            Activation::Relu => {
                if 0.0 < x {
                    dy
                } else {
                    0.0
                }
            }
            Activation::Silu => {
                let e = exp(-x.abs());
                let s = (if x < 0.0 { e } else { 1.0 }) / (1.0 + e);
                dy * (((x * s) * ((if x < 0.0 { 1.0 } else { e }) / (1.0 + e))) + s)
            }
            Activation::Tanh => dy * (1.0 - x * x),
        }
    }
}

pub fn philox(mut counter: [u32; 4], key: [u32; 2]) -> [u32; 4] {
    for round in 0..10u32 {
        let [a, b, c, d] = counter;
        let first = u64::from(a) * 0xd2511f53;
        let second = u64::from(c) * 0xcd9e8d57;
        counter = [
            (second >> 32) as u32 ^ b ^ key[0].wrapping_add(round.wrapping_mul(0x9e3779b9)),
            second as u32,
            (first >> 32) as u32 ^ d ^ key[1].wrapping_add(round.wrapping_mul(0xbb67ae85)),
            first as u32,
        ];
    }
    counter
}

/// `first` is the number of the first row in the whole batch.
pub fn dropout(x: &[f32], columns: usize, first: usize, rate: f64, key: [u32; 2], stream: u32) -> Vec<f32> {
    let threshold = (rate * 4294967296.0).floor() as u64;
    let factor = (1.0 / (1.0 - rate)) as f32;
    let value = |i: usize, v: f32| {
        let (m, c) = ((first + i / columns) as u32, (i % columns) as u32);
        let word = philox([(c >> 4) * 4 + (c & 3), m, stream, 0], key)[((c >> 2) & 3) as usize];
        if u64::from(word) >= threshold {
            v * factor
        } else {
            0.0
        }
    };
    x.iter().enumerate().map(|(i, &v)| value(i, v)).collect()
}

pub fn pool(x: &[f32], columns: usize, offsets: &[usize], mean: bool) -> Vec<f32> {
    let mut all = vec![];
    for pair in offsets.windows(2) {
        let mut out = x[pair[0] * columns..][..columns].to_vec();
        if mean {
            for row in pair[0] + 1..pair[1] {
                for c in 0..columns {
                    out[c] += x[row * columns + c];
                }
            }
            let rows = (pair[1] - pair[0]) as f32;
            out.iter_mut().for_each(|v| *v /= rows);
        }
        all.extend(out);
    }
    all
}

pub fn pool_back(dy: &[f32], columns: usize, offsets: &[usize], mean: bool) -> Vec<f32> {
    let mut dx = vec![0.0; offsets[offsets.len() - 1] * columns];
    for (s, pair) in offsets.windows(2).enumerate() {
        let rows = (pair[1] - pair[0]) as f32;
        for c in 0..columns {
            let d = dy[s * columns + c];
            if mean {
                (pair[0]..pair[1]).for_each(|row| dx[row * columns + c] = d / rows);
            } else {
                dx[pair[0] * columns + c] = d;
            }
        }
    }
    dx
}

pub fn l2_normalize(x: &[f32], columns: usize, eps: f32) -> Vec<f32> {
    x.chunks(columns)
        .flat_map(|row| {
            let length = sum4(columns, |i| row[i] * row[i]).sqrt();
            let by = if length < eps { eps } else { length };
            row.iter().map(move |v| v / by)
        })
        .collect()
}

pub fn l2_normalize_back(x: &[f32], dy: &[f32], columns: usize, eps: f32) -> Vec<f32> {
    x.chunks(columns)
        .zip(dy.chunks(columns))
        .flat_map(|(x, dy)| {
            let length = sum4(columns, |i| x[i] * x[i]).sqrt();
            let y = l2_normalize(x, columns, eps);
            let s = sum4(columns, |i| dy[i] * y[i]);
            (0..columns)
                .map(|i| if length < eps { dy[i] / eps } else { (dy[i] - (y[i] * s)) / length })
                .collect::<Vec<_>>()
        })
        .collect()
}

pub struct Loss {
    pub losses: Vec<f32>,
    pub probabilities: Vec<f32>,
}

pub fn cross_entropy(logits: &[f32], classes: usize, targets: &[usize]) -> Loss {
    let mut out = Loss { losses: vec![], probabilities: vec![] };
    for (row, &target) in logits.chunks(classes).zip(targets) {
        let top = row.iter().fold(f32::NEG_INFINITY, |top, &v| if top < v { v } else { top });
        let e: Vec<f32> = row.iter().map(|v| exp(v - top)).collect();
        let s = sum4(classes, |v| e[v]);
        out.probabilities.extend(e.iter().map(|e| e / s));
        out.losses.push(log(s) - (row[target] - top));
    }
    out
}

pub fn cross_entropy_back(probabilities: &[f32], classes: usize, targets: &[usize], weight: f32) -> Vec<f32> {
    let value = |i: usize, p: f32| if targets[i / classes] == i % classes { (p - 1.0) * weight } else { p * weight };
    probabilities.iter().enumerate().map(|(i, &p)| value(i, p)).collect()
}
