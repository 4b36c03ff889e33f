//! Steps, slices and what a client computes, of docs/numerics/training.md.

use std::collections::HashMap;

use crate::arithmetic::sum_squares;
use crate::elementwise::{cross_entropy, cross_entropy_back};
use crate::graph::Pass;
use crate::json::Json;
use crate::lattice::Lattice;
use crate::model::{initial_a, Model, Tensor};
use crate::optimizers::Optimizer;
use crate::streams::{whole, word, Random};

pub struct Part {
    pub tensor: String,
    pub from: usize,
    pub to: usize,
}

#[derive(Default)]
pub struct State {
    tensors: HashMap<String, (Vec<f32>, Vec<f32>, Vec<u64>)>,
}

pub struct Adapter {
    pub rank: usize,
    alpha: f64,
    stabilised: bool,
}

pub struct Task {
    pub model: Model,
    pub adapter: Option<Adapter>,
    sites: Vec<String>,
}

pub struct Step {
    pub loss: f64,
    pub norm: f64,
    /// Texts whose class is the likeliest, the first of equals.
    pub correct: usize,
}

pub struct StepOptions {
    pub optimizer: Optimizer,
    pub maximum: Option<f64>,
    pub dropout: Option<(f64, [u32; 2])>,
    /// The rank of the pass.
    pub rank: usize,
}

fn offsets_of(sequences: &[Vec<usize>]) -> Vec<usize> {
    let mut offsets = vec![0];
    sequences.iter().for_each(|s| offsets.push(offsets[offsets.len() - 1] + s.len()));
    offsets
}

/// Whether a description of sites (the end of their names) has a site.
fn chosen(sites: &[String], site: &str) -> bool {
    sites.iter().any(|name| site == name || site.ends_with(&format!(".{name}")))
}

impl Task {
    pub fn new(mut model: Model, lora: Option<&Json>, labels: usize) -> Task {
        let mut sites = vec![];
        let adapter = lora.map(|lora| {
            let rank = lora.at("rank").number() as usize;
            let names: Vec<String> = lora.at("sites").list().iter().map(Json::text).collect();
            sites = model.sites().into_iter().filter(|site| chosen(&names, site)).collect();
            for site in &sites {
                let (n, k) = model.shape(site);
                let seed = lora.get("seed").map_or(0.0, Json::number) as u64;
                let data = initial_a(site, rank, k, seed);
                model.tensors.insert(format!("{site}.lora_A"), Tensor { columns: k, data });
                model.tensors.insert(format!("{site}.lora_B"), Tensor { columns: n, data: vec![0.0; rank * n] });
            }
            let stabilised = lora.get("scaling").is_some_and(|scaling| scaling.text() == "alpha/sqrt(r)");
            Adapter { rank, alpha: lora.at("alpha").number(), stabilised }
        });
        let mut pass = Pass::new(&model, vec![0, 1], (adapter.as_ref().map_or(0, |a| a.rank), 1.0), None);
        let last = model.forward(&mut pass, &[vec![0]]);
        let width = pass.columns(last);
        model.tensors.insert("head.weight".into(), Tensor { columns: width, data: vec![0.0; labels * width] });
        model.tensors.insert("head.bias".into(), Tensor { columns: 1, data: vec![0.0; labels] });
        Task { model, adapter, sites }
    }

    pub fn trained_names(&self) -> Vec<String> {
        let mut names = match self.adapter {
            Some(_) => {
                self.sites.iter().flat_map(|site| [format!("{site}.lora_A"), format!("{site}.lora_B")]).collect()
            }
            None => self.model.all_tensors(),
        };
        names.extend(["head.weight".to_string(), "head.bias".into()]);
        names
    }

    pub fn full_rank(&self) -> usize {
        self.adapter.as_ref().map_or(0, |adapter| adapter.rank)
    }

    /// Rows `from .. to` of factors that `keep` holds, then the head.
    pub fn slice(&self, from: usize, to: usize, keep: impl Fn(&str) -> bool) -> Vec<Part> {
        let part = |tensor: String| {
            let factor = tensor.ends_with(".lora_A") || tensor.ends_with(".lora_B");
            let (from, to) = if factor { (from, to) } else { (0, self.model.tensors[&tensor].rows()) };
            Part { tensor, from, to }
        };
        self.trained_names().into_iter().filter(|name| keep(name)).map(part).collect()
    }

    fn of_part(&self, part: &Part) -> std::ops::Range<usize> {
        let columns = self.model.tensors[&part.tensor].columns;
        part.from * columns..part.to * columns
    }

    pub fn read(&self, slice: &[Part]) -> Vec<f32> {
        slice.iter().flat_map(|part| self.model.data(&part.tensor)[self.of_part(part)].to_vec()).collect()
    }

    pub fn write(&mut self, slice: &[Part], values: &[f32]) {
        let mut at = 0;
        for part in slice {
            let range = self.of_part(part);
            let length = range.len();
            self.model.tensors.get_mut(&part.tensor).expect("a tensor").data[range]
                .copy_from_slice(&values[at..at + length]);
            at += length;
        }
    }

    fn branch(&self, rank: usize) -> (usize, f32) {
        let Some(adapter) = &self.adapter else { return (0, 1.0) };
        let by = if adapter.stabilised { (rank as f64).sqrt() } else { rank as f64 };
        (rank, (adapter.alpha / by) as f32)
    }

    pub fn step(
        &mut self,
        sequences: &[Vec<usize>],
        targets: &[usize],
        slice: &[Part],
        state: &mut State,
        options: &StepOptions,
    ) -> Step {
        let mut pass = Pass::new(&self.model, offsets_of(sequences), self.branch(options.rank), options.dropout);
        let pooled = self.model.forward(&mut pass, sequences);
        let logits = pass.linear(pooled, "head");
        let classes = pass.columns(logits);
        let loss = cross_entropy(pass.data(logits), classes, targets);
        let weight = (1.0 / targets.len() as f64) as f32;
        let gradient = cross_entropy_back(&loss.probabilities, classes, targets, weight);
        let trained = |name: &str| slice.iter().any(|part| part.tensor == name);
        let mut tensors = pass.back(gradient, &trained);
        let total = loss.losses.iter().fold(0.0, |sum, &l| sum + f64::from(l));
        let mut gradients: Vec<Vec<f32>> = slice
            .iter()
            .map(|part| {
                let all = tensors.remove(&part.tensor).unwrap_or_else(|| panic!("no gradient of {}", part.tensor));
                all[self.of_part(part)].to_vec()
            })
            .collect();
        let norm = gradients.iter().fold(0.0, |sum, g| sum + sum_squares(g)).sqrt();
        if let Some(maximum) = options.maximum.filter(|&maximum| norm > maximum) {
            let factor = (maximum / norm) as f32;
            gradients.iter_mut().flatten().for_each(|g| *g *= factor);
        }
        for (part, gradient) in slice.iter().zip(gradients) {
            self.apply(part, &gradient, state, &options.optimizer);
        }
        let first_largest = |row: &[f32]| (0..classes).fold(0, |best, v| if row[best] < row[v] { v } else { best });
        let right =
            loss.probabilities.chunks(classes).zip(targets).filter(|(row, &target)| first_largest(row) == target);
        Step { loss: total / targets.len() as f64, norm, correct: right.count() }
    }

    /// The logits of texts, at full rank.
    pub fn logits(&self, sequences: &[Vec<usize>]) -> Vec<f32> {
        let mut pass = Pass::new(&self.model, offsets_of(sequences), self.branch(self.full_rank()), None);
        let pooled = self.model.forward(&mut pass, sequences);
        let logits = pass.linear(pooled, "head");
        pass.data(logits).to_vec()
    }

    /// Steps the rows of a part, each with its own count.
    pub fn apply(&mut self, part: &Part, gradient: &[f32], state: &mut State, optimizer: &Optimizer) {
        let tensor = self.model.tensors.get_mut(&part.tensor).expect("a tensor");
        let (columns, length, rows) = (tensor.columns, tensor.data.len(), tensor.rows());
        let (m, v, t) = state
            .tensors
            .entry(part.tensor.clone())
            .or_insert_with(|| (vec![0.0; length], vec![0.0; length], vec![0; rows]));
        for row in part.from..part.to {
            let range = row * columns..(row + 1) * columns;
            t[row] += 1;
            let g = &gradient[(row - part.from) * columns..][..columns];
            optimizer.step(&mut tensor.data[range.clone()], &mut m[range.clone()], &mut v[range], g, t[row]);
        }
    }

    /// A client's update; `plan` holds `round`, `local` and `publicSeed`, and the slice is of rank `rank`.
    pub fn client_update(
        &mut self,
        plan: &Json,
        slice: &[Part],
        rank: usize,
        sequences: &[Vec<usize>],
        targets: &[usize],
        client: u32,
    ) -> Vec<f32> {
        let local = plan.at("local");
        let setting = |name: &str| local.get(name).map(Json::number);
        let before = self.read(slice);
        let labels = [
            word(&plan.at("publicSeed").text()),
            word("order"),
            whole(plan.at("round").number() as u64),
            whole(u64::from(client)),
        ];
        let mut order = Random::new(&labels);
        let mut used: Vec<usize> = (0..sequences.len()).collect();
        order.shuffle(&mut used);
        used.truncate(setting("maxExamples").map_or(used.len(), |most| most as usize));
        let lr = local.at("learningRate").number();
        let optimizer = Optimizer::Sgd { lr, momentum: setting("momentum").unwrap_or(0.0), decay: 0.0 };
        let mut state = State::default();
        for epoch in 0..local.at("epochs").number() as usize {
            if epoch > 0 {
                order.shuffle(&mut used);
            }
            for batch in used.chunks(local.at("batchSize").number() as usize) {
                let rate = setting("dropout").filter(|&rate| rate > 0.0);
                let dropout = rate.map(|rate| {
                    let first = order.u32();
                    (rate, [first, order.u32()])
                });
                let texts: Vec<Vec<usize>> = batch.iter().map(|&i| sequences[i].clone()).collect();
                let classes: Vec<usize> = batch.iter().map(|&i| targets[i]).collect();
                let options = StepOptions { optimizer, maximum: setting("maxGradientNorm"), dropout, rank };
                self.step(&texts, &classes, slice, &mut state, &options);
            }
        }
        self.read(slice).iter().zip(before).map(|(after, before)| after - before).collect()
    }

    pub fn contribution(
        &mut self,
        plan: &Json,
        lattice: &Lattice,
        slice: &[Part],
        rank: usize,
        examples: (&[Vec<usize>], &[usize]),
        client: u32,
    ) -> Vec<i32> {
        let update = self.client_update(plan, slice, rank, examples.0, examples.1, client);
        let seed = crate::sha256::from_hex(&plan.at("publicSeed").text());
        lattice.encode(&update, &seed, client, plan.at("round").number() as u64).1
    }
}
