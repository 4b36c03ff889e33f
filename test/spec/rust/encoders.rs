//! The models of docs/numerics/training.md, as operations of a pass, and the names of what they train.

use crate::elementwise::Activation;
use crate::graph::{Node, Pass};
use crate::model::{Family, Model};

/// Names of a layer's linear layers (query, key, value, output, up, down) and norms.
fn layer_names(family: Family, i: usize) -> ([String; 6], [String; 2]) {
    if family == Family::Distilbert {
        let name = |part: &str| format!("transformer.layer.{i}.{part}");
        let linear =
            ["attention.q_lin", "attention.k_lin", "attention.v_lin", "attention.out_lin", "ffn.lin1", "ffn.lin2"];
        return (linear.map(name), ["sa_layer_norm", "output_layer_norm"].map(name));
    }
    let name = |part: &str| format!("encoder.layer.{i}.{part}");
    let linear = [
        "attention.self.query",
        "attention.self.key",
        "attention.self.value",
        "attention.output.dense",
        "intermediate.dense",
        "output.dense",
    ];
    (linear.map(name), ["attention.output.LayerNorm", "output.LayerNorm"].map(name))
}

const TABLES: [&str; 3] = [
    "embeddings.word_embeddings.weight",
    "embeddings.position_embeddings.weight",
    "embeddings.token_type_embeddings.weight",
];

impl Model {
    fn tables(&self) -> &[&'static str] {
        if self.family == Family::Distilbert {
            &TABLES[..2]
        } else {
            &TABLES
        }
    }

    /// The linear sites in the order of the way forward.
    pub fn sites(&self) -> Vec<String> {
        if self.family != Family::UseLite {
            return (0..self.layers).flat_map(|i| layer_names(self.family, i).0).collect();
        }
        let parts = ["qkv", "output", "residual", "up", "down"];
        let all = (0..self.layers).flat_map(|i| parts.map(|part| format!("layer.{i}.{part}")));
        all.chain(["tanh".to_string()]).filter(|site| self.tensors.contains_key(&format!("{site}.bias"))).collect()
    }

    /// All tensors that full fine-tuning trains, in order.
    pub fn all_tensors(&self) -> Vec<String> {
        let both = |name: &String| ["weight", "bias"].map(|part| format!("{name}.{part}"));
        if self.family == Family::UseLite {
            let parts = ["norm", "qkv", "output", "residual", "inner_norm", "up", "down"];
            let layers = (0..self.layers)
                .flat_map(|i| parts.map(|part| format!("layer.{i}.{part}")))
                .chain(["tanh".to_string()]);
            let names: Vec<String> =
                layers.flat_map(|name| both(&name)).filter(|name| self.tensors.contains_key(name)).collect();
            return [vec!["embeddings".to_string()], names].concat();
        }
        let mut names: Vec<String> = self.tables().iter().map(|name| name.to_string()).collect();
        names.extend(both(&"embeddings.LayerNorm".to_string()));
        for i in 0..self.layers {
            let ([q, k, v, o, up, down], [norm, last]) = layer_names(self.family, i);
            [q, k, v, o, norm, up, down, last].iter().for_each(|name| names.extend(both(name)));
        }
        names
    }

    /// The embedding of each text.
    pub fn forward(&self, pass: &mut Pass, sequences: &[Vec<usize>]) -> Node {
        match self.family {
            Family::UseLite => self.use_lite(pass, sequences),
            _ => self.bert(pass, sequences),
        }
    }

    fn bert(&self, pass: &mut Pass, sequences: &[Vec<usize>]) -> Node {
        let words: Vec<usize> = sequences.concat();
        let places = sequences.iter().flat_map(|s| (0..s.len()).map(|i| i + self.position_offset)).collect();
        let ids = [words.clone(), places, vec![0; words.len()]];
        let x = pass.embed(self.tables().iter().map(|name| name.to_string()).zip(ids).collect());
        let x = pass.norm(x, None, "embeddings.LayerNorm");
        let mut x = pass.drop(x);
        for i in 0..self.layers {
            let ([query, key, value, output, up, down], [norm, last]) = layer_names(self.family, i);
            let from = [query, key, value].map(|site| (pass.linear(x, &site), 0));
            let a = pass.attend(from, pass.columns(x));
            let a = pass.linear(a, &output);
            let a = pass.drop(a);
            let h = pass.norm(a, Some(x), &norm);
            let f = pass.linear(h, &up);
            let f = pass.activate(f, self.activation);
            let f = pass.linear(f, &down);
            let f = pass.drop(f);
            x = pass.norm(f, Some(h), &last);
        }
        pass.pool(x)
    }

    fn use_lite(&self, pass: &mut Pass, sequences: &[Vec<usize>]) -> Node {
        let mut x = pass.embed(vec![("embeddings".into(), sequences.concat())]);
        let rates = self.data("timing.rates");
        let signal: Vec<f32> =
            sequences.iter().flat_map(|s| 0..s.len()).flat_map(|i| timing_signal(i, rates)).collect();
        x = pass.shift(x, &signal);
        for i in 0..self.layers {
            let site = |part: &str| format!("layer.{i}.{part}");
            let columns = pass.columns(x);
            let normed = pass.norm(x, None, &site("norm"));
            let qkv = pass.linear(normed, &site("qkv"));
            let m = pass.attend([(qkv, 0), (qkv, columns), (qkv, 2 * columns)], columns);
            let m = pass.linear(m, &site("output"));
            let m = pass.drop(m);
            let kept = if pass.columns(m) == columns { x } else { pass.linear(x, &site("residual")) };
            x = pass.add(kept, m);
            let f = pass.norm(x, None, &site("inner_norm"));
            let f = pass.linear(f, &site("up"));
            let f = pass.activate(f, Activation::Relu);
            let f = pass.linear(f, &site("down"));
            let f = pass.drop(f);
            x = pass.add(x, f);
        }
        let x = pass.pool(x);
        let x = pass.linear(x, "tanh");
        let x = pass.activate(x, Activation::Tanh);
        pass.normalize(x)
    }
}

/// A row of sines, then of cosines.
pub fn timing_signal(i: usize, rates: &[f32]) -> Vec<f32> {
    let angles: Vec<f64> = rates.iter().map(|&rate| f64::from((i as f64 * f64::from(rate)) as f32)).collect();
    let (sines, cosines): (Vec<f32>, Vec<f32>) =
        angles.into_iter().map(|angle| (wave(angle, 0) as f32, wave(angle, 1) as f32)).unzip();
    [sines, cosines].concat()
}

pub fn sine_and_cosine(angle: f64) -> (f64, f64) {
    (wave(angle, 0), wave(angle, 1))
}

/// Sine (quarters 0) or cosine (1) of an angle.
fn wave(angle: f64, quarters: i64) -> f64 {
    let k = (angle * 0.63661977236758134308 + 0.5).floor();
    let r = (angle - k * 1.570796325802803) - k * 9.920935796805404e-10;
    let n = (k as i64 + quarters).rem_euclid(4);
    let (mut t, mut d) = if n % 2 == 0 { (r, 3.0) } else { (1.0, 2.0) };
    let mut terms = vec![t];
    for _ in 1..10 {
        t = (-t * (r * r)) / ((d - 1.0) * d);
        d += 2.0;
        terms.push(t);
    }
    let value = terms.iter().rev().fold(0.0, |sum, t| sum + t);
    if n >= 2 {
        -value
    } else {
        value
    }
}
