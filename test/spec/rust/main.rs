//! The specification in Rust, written from docs/numerics.md and its pages: computes their vectors and golden values again.
//!
//! From the root of the repository, with no package but the compiler:
//!
//! ```text
//! rustc -O --edition 2021 -o build/numerics test/spec/rust/main.rs
//! build/numerics test/spec/vectors.json docs/numerics.md docs/numerics/*.md
//! build/numerics --self-test
//! ```

mod arithmetic;
mod backward;
mod clip;
mod correlated;
mod elementwise;
mod encoders;
mod generated;
mod golden;
mod graph;
mod json;
mod lattice;
mod lines;
mod model;
mod operations;
mod optimizers;
mod self_test;
mod self_test_privacy;
mod self_test_training;
mod sha256;
mod simulation;
mod sink;
mod streams;
mod training;
mod vectors;

use golden::Tally;

/// The lines of a page's fences tagged `vector`.
fn lines_of(page: &str) -> Vec<&str> {
    let mut inside = false;
    let mut keep = |line: &str| {
        let fence = line.starts_with("```");
        inside = if fence { line == "```vector" } else { inside };
        inside && !fence
    };
    page.lines().filter(|line| keep(line)).collect()
}

/// What a file of golden values holds.
fn check_golden(text: &str, tally: &mut Tally) {
    let file = json::parse(text);
    let entries = file.entries();
    for (name, value) in &entries {
        if value.get("job").is_some() {
            golden::training(name, value, tally);
        } else if name == "operations" {
            golden::operations(value, tally);
        } else if name == "contributions" {
            let first = entries.iter().find(|entry| entry.1.get("job").is_some()).expect("a training");
            golden::contributions(value, first.1.at("job"), tally);
        } else if name.starts_with("simulation") {
            simulation::simulation(value, tally);
        }
    }
}

fn check_line(line: &str, tally: &mut Tally) {
    let (case, expected) = lines::read_line(line);
    let found = case.compute();
    for (name, value) in expected {
        let got = found.iter().find(|f| f.0 == name).map_or("nothing".into(), |f| f.1.written());
        tally.same(&format!("{}: {name}", &line[..line.len().min(120)]), &got, &value);
    }
}

fn main() {
    let mut tally = Tally::default();
    for file in std::env::args().skip(1) {
        if file == "--self-test" {
            return self_test::print();
        }
        let text = std::fs::read_to_string(&file).unwrap_or_else(|error| panic!("{file}: {error}"));
        if file.ends_with(".json") {
            check_golden(&text, &mut tally);
        } else {
            let lines = if file.ends_with(".md") { lines_of(&text) } else { text.lines().collect() };
            lines.into_iter().for_each(|line| check_line(line, &mut tally));
        }
    }
    println!("{} equal, {} different", tally.equal, tally.different);
    std::process::exit(i32::from(tally.different > 0));
}
