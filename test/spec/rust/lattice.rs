//! Lattice, contribution and release of docs/numerics/federation.md.

use crate::arithmetic::{power_of_two_f64, sum_squares};
use crate::json::{object, text, Json};
use crate::streams::{Stream, NOISE, ROTATION, ROUNDING};

fn bits_of(x: f64) -> i32 {
    (0..).find(|&b| power_of_two_f64(b) >= x).expect("a power of two")
}

fn ceil_root(x: f64) -> f64 {
    let mut r = x.sqrt().ceil();
    while r * r < x {
        r += 1.0;
    }
    r
}

/// The greatest f64 that is at most a / b, of positive numbers.
fn quotient_below(a: f64, b: f64) -> f64 {
    let q = a / b;
    if q.mul_add(b, -a) > 0.0 {
        f64::from_bits(q.to_bits() - 1)
    } else {
        q
    }
}

pub fn ceil_divide(z: f64, b: f64) -> f64 {
    let mut k = (z * b).ceil();
    while quotient_below(k, b) < z {
        k += 1.0;
    }
    k
}

/// To the nearest, halves up.
pub fn round(x: f64) -> f64 {
    let f = x.floor();
    if x - f >= 0.5 {
        f + 1.0
    } else {
        f
    }
}

#[derive(Clone)]
pub struct Choice {
    pub clip: f64,
    pub cohort: f64,
    pub capacity: f64,
    pub dimension: f64,
    pub z: f64,
    pub stochastic: bool,
    pub rotate: bool,
    pub noise_spread: f64,
    pub quantile_noise: Option<f64>,
}

#[derive(Clone)]
pub struct Lattice {
    pub choice: Choice,
    pub step: f64,
    pub length: f64,
    pub padded: f64,
    pub update_clip_int: f64,
    pub quantile_int: f64,
    pub clip_int: f64,
    pub sigma_int: f64,
    pub achieved: f64,
    pub modulus_bits: i32,
    pub share: f64,
}

pub fn choose_lattice(choice: &Choice) -> Lattice {
    let Choice { clip, capacity, dimension, z, stochastic, rotate, noise_spread, .. } = *choice;
    let padded = if rotate { power_of_two_f64(bits_of(dimension)) } else { dimension };
    let mut step = power_of_two_f64((-1000..1000).rev().find(|&k| power_of_two_f64(k) <= clip).expect("a clip norm"));
    loop {
        let scaled = clip / step;
        let update_clip_int = ceil_root(scaled * scaled + padded / 4.0 + 6.0 * (scaled + padded.sqrt() / 2.0));
        let ratio = choice.quantile_noise.map_or(0.0, |noise| z / (2.0 * noise));
        let widening = 1.0 / (1.0 - ratio * ratio).sqrt();
        let quantile_int = match choice.quantile_noise {
            Some(_) => round(ratio * widening * update_clip_int).max(1.0),
            None => 0.0,
        };
        let clip_int = ceil_root(update_clip_int * update_clip_int + quantile_int * quantile_int);
        let sigma_int = if z == 0.0 { 0.0 } else { ceil_divide(z, clip_int) };
        let rounded = (if stochastic { capacity } else { capacity * capacity }) / 4.0;
        let spread = (if z == 0.0 { power_of_two_f64(-14) * capacity.sqrt() } else { z }) * widening * scaled;
        let ideal = spread * spread;
        let share = ((if z == 0.0 { 0.0 } else { sigma_int * sigma_int - ideal }) + rounded) / ideal;
        assert!(clip_int <= 16777216.0 && sigma_int <= 16777216.0, "no lattice");
        if share >= 0.01 || (z > 0.0 && sigma_int < 256.0) {
            step /= 2.0;
            continue;
        }
        let tail = (2.0 * 0.6931471805599454 * f64::from(1 + bits_of(padded + 1.0) + 66)).sqrt();
        let mut largest = capacity * update_clip_int;
        if rotate {
            let rotated = capacity * (tail * (clip / step) / padded.sqrt() + 1.0 + clip_int * power_of_two_f64(-18));
            largest = largest.min(rotated);
        }
        let modulus_bits = 1 + bits_of(largest.max(capacity * quantile_int) + tail * noise_spread * sigma_int + 1.0);
        assert!(modulus_bits <= 32, "no lattice");
        let length = padded + if choice.quantile_noise.is_some() { 1.0 } else { 0.0 };
        let achieved = quotient_below(sigma_int, clip_int);
        let choice = choice.clone();
        return Lattice {
            choice,
            step,
            length,
            padded,
            update_clip_int,
            quantile_int,
            clip_int,
            sigma_int,
            achieved,
            modulus_bits,
            share,
        };
    }
}

impl Lattice {
    pub fn json(&self) -> Json {
        let number = Json::Number;
        object(vec![
            ("clip", number(self.choice.clip)),
            ("cohort", number(self.choice.cohort)),
            ("capacity", number(self.choice.capacity)),
            ("dimension", number(self.choice.dimension)),
            ("noiseMultiplier", number(self.choice.z)),
            ("rounding", text(if self.choice.stochastic { "stochastic" } else { "nearest" })),
            ("rotate", Json::Bool(self.choice.rotate)),
            ("noiseSpread", number(self.choice.noise_spread)),
            ("step", number(self.step)),
            ("length", number(self.length)),
            ("updateClipInt", number(self.update_clip_int)),
            ("quantileInt", number(self.quantile_int)),
            ("clipInt", number(self.clip_int)),
            ("sigmaInt", number(self.sigma_int)),
            ("achievedNoiseMultiplier", number(self.achieved)),
            ("modulusBits", number(f64::from(self.modulus_bits))),
            ("wrapProbability", number(power_of_two_f64(-64))),
            ("roundingVarianceShare", if self.choice.z == 0.0 { Json::Null } else { number(self.share) }),
        ])
    }

    fn size(&self) -> usize {
        self.padded as usize
    }

    /// The root of the size where updates are rotated, else 1.
    fn root(&self) -> f64 {
        if self.choice.rotate {
            self.padded.sqrt()
        } else {
            1.0
        }
    }

    fn signs(&self, seed: &[u8], round: u64) -> Vec<bool> {
        Stream::new(seed, ROTATION, 0, round).bits(self.size())
    }

    /// The update's norm and the integers that a client sends.
    pub fn encode(&self, x: &[f32], seed: &[u8], client: u32, round: u64) -> (f64, Vec<i32>) {
        let norm = sum_squares(x).sqrt();
        let clip = self.choice.clip;
        let factor = (if norm > clip { clip / norm } else { 1.0 }) / self.step / self.root();
        let mut y: Vec<f32> = x.iter().map(|&v| (f64::from(v) * factor) as f32).collect();
        y.resize(self.size(), 0.0);
        if self.choice.rotate {
            y.iter_mut().zip(self.signs(seed, round)).for_each(|(v, turned)| *v = if turned { -*v } else { *v });
            hadamard(&mut y);
        }
        let mut words = Stream::new(seed, ROUNDING, client, round);
        let top = (1i64 << (self.modulus_bits - 1)) - 1;
        let mut v: Vec<i64> = y
            .iter()
            .map(|&y| {
                let whole = if self.choice.stochastic {
                    let f = y.floor();
                    if ((words.word() >> 8) as f32) < (y - f) * 16777216.0 {
                        f + 1.0
                    } else {
                        f
                    }
                } else {
                    y.round_ties_even()
                };
                (whole as i64).clamp(-top, top)
            })
            .collect();
        v = shortened(&v, self.update_clip_int as i64);
        if self.choice.quantile_noise.is_some() {
            v.push((if norm <= clip { self.quantile_int } else { -self.quantile_int }) as i64);
        }
        (norm, v.iter().map(|&v| v as i32).collect())
    }

    /// The sum of contributions.
    pub fn sum(&self, contributions: &[Vec<i32>]) -> Vec<i64> {
        let one = |i: usize| lifted(contributions.iter().map(|c| i64::from(c[i])).sum(), self.modulus_bits);
        (0..self.length as usize).map(one).collect()
    }

    pub fn total(&self, sum: &[i64], noise_root: &[u8], round: u64) -> Vec<i64> {
        let mut stream = Stream::new(noise_root, NOISE, 0, round);
        let sigma = self.sigma_int as u64;
        sum.iter().map(|&s| lifted(s + if sigma == 0 { 0 } else { stream.sample(sigma) }, self.modulus_bits)).collect()
    }

    pub fn mean(&self, total: &[i64], seed: &[u8], round: u64) -> Vec<f32> {
        let factor = self.step / self.root() / self.choice.cohort;
        let mut mean: Vec<f32> = total[..self.size()].iter().map(|&v| (v as f64 * factor) as f32).collect();
        if self.choice.rotate {
            hadamard(&mut mean);
            mean.iter_mut().zip(self.signs(seed, round)).for_each(|(v, turned)| *v = if turned { -*v } else { *v });
        }
        mean.truncate(self.choice.dimension as usize);
        mean
    }

    pub fn within(&self, total: &[i64]) -> f64 {
        (1.0 + total[total.len() - 1] as f64 / (self.quantile_int * self.choice.cohort)) / 2.0
    }
}

/// Modulo 2^bits, in [-2^(bits - 1), 2^(bits - 1)).
pub fn lifted(value: i64, bits: i32) -> i64 {
    let modulus = 1i64 << bits;
    (value + modulus / 2).rem_euclid(modulus) - modulus / 2
}

/// Integers whose squares sum to at most clip^2.
pub fn shortened(v: &[i64], clip: i64) -> Vec<i64> {
    let (sum, clip) = (v.iter().map(|&v| i128::from(v) * i128::from(v)).sum::<i128>(), i128::from(clip));
    if sum <= clip * clip {
        return v.to_vec();
    }
    let mut s = (sum as f64).sqrt() as i128 - 2;
    while s * s < sum {
        s += 1;
    }
    v.iter().map(|&v| (i128::from(v.abs()) * clip / s) as i64 * v.signum()).collect()
}

fn hadamard(y: &mut [f32]) {
    let mut d = 1;
    while d < y.len() {
        for i in (0..y.len()).filter(|i| i & d == 0) {
            (y[i], y[i + d]) = (y[i] + y[i + d], y[i] - y[i + d]);
        }
        d *= 2;
    }
}
