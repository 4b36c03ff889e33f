//! The quick self-test's six steps of a small BERT that is made in memory.

use crate::json::parse;
use crate::model::{Formats, Model};
use crate::optimizers::Optimizer;
use crate::sink::{numbered, uniform, Sink};
use crate::streams::Random;
use crate::training::{State, StepOptions, Task};

const CONFIG: &str =
    "{\"model_type\":\"bert\",\"num_hidden_layers\":2,\"num_attention_heads\":2,\"hidden_act\":\"gelu\"}";

/// Width 20, 44 between, 61 words, 24 positions, 2 types.
fn small_bert() -> Model {
    let (width, inner) = (20, 44);
    let mut shapes: Vec<(String, Vec<usize>)> = vec![
        ("embeddings.word_embeddings.weight".into(), vec![61, width]),
        ("embeddings.position_embeddings.weight".into(), vec![24, width]),
        ("embeddings.token_type_embeddings.weight".into(), vec![2, width]),
    ];
    let mut add = |name: String, shape: &[usize]| {
        shapes.push((format!("{name}.weight"), shape.to_vec()));
        shapes.push((format!("{name}.bias"), shape[..1].to_vec()));
    };
    add("embeddings.LayerNorm".into(), &[width]);
    for layer in 0..2 {
        let name = |site: &str| format!("encoder.layer.{layer}.{site}");
        for site in ["attention.self.query", "attention.self.key", "attention.self.value", "attention.output.dense"] {
            add(name(site), &[width, width]);
        }
        add(name("attention.output.LayerNorm"), &[width]);
        add(name("intermediate.dense"), &[inner, width]);
        add(name("output.dense"), &[width, inner]);
        add(name("output.LayerNorm"), &[width]);
    }
    let filled = |(name, shape): (String, Vec<usize>)| {
        let norm = name.ends_with("LayerNorm.weight");
        let columns = if shape.len() > 1 { shape[1] } else { 16 };
        let size = if norm { 0.3 } else { 1.5 / (columns as f64).sqrt() };
        let values = uniform(&format!("bert {name}"), shape.iter().product(), size);
        let data = if norm { values.into_iter().map(|x| 1.0 + x).collect() } else { values };
        (name, shape, data)
    };
    let tensors = shapes.into_iter().map(filled).collect();
    Model::of_config(&parse(CONFIG), tensors, &Formats { weights: "f32", embeddings: None }, "mean")
}

pub fn six_steps(sink: &mut Sink) {
    let lora = parse("{\"rank\":5,\"alpha\":7,\"sites\":[\"query\",\"value\",\"intermediate.dense\"],\"seed\":3}");
    let mut task = Task::new(small_bert(), Some(&lora), 3);
    let slice = task.slice(0, 5, |_| true);
    let mut state = State::default();
    let optimizer = Optimizer::AdamW { lr: 0.01, beta1: 0.9, beta2: 0.999, eps: 1e-8, decay: 0.01 };
    for step in 0..6 {
        let mut source = Random::new(&numbered("selftest batch", "bert lora f32, six steps", step));
        let count = 2 + source.below(3);
        let texts: Vec<Vec<usize>> = (0..count)
            .map(|_| {
                let length = 1 + source.below(9);
                (0..length).map(|_| source.below(61) as usize).collect()
            })
            .collect();
        let targets: Vec<usize> = (0..count).map(|_| source.below(3) as usize).collect();
        let options =
            StepOptions { optimizer, maximum: Some(0.5), dropout: Some((0.1, [source.u32(), step as u32])), rank: 5 };
        let found = task.step(&texts, &targets, &slice, &mut state, &options);
        sink.f64(&[found.loss, found.norm, found.correct as f64]);
    }
    sink.f32(&task.read(&slice));
    sink.f32(&task.logits(&[vec![1, 2, 3, 4, 5], vec![7]]));
}
