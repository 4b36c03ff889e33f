//! Generators, streams and the discrete Gaussian of docs/numerics/streams.md.

use crate::json::utf16;

pub enum Label {
    Text(Vec<u16>),
    Number(String),
}

pub fn word(text: &str) -> Label {
    Label::Text(utf16(text))
}

pub fn whole(number: u64) -> Label {
    Label::Number(number.to_string())
}

pub struct Random {
    state: [u32; 4],
}

fn mix(x: u32) -> u32 {
    let x = (x ^ (x >> 16)).wrapping_mul(0x21f0aaad);
    let x = (x ^ (x >> 15)).wrapping_mul(0x735a2d97);
    x ^ (x >> 15)
}

impl Random {
    pub fn new(labels: &[Label]) -> Random {
        let parts: Vec<Vec<u16>> = labels
            .iter()
            .map(|label| match label {
                Label::Text(units) => [utf16("string:"), units.clone()].concat(),
                Label::Number(digits) => utf16(&format!("number:{digits}")),
            })
            .collect();
        let mut state = [0x9e3779b9u32, 0x243f6a88, 0xb7e15162, 0xdeadbeef];
        for unit in parts.join(&0) {
            for (j, s) in state.iter_mut().enumerate() {
                *s = mix(*s ^ u32::from(unit) ^ ((j as u32) << 17));
            }
        }
        for (j, s) in state.iter_mut().enumerate() {
            *s = mix(s.wrapping_add(j as u32));
        }
        if state == [0; 4] {
            state[0] = 1;
        }
        Random { state }
    }

    pub fn u32(&mut self) -> u32 {
        let s = &mut self.state;
        let result = s[1].wrapping_mul(5).rotate_left(7).wrapping_mul(9);
        let t = s[1] << 9;
        s[2] ^= s[0];
        s[3] ^= s[1];
        s[1] ^= s[2];
        s[0] ^= s[3];
        s[2] ^= t;
        s[3] = s[3].rotate_left(11);
        result
    }

    pub fn uniform(&mut self) -> f64 {
        f64::from(self.u32()) / 4294967296.0
    }

    pub fn below(&mut self, n: u64) -> u64 {
        loop {
            let u = u64::from(self.u32());
            if u < (1 << 32) - ((1 << 32) % n) {
                return u % n;
            }
        }
    }

    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        for i in (1..items.len()).rev() {
            items.swap(i, self.below(i as u64 + 1) as usize);
        }
    }
}

pub const NOISE: u32 = 0x5ec00000;
pub const CORRELATED_NOISE: u32 = 0x5ec00001;
pub const ROTATION: u32 = 0x0b1c0000;
pub const ROUNDING: u32 = 0x0b1c0001;

fn words_of(bytes: &[u8]) -> Vec<u32> {
    bytes.chunks(4).map(|b| u32::from_le_bytes(b.try_into().expect("four bytes"))).collect()
}

fn rounds(x: &mut [u32; 16]) {
    let mut quarter = |a: usize, b: usize, c: usize, d: usize| {
        for (to, from, other, turn) in [(a, b, d, 16), (c, d, b, 12), (a, b, d, 8), (c, d, b, 7)] {
            x[to] = x[to].wrapping_add(x[from]);
            x[other] = (x[other] ^ x[to]).rotate_left(turn);
        }
    };
    for _ in 0..10 {
        for i in 0..4 {
            quarter(i, 4 + i, 8 + i, 12 + i);
        }
        for i in 0..4 {
            quarter(i, 4 + (i + 1) % 4, 8 + (i + 2) % 4, 12 + (i + 3) % 4);
        }
    }
}

fn block_input(key: &[u32], rest: &[u32]) -> [u32; 16] {
    [&words_of(b"expand 32-byte k")[..], key, rest].concat().try_into().expect("16 words")
}

/// A block of the keystream.
pub fn block(input: &[u32; 16]) -> Vec<u8> {
    let mut x = *input;
    rounds(&mut x);
    x.iter().zip(input).flat_map(|(a, b)| a.wrapping_add(*b).to_le_bytes()).collect()
}

pub fn hchacha20(key: &[u8], input: &[u8]) -> Vec<u32> {
    let mut x = block_input(&words_of(key), &words_of(input));
    rounds(&mut x);
    [&x[..4], &x[12..]].concat()
}

pub struct Stream {
    key: Vec<u32>,
    block: u32,
    buffer: Vec<u8>,
    at: usize,
}

const BUFFER: usize = 1024;

impl Stream {
    pub fn new(root: &[u8], code: u32, index: u32, round: u64) -> Stream {
        let label = [code, index, round as u32, (round >> 32) as u32].map(u32::to_le_bytes).concat();
        Stream::keyed(hchacha20(root, &label))
    }

    /// The stream of a key.
    pub fn keyed(key: Vec<u32>) -> Stream {
        Stream { key, block: 0, buffer: vec![0; BUFFER], at: BUFFER }
    }

    fn fill(&mut self) {
        for bytes in self.buffer.chunks_mut(64) {
            bytes.copy_from_slice(&block(&block_input(&self.key, &[self.block, 0, 0, 0])));
            self.block += 1;
        }
        self.at = 0;
    }

    pub fn byte(&mut self) -> u32 {
        if self.at == BUFFER {
            self.fill();
        }
        self.at += 1;
        u32::from(self.buffer[self.at - 1])
    }

    pub fn word(&mut self) -> u32 {
        if BUFFER - self.at < 4 {
            self.fill();
        }
        self.at += 4;
        words_of(&self.buffer[self.at - 4..self.at])[0]
    }

    pub fn bits(&mut self, count: usize) -> Vec<bool> {
        let words: Vec<u32> = (0..count.div_ceil(32)).map(|_| self.word()).collect();
        (0..count).map(|i| (words[i / 32] >> (i % 32)) & 1 == 1).collect()
    }

    fn below(&mut self, s: u64) -> u64 {
        loop {
            let p = u64::from(self.word()) * s;
            if (p & 0xffffffff) >= (1 << 32) % s {
                return p >> 32;
            }
        }
    }

    fn zero(&mut self, k: u32) -> bool {
        loop {
            let b = self.byte();
            if (b + 1) * k <= 256 {
                return true;
            }
            if b + k <= 256 || b < 256 - (256 % k) {
                return false;
            }
        }
    }

    fn less(&mut self, s: u64, a: u64, b: u64) -> bool {
        let f = self.below(s);
        if f != a {
            f < a
        } else {
            b != 0 && self.below(2 * s) < b
        }
    }

    fn exp_minus(&mut self, s: u64, a: u64, b: u64) -> bool {
        let mut rung = 1;
        while (rung == 1 || self.zero(rung)) && self.less(s, a, b) && rung < 255 {
            rung += 1;
        }
        rung % 2 == 1
    }

    fn one_over_e(&mut self) -> bool {
        let mut rung = 2;
        while self.zero(rung) && rung < 255 {
            rung += 1;
        }
        rung % 2 == 1
    }

    fn accept(&mut self, s: u64, mut n: u64) -> bool {
        while n > 2 * s * s {
            if !self.one_over_e() {
                return false;
            }
            n -= 2 * s * s;
        }
        let a = n / (2 * s);
        self.exp_minus(s, a, n - a * 2 * s)
    }

    /// The discrete Gaussian of scale s.
    pub fn sample(&mut self, s: u64) -> i64 {
        loop {
            let u = self.below(s);
            if !self.exp_minus(s, u, 0) {
                continue;
            }
            let mut v = 0;
            while v <= 40 && self.one_over_e() {
                v += 1;
            }
            if v > 40 {
                continue;
            }
            let size = (u + s * v) as i64;
            let negative = self.byte() % 2 == 1;
            if negative && size == 0 {
                continue;
            }
            let distance = (size - s as i64).unsigned_abs();
            if self.accept(s, distance * distance) {
                return if negative { -size } else { size };
            }
        }
    }
}
