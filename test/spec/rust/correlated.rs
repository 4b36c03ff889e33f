//! Correlated noise of docs/numerics/federation.md.

use crate::arithmetic::power_of_two_f64;
use crate::lattice::{ceil_divide, round, Lattice};
use crate::streams::{Stream, CORRELATED_NOISE};

pub enum Correlation {
    Tree,
    Banded(Vec<f64>),
    Buffers { scales: Vec<f64>, decays: Vec<f64> },
}

impl Correlation {
    /// The answers e_t of the recurrence to a single 1.
    fn answers(&self, rounds: usize) -> Vec<f64> {
        let mut e: Vec<f64> = vec![];
        let mut b = vec![0.0; if let Correlation::Buffers { scales, .. } = self { scales.len() } else { 0 }];
        for t in 0..rounds {
            let mut value = if t == 0 { 1.0 } else { 0.0 };
            match self {
                Correlation::Tree => (),
                Correlation::Banded(c) => {
                    for j in (1..c.len()).rev() {
                        value -= c[j] * if t >= j { e[t - j] } else { 0.0 };
                    }
                }
                Correlation::Buffers { scales, decays } => {
                    (0..b.len()).for_each(|k| value -= scales[k] * b[k]);
                    (0..b.len()).for_each(|k| b[k] = (decays[k] * b[k]) + value);
                }
            }
            e.push(value);
        }
        e
    }

    pub fn spread(&self, rounds: usize) -> f64 {
        if let Correlation::Tree = self {
            let h = (1..).find(|&h| (1usize << h) > rounds).expect("a height");
            return 1.05 * f64::from(h).sqrt();
        }
        let (mut squares, mut total) = (0.0, 0.0);
        for e in self.answers(rounds) {
            squares += e * e;
            total += e.abs();
        }
        1.05 * (squares.sqrt() + total / 5120.0)
    }

    /// `bits` and `sigma` of the noise on a lattice.
    fn scales(&self, lattice: &Lattice, rounds: usize) -> (i32, u64) {
        if let Correlation::Tree = self {
            return (0, lattice.sigma_int as u64);
        }
        let total = self.answers(rounds).iter().fold(0.0, |sum, e| sum + e.abs());
        for bits in (6..=11).rev() {
            let unit = power_of_two_f64(bits);
            let mut sensitivity = lattice.clip_int * unit;
            if let Correlation::Buffers { scales, decays } = self {
                let largest = total * (41.0 * 1.1 * (lattice.sigma_int + 1.0) + 2.0) + lattice.clip_int;
                let (ulp, mut error) = (power_of_two_f64(-52), 0.0);
                for (scale, decay) in scales.iter().zip(decays) {
                    let size = scale.abs() * largest / (1.0 - decay);
                    error += ulp * size / (1.0 - decay) + ulp * (scales.len() as f64 + 1.0) * size;
                }
                sensitivity += (1.01 * 2.0 * (0.5 + unit * error) * (rounds as f64 * lattice.length).sqrt()).ceil();
            }
            let sigma = ceil_divide(lattice.choice.z, sensitivity);
            if sigma <= 16777216.0 && sensitivity <= 67108864f64.min(1.1 * lattice.clip_int * unit) {
                return (bits, sigma as u64);
            }
        }
        panic!("no unit fits")
    }

    /// u of every round, coordinate by coordinate, all of which every round holds.
    pub fn noise(&self, lattice: &Lattice, rounds: usize, root: &[u8]) -> Vec<i64> {
        let (bits, sigma) = self.scales(lattice, rounds);
        let unit = power_of_two_f64(bits);
        let half_up = |value: i64| (value + (1 << bits) / 2).div_euclid(1 << bits);
        let length = lattice.length as usize;
        let mut nodes = vec![vec![0i64; 64]; length];
        let mut past: Vec<Vec<i64>> = vec![vec![]; length];
        let mut buffers = vec![vec![0f64; 64]; length];
        let mut out = vec![];
        for t in 1..=rounds {
            let mut stream = Stream::new(root, CORRELATED_NOISE, 0, t as u64);
            for i in 0..length {
                let y = stream.sample(sigma);
                let u = match self {
                    Correlation::Tree => {
                        let h = t.trailing_zeros() as usize;
                        let u = y - nodes[i][..h].iter().sum::<i64>();
                        nodes[i][h] = y;
                        u
                    }
                    Correlation::Banded(c) => {
                        let back = |j: usize| if past[i].len() >= j { past[i][past[i].len() - j] } else { 0 };
                        half_up(y - (1..c.len()).map(|j| round(c[j] * unit) as i64 * back(j)).sum::<i64>())
                    }
                    Correlation::Buffers { scales, decays } => {
                        let b = &mut buffers[i];
                        let sum = (0..scales.len()).fold(0.0, |sum, k| sum + scales[k] * b[k]);
                        let u = half_up(y - (sum * unit).round_ties_even() as i64);
                        (0..scales.len()).for_each(|k| b[k] = (decays[k] * b[k]) + u as f64);
                        u
                    }
                };
                past[i].push(u);
                out.push(u);
            }
        }
        out
    }
}
