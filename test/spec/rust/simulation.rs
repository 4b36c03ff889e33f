//! A simulated run: public choices, plans, contributions, releases and the server, of docs/numerics/federation.md.

use crate::clip::next_clip;
use crate::golden::Tally;
use crate::json::{object, text, Json};
use crate::lattice::{choose_lattice, Choice, Lattice};
use crate::model::{Formats, Model};
use crate::optimizers::Optimizer;
use crate::sha256::{hash_floats, hash_integers, hex, sha256};
use crate::streams::{whole, word, Random};
use crate::training::{Part, State, Task};

const FILES: [&str; 10] = [
    "config.json",
    "1_Pooling/config.json",
    "model.safetensors",
    "model.safetensors.index.json",
    "model.json",
    "tokenizer.json",
    "tokenizer_config.json",
    "vocab.txt",
    "vocab.json",
    "merges.txt",
];

/// The hash of what is trained, of a model without shards.
fn task_hash(description: &Json, folder: &str) -> String {
    let hash = |name: &str| Some(text(&hex(&sha256(&std::fs::read(format!("{folder}/{name}")).ok()?))));
    let files = FILES.into_iter().filter_map(|name| Some((name, hash(name)?))).collect();
    let kept = ["labels", "lora", "format", "embeddings", "pooling"]
        .into_iter()
        .filter_map(|key| Some((key, description.get(key)?.clone())));
    hex(&object(vec![("files", object(files)), ("description", object(kept.collect()))]).hash())
}

/// What a round trains, what it reads, and its rank.
struct Round {
    slice: Vec<Part>,
    reads: Vec<Part>,
    rank: Option<usize>,
}

fn round_of(task: &Task, method: &Json, public_seed: &str, round: u64) -> Round {
    let most = task.full_rank();
    let named = |key: &str, default: &str| method.get(key).map_or(default.to_string(), Json::text);
    let factors = |which: &str| {
        let which = which.to_string();
        move |name: &str| which == "both" || name.starts_with("head.") || name.ends_with(&format!(".lora_{which}"))
    };
    match named("kind", "").as_str() {
        "full" => Round { slice: task.slice(0, 0, |_| true), reads: task.slice(0, 0, |_| true), rank: None },
        "lora" => {
            let which = match named("factors", "both").as_str() {
                "alternate" => (if round % 2 == 1 { "B" } else { "A" }).to_string(),
                other => other.to_string(),
            };
            Round {
                slice: task.slice(0, most, factors(&which)),
                reads: task.slice(0, most, |_| true),
                rank: Some(most),
            }
        }
        _ => {
            let mut draw = Random::new(&[word(public_seed), word("rank"), whole(round)]);
            let rank = match method.get("ranks").map(Json::numbers) {
                Some(ranks) => ranks[draw.below(ranks.len() as u64) as usize] as usize,
                None => 1 + draw.below(most as u64) as usize,
            };
            let from = if named("variant", "prefix") == "row" { rank - 1 } else { 0 };
            let slice = task.slice(from, rank, factors(&named("factors", "both")));
            Round { slice, reads: task.slice(0, rank, |_| true), rank: Some(rank) }
        }
    }
}

impl Task {
    fn slice_json(&self, slice: &[Part], rank: Option<usize>) -> Json {
        let number = |value: usize| Json::Number(value as f64);
        let parts = slice
            .iter()
            .map(|part| {
                object(vec![
                    ("tensor", text(&part.tensor)),
                    ("from", number(part.from)),
                    ("to", number(part.to)),
                    ("columns", number(self.model.tensors[&part.tensor].columns)),
                ])
            })
            .collect();
        let mut entries = vec![("parts", Json::List(parts)), ("length", number(self.read(slice).len()))];
        entries.extend(rank.map(|rank| ("rank", number(rank))));
        object(entries)
    }
}

fn clip_of(clip: f64, rule: Option<String>, rank: Option<usize>, most: usize) -> f64 {
    let (Some(rule), Some(rank)) = (rule, rank) else { return clip };
    let (b, most) = (rank as f64, most as f64);
    match rule.as_str() {
        "inverse" => clip * (most / b),
        "inverse-sqrt" => clip * (most / b).sqrt(),
        "sqrt" => clip * (b / most).sqrt(),
        _ => clip,
    }
}

fn server_of(server: &Json) -> Optimizer {
    let or = |name: &str, default: f64| server.get(name).map_or(default, Json::number);
    let lr = or("learningRate", 0.0);
    match server.at("optimizer").text().as_str() {
        "sgd" => Optimizer::Sgd { lr, momentum: or("momentum", 0.0), decay: 0.0 },
        _ => {
            Optimizer::AdamW { lr, beta1: or("beta1", 0.9), beta2: or("beta2", 0.99), eps: or("eps", 1e-4), decay: 0.0 }
        }
    }
}

fn lattice_of(settings: &Json, clip: f64, adaptive: bool, dimension: usize, count: f64) -> Lattice {
    let (cohort, privacy) = (settings.at("cohort").number(), settings.get("privacy"));
    let z = privacy.map_or(0.0, |privacy| {
        privacy.at("noiseMultiplier").number() * cohort / privacy.get("noiseCohort").map_or(cohort, Json::number)
    });
    choose_lattice(&Choice {
        clip,
        cohort,
        capacity: count.min(cohort + (6.0 * cohort.sqrt()).ceil() + 2.0),
        dimension: dimension as f64,
        z,
        stochastic: true,
        rotate: false,
        noise_spread: 1.0,
        quantile_noise: adaptive.then(|| (cohort / 20.0).max(z)),
    })
}

fn tokens(client: &Json) -> (Vec<Vec<usize>>, Vec<usize>) {
    let ids = |example: &Json| example.at("tokens").numbers().into_iter().map(|n| n as usize).collect();
    (
        client.list().iter().map(ids).collect(),
        client.list().iter().map(|example| example.at("target").number() as usize).collect(),
    )
}

/// Runs the settings again.
pub fn simulation(golden: &Json, tally: &mut Tally) {
    let settings = golden.at("settings");
    let (description, privacy) = (settings.at("task"), settings.get("privacy"));
    let folder = description.at("model").text();
    let lora = description.get("lora");
    let named = |key: &str, default: &str| description.get(key).map_or(default.to_string(), Json::text);
    let format = if lora.is_some() { named("format", "stored") } else { "f32".into() };
    let embeddings = description.get("embeddings").map(Json::text);
    let model = Model::load(
        &folder,
        &Formats { weights: &format, embeddings: embeddings.as_deref() },
        &named("pooling", "mean"),
    );
    let mut task = Task::new(model, lora, description.at("labels").list().len());
    let hash = task_hash(description, &folder);
    tally.same("task", &hash, &description.at("hash").text());
    let clients: Vec<_> = golden.at("clients").list().iter().map(tokens).collect();
    let (seed, count) = (settings.get("seed").map_or(0.0, Json::number), clients.len() as f64);
    let root_of = |purpose: &str| object(vec![("purpose", text(purpose)), ("seed", Json::Number(seed))]).hash();
    let (public_seed, noise_root) = (root_of("public seed"), root_of("noise"));
    let optimizer = server_of(settings.at("server"));
    let adaptive = privacy.and_then(|privacy| privacy.get("adaptiveClip"));
    let (mut state, mut clip) = (State::default(), privacy.map_or(16.0, |privacy| privacy.at("clip").number()));
    for (i, expected) in golden.at("rounds").list().iter().enumerate() {
        let round = i as u64 + 1;
        let Round { slice, reads, rank } = round_of(&task, settings.at("method"), &hex(&public_seed), round);
        let before = task.read(&reads);
        let rule = privacy.and_then(|privacy| privacy.get("clipRule")).map(Json::text);
        let lattice = lattice_of(
            settings,
            clip_of(clip, rule, rank, task.full_rank()),
            adaptive.is_some(),
            task.read(&slice).len(),
            count,
        );
        let plan = object(vec![
            ("version", Json::Number(1.0)),
            ("numerics", Json::Number(1.0)),
            ("round", Json::Number(round as f64)),
            ("task", text(&hash)),
            ("state", text(&hash_floats(&before))),
            ("slice", task.slice_json(&slice, rank)),
            ("reads", task.slice_json(&reads, rank)),
            ("local", settings.at("local").clone()),
            ("lattice", lattice.json()),
            ("publicSeed", text(&hex(&public_seed))),
        ]);
        tally.same(&format!("round {round}, plan"), &hex(&plan.hash()), &expected.at("plan").text());
        let mut draw = Random::new(&[whole(seed as u64), word("sampling"), whole(round)]);
        let rate = settings.at("cohort").number() / count;
        let taking = (0..clients.len()).filter(|_| draw.uniform() < rate).take(lattice.choice.capacity as usize);
        let mut sent = vec![];
        for (number, client) in taking.enumerate() {
            let (sequences, targets) = &clients[client];
            sent.push(task.contribution(
                &plan,
                &lattice,
                &slice,
                rank.unwrap_or(0),
                (sequences, targets),
                number as u32,
            ));
            task.write(&reads, &before);
        }
        let hashes: Vec<String> = sent.iter().map(|values| hash_integers(values)).collect();
        let wanted: Vec<String> = expected.at("contributions").list().iter().map(Json::text).collect();
        tally.same(&format!("round {round}, contributions"), &hashes.join(" "), &wanted.join(" "));
        let total = lattice.total(&lattice.sum(&sent), &noise_root, round);
        let mean = lattice.mean(&total, &public_seed, round);
        let mut rest = &mean[..];
        for part in &slice {
            let (own, others) = rest.split_at((part.to - part.from) * task.model.tensors[&part.tensor].columns);
            let gradient: Vec<f32> = own.iter().map(|m| m * -1.0).collect();
            task.apply(part, &gradient, &mut state, &optimizer);
            rest = others;
        }
        tally.same(&format!("round {round}, state"), &hash_floats(&task.read(&reads)), &expected.at("state").text());
        if let Some(adaptive) = adaptive {
            let or = |name: &str, default: f64| adaptive.get(name).map_or(default, Json::number);
            clip = next_clip(clip, or("rate", 0.2), or("quantile", 0.5), lattice.within(&total));
        }
    }
    let all = task.slice(0, task.full_rank(), |_| true);
    tally.same("final hash", &hash_floats(&task.read(&all)), &golden.at("finalHash").text());
}
