//! Numbers that the vectors draw instead of writing them down.

use crate::streams::{whole, word, Label, Random};

pub fn drawn(labels: &[Label], count: usize, size: f64) -> Vec<f32> {
    let mut random = Random::new(labels);
    (0..count).map(|_| ((2.0 * random.uniform() - 1.0) * size) as f32).collect()
}

/// `seed:count:size`.
pub fn floats(text: &str) -> Vec<f32> {
    let parts: Vec<&str> = text.split(':').collect();
    let seed = whole(parts[0].parse().expect("a seed"));
    drawn(&[word("vector"), seed], parts[1].parse().expect("a count"), parts[2].parse().expect("a size"))
}
