//! What the self-test hashes, and the values that it asks of every function (docs/numerics/self-test.md).

use crate::sha256::{hex, sha256};
use crate::streams::{whole, word, Label, Random};

/// Arrays, each with the number of its bytes before it; a NaN has one form.
#[derive(Default)]
pub struct Sink {
    bytes: Vec<u8>,
}

impl Sink {
    pub fn bytes(&mut self, bytes: Vec<u8>) {
        self.bytes.extend((bytes.len() as u32).to_le_bytes());
        self.bytes.extend(bytes);
    }

    pub fn f32(&mut self, values: &[f32]) {
        let bits = |v: &f32| if v.is_nan() { 0x7fc00000 } else { v.to_bits() };
        self.bytes(values.iter().flat_map(|v| bits(v).to_le_bytes()).collect());
    }

    pub fn f64(&mut self, values: &[f64]) {
        let bits = |v: &f64| if v.is_nan() { 0x7ff8000000000000 } else { v.to_bits() };
        self.bytes(values.iter().flat_map(|v| bits(v).to_le_bytes()).collect());
    }

    pub fn i32(&mut self, values: &[i32]) {
        self.bytes(values.iter().flat_map(|v| v.to_le_bytes()).collect());
    }

    pub fn digest(&self) -> String {
        hex(&sha256(&self.bytes))
    }
}

const SIZES: [f64; 12] = [
    0.0,
    P149,
    3.0 * P149,
    P149 * 4194304.0,
    P149 * 8388607.0,
    P149 * 8388608.0,
    1.0 - 1.0 / 16777216.0,
    1.0,
    1.0 + 1.0 / 8388608.0,
    1.0 / 3.0,
    3.4028235e38,
    f64::INFINITY,
];
const P149: f64 = 1.0 / 713623846352979940529142984724747568191373312.0;
const HALVES: [f64; 6] = [0.5, 1.5, 2.5, 3.5, 4194303.5, 8388607.5];
const NARROW: [f64; 16] = [
    1.0 + 1.0 / 2048.0,
    1.0 + 3.0 / 2048.0,
    1.0 + 1.0 / 2048.0 + 1.0 / 8388608.0,
    1.0 + 1.0 / 256.0,
    1.0 + 3.0 / 256.0,
    1.0 + 1.0 / 256.0 + 1.0 / 8388608.0,
    65504.0,
    65519.996,
    65520.0,
    65536.0,
    1.0 / 16384.0,
    1.0 / 32768.0,
    1.0 / 16777216.0,
    1.0 / 33554432.0,
    1.5 / 33554432.0,
    3.3961776e38,
];
const EDGES: [f64; 23] = [
    0.34657359,
    0.69314718,
    0.70710678,
    1.4142135,
    3.92,
    3.9199998,
    9.999999,
    10.0,
    87.33654,
    88.72283,
    88.722839,
    89.0,
    103.27893,
    103.97208,
    104.0,
    105.0,
    700.0,
    8388608.0,
    16777217.0,
    2147483648.0,
    4294967296.0,
    1e-30,
    1e30,
];

/// NaN, and both signs of everything special.
pub fn special() -> Vec<f32> {
    let all = [&SIZES[..], &HALVES, &NARROW, &EDGES].concat();
    std::iter::once(f32::NAN).chain(all.iter().flat_map(|&x| [x as f32, -x as f32])).collect()
}

pub fn uniform(label: &str, count: usize, size: f64) -> Vec<f32> {
    crate::generated::drawn(&[word("selftest"), word(label)], count, size)
}

pub fn any_bits(label: &str, count: usize) -> Vec<f32> {
    let mut random = Random::new(&[word("selftest bits"), word(label)]);
    (0..count).map(|_| f32::from_bits(random.u32())).collect()
}

pub fn integers(label: &str, count: usize, below: u64) -> Vec<i32> {
    let mut random = Random::new(&[word("selftest integers"), word(label)]);
    (0..count).map(|_| random.below(below) as u32 as i32).collect()
}

/// Bytes of a seed.
pub fn seed(label: &str) -> Vec<u8> {
    integers(label, 32, 256).iter().map(|&v| v as u8).collect()
}

/// Labels of a generator whose second and third are a name and a number.
pub fn numbered(purpose: &str, label: &str, number: u64) -> [Label; 3] {
    [word(purpose), word(label), whole(number)]
}
