//! The quick self-test's streams, noise, rounding and releases.

use crate::arithmetic::sum_squares;
use crate::lattice::{choose_lattice, lifted, shortened, Choice};
use crate::sink::{integers, seed, special, uniform, Sink};
use crate::streams::{block, hchacha20, Stream};

fn stream(label: &str) -> Stream {
    Stream::keyed(hchacha20(&seed(label), &seed(&format!("{label} label"))[..16]))
}

fn chacha20(sink: &mut Sink) {
    for blocks in 1..=9 {
        let mut state: [u32; 16] = integers(&format!("state {blocks}"), 16, 1 << 32)
            .into_iter()
            .map(|v| v as u32)
            .collect::<Vec<_>>()
            .try_into()
            .expect("16 words");
        state[12] = 3u32.wrapping_neg();
        let mut out = vec![];
        for _ in 0..blocks {
            out.extend(block(&state));
            state[12] = state[12].wrapping_add(1);
        }
        sink.bytes(out);
        sink.i32(&state.map(|v| v as i32));
    }
    for bytes in [1, 63, 64, 65, 255, 1024, 1025, 5000] {
        let mut from = stream(&format!("fill {bytes}"));
        sink.bytes((0..bytes).map(|_| from.byte() as u8).collect());
        sink.bytes(hchacha20(&seed("h"), &seed("in")[..16]).iter().flat_map(|word| word.to_le_bytes()).collect());
    }
}

fn gaussian(sink: &mut Sink) {
    for sigma in [1, 2, 3, 7, 100, 12345, (1 << 20) + 1, 1 << 24] {
        let mut from = stream(&format!("sigma {sigma}"));
        sink.i32(&(0..500).map(|_| from.sample(sigma) as i32).collect::<Vec<_>>());
    }
}

fn rounding(sink: &mut Sink) {
    let mut arrays = vec![special().into_iter().filter(|x| !x.is_nan()).collect(), uniform("cells", 3001, 20.0)];
    arrays.extend((0..18).map(|n| uniform(&format!("cells {n}"), n, 1e6)));
    for x in arrays {
        let padded = |values: &[i32]| [values, &[0; 4]].concat();
        sink.i32(&padded(&x.iter().map(|v| v.round_ties_even() as i32).collect::<Vec<_>>()));
        let mut words = stream(&format!("round {}", x.len()));
        let mut stochastic = |v: f32| {
            let f = v.floor();
            (if ((words.word() >> 8) as f32) < (v - f) * 16777216.0 { f + 1.0 } else { f }) as i32
        };
        let rounded: Vec<i32> = x.iter().map(|&v| stochastic(v)).collect();
        sink.i32(&padded(&rounded));
        sink.f32(&rounded.iter().map(|&v| (f64::from(v) * (1e-3 / 7.0)) as f32).collect::<Vec<_>>());
        sink.f32(&x.iter().map(|&v| (f64::from(v) * (1.0 / 3.0)) as f32).collect::<Vec<_>>());
        sink.f64(&[sum_squares(&x)]);
    }
}

fn lattice(sink: &mut Sink) {
    for n in (0..18).chain([1000]) {
        for bits in [8, 17, 31, 32] {
            let values: Vec<i64> =
                integers(&format!("vector {n} {bits}"), n, 1 << 16).iter().map(|&v| i64::from(v) - (1 << 15)).collect();
            let squares: i64 = values.iter().map(|v| v * v).sum();
            sink.f64(&[squares as f64, values.iter().map(|v| v.abs()).max().unwrap_or(0) as f64]);
            let start = integers(&format!("sum {n}"), n, 1 << 32);
            let sum: Vec<i32> =
                start.iter().zip(&values).map(|(&s, v)| lifted(i64::from(s) + v, bits) as i32).collect();
            sink.i32(&sum);
            sink.i32(&sum);
            sink.f64(&[1.0]);
            let short = shortened(&values, 5000);
            sink.i32(&short.iter().map(|&v| v as i32).collect::<Vec<_>>());
            sink.i32(&short.iter().map(|&v| v.clamp(-100, 100) as i32).collect::<Vec<_>>());
        }
    }
}

fn release(sink: &mut Sink, stochastic: bool, quantile_noise: Option<f64>) {
    let (clip, cohort, capacity, z) = (0.5, 5.0, 9.0, 0.7);
    let choice = Choice {
        clip,
        cohort,
        capacity,
        dimension: 333.0,
        z,
        stochastic,
        rotate: false,
        noise_spread: 1.0,
        quantile_noise,
    };
    let lattice = choose_lattice(&choice);
    for round in 1..=3 {
        let mut sent = vec![];
        for client in 0..5 {
            let update = uniform(&format!("update {round} {client}"), 333, 0.02 * f64::from(client + 1));
            let (norm, values) = lattice.encode(&update, &seed("public"), client, round);
            sink.i32(&values);
            sink.f64(&[norm]);
            sent.push(values);
        }
        let total = lattice.total(&lattice.sum(&sent), &seed("noise"), round);
        sink.f32(&lattice.mean(&total, &seed("public"), round));
        sink.f64(&[if quantile_noise.is_some() { lattice.within(&total) } else { -1.0 }]);
    }
}

type Fill = fn(&mut Sink);

pub const PARTS: [(&str, Fill); 6] = [
    ("privacy/chacha20", chacha20),
    ("privacy/discrete gaussian", gaussian),
    ("privacy/rounding", rounding),
    ("privacy/lattice", lattice),
    ("privacy/release plain", |sink| release(sink, true, None)),
    ("privacy/release nearest, with quantile", |sink| release(sink, false, Some(1.0))),
];
