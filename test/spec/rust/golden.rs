//! Compares with a file of golden values (test/spec/vectors.json).

use crate::generated::drawn;
use crate::json::{object, parse, Json};
use crate::lattice::{choose_lattice, Choice, Lattice};
use crate::lines::read_line;
use crate::model::{Formats, Model};
use crate::optimizers::Optimizer;
use crate::sha256::{hash_floats, hex, sha256};
use crate::streams::word;
use crate::training::{Part, State, StepOptions, Task};

#[derive(Default)]
pub struct Tally {
    pub equal: usize,
    pub different: usize,
}

impl Tally {
    pub fn same(&mut self, what: &str, got: &str, expected: &str) {
        if got == expected {
            self.equal += 1;
        } else {
            self.different += 1;
            println!("{what}\n  expected {expected}\n  got      {got}");
        }
    }
}

pub fn operations(golden: &Json, tally: &mut Tally) {
    for (line, outputs) in golden.entries() {
        let computed = read_line(&line).0.compute();
        for (name, hash) in outputs.entries() {
            let (_, value) = computed.iter().find(|value| value.0 == name).expect("an output");
            tally.same(&line[..line.len().min(120)], &hex(&sha256(value.written().as_bytes())), &hash.text());
        }
    }
}

fn batch(json: &Json) -> (Vec<Vec<usize>>, Vec<usize>) {
    let ids = |list: &Json| list.numbers().into_iter().map(|n| n as usize).collect::<Vec<_>>();
    (json.at("sequences").list().iter().map(ids).collect(), ids(json.at("targets")))
}

fn task_of(job: &Json, labels: usize) -> Task {
    let format = job.at("format").text();
    let embeddings = job.get("embeddings").map(Json::text);
    let lora = job.get("lora");
    let formats = Formats { weights: if lora.is_some() { &format } else { "f32" }, embeddings: embeddings.as_deref() };
    let model = match job.at("model").text().as_str() {
        "use-lite" => Model::made_up(&formats),
        name if name.starts_with('/') => Model::load(name, &formats, &job.at("pooling").text()),
        name => Model::load(&format!("test/fixtures/{name}"), &formats, &job.at("pooling").text()),
    };
    let mut task = Task::new(model, lora, labels);
    for name in task.trained_names() {
        if name.starts_with("head.") || name.ends_with(".lora_B") {
            let data = &mut task.model.tensors.get_mut(&name).expect("a tensor").data;
            *data = drawn(&[word("start"), word(&name)], data.len(), 0.2);
        }
    }
    task
}

fn optimizer_of(json: &Json) -> Optimizer {
    let settings = json.at("settings");
    let or = |name: &str, default: f64| settings.get(name).map_or(default, Json::number);
    let lr = settings.at("learningRate").number();
    match json.at("kind").text().as_str() {
        "sgd" => Optimizer::Sgd { lr, momentum: or("momentum", 0.0), decay: or("weightDecay", 0.0) },
        _ => Optimizer::AdamW {
            lr,
            beta1: or("beta1", 0.9),
            beta2: or("beta2", 0.999),
            eps: or("eps", 1e-8),
            decay: or("weightDecay", 0.01),
        },
    }
}

/// The slice that a job describes, and its rank.
fn slice_of(task: &Task, json: &Json) -> (Vec<Part>, usize) {
    let rank = json.get("rank").map_or(task.full_rank(), |rank| rank.number() as usize);
    let row = json.get("variant").is_some_and(|variant| variant.text() == "row");
    let factors = json.get("factors").map_or("AB".into(), Json::text);
    let keep = |name: &str| ["A", "B"].iter().all(|f| !name.ends_with(&format!(".lora_{f}")) || factors.contains(f));
    (task.slice(if row { rank - 1 } else { 0 }, rank, keep), rank)
}

pub fn training(name: &str, golden: &Json, tally: &mut Tally) {
    let job = golden.at("job");
    let mut task = task_of(job, job.get("labels").map_or(3, |labels| labels.number() as usize));
    let (slice, rank) = slice_of(&task, job.at("slice"));
    let all = task.slice(0, task.full_rank(), |_| true);
    let mut state = State::default();
    let key = |json: &Json| json.at("key").numbers().into_iter().map(|n| n as i64 as u32).collect::<Vec<_>>();
    let dropout = job.get("dropout").map(|json| (json.at("rate").number(), key(json).try_into().expect("two words")));
    let options = StepOptions {
        optimizer: optimizer_of(job.at("optimizer")),
        maximum: job.get("maxGradientNorm").map(Json::number),
        dropout,
        rank,
    };
    for (i, expected) in golden.at("steps").list().iter().enumerate() {
        let (sequences, targets) = batch(&golden.at("batches").list()[i]);
        let step = task.step(&sequences, &targets, &slice, &mut state, &options);
        let bits = |x: f64| format!("0x{:016x}", x.to_bits());
        tally.same(&format!("{name}, step {i}, loss"), &bits(step.loss), &expected.at("loss").text());
        tally.same(&format!("{name}, step {i}, norm"), &bits(step.norm), &expected.at("norm").text());
        tally.same(&format!("{name}, step {i}, values"), &hash_floats(&task.read(&all)), &expected.at("values").text());
    }
    for (tensor, hash) in golden.at("tensors").entries() {
        tally.same(&format!("{name}, {tensor}"), &hash_floats(task.model.data(&tensor)), &hash.text());
    }
}

fn lattice_of(json: &Json) -> Lattice {
    choose_lattice(&Choice {
        clip: json.at("clip").number(),
        cohort: json.at("cohort").number(),
        capacity: json.at("capacity").number(),
        dimension: json.at("dimension").number(),
        z: json.at("noiseMultiplier").number(),
        stochastic: json.at("rounding").text() == "stochastic",
        rotate: *json.at("rotate") == Json::Bool(true),
        noise_spread: json.at("noiseSpread").number(),
        quantile_noise: None,
    })
}

pub fn contributions(golden: &Json, job: &Json, tally: &mut Tally) {
    let plan = golden.at("plan");
    tally.same("plan hash", &hex(&plan.hash()), &golden.at("planHash").text());
    let lattice = lattice_of(plan.at("lattice"));
    tally.same("lattice", &lattice.json().canonical(), &plan.at("lattice").canonical());
    let lora = "{\"rank\":2,\"alpha\":8,\"sites\":[\"encoder.layer.1.attention.self.value\"],\"seed\":7}";
    let job = object(vec![
        ("model", job.at("model").clone()),
        ("format", job.at("format").clone()),
        ("pooling", job.at("pooling").clone()),
        ("lora", parse(lora)),
    ]);
    for (i, client) in [0, 7].into_iter().enumerate() {
        let mut task = task_of(&job, 3);
        let slice = task.slice(0, 2, |_| true);
        tally.same("state", &hash_floats(&task.read(&slice)), &plan.at("state").text());
        let (sequences, targets) = batch(&golden.at("batches").list()[i]);
        let found = task.contribution(plan, &lattice, &slice, 2, (&sequences, &targets), client);
        let expected = golden.at("integers").list()[i].numbers();
        let written = |values: Vec<f64>| values.iter().map(f64::to_string).collect::<Vec<_>>().join(",");
        tally.same("contribution", &written(found.into_iter().map(f64::from).collect()), &written(expected));
    }
}
