//! The quick self-test of docs/numerics/self-test.md, whose hash `sotto doctor` prints: functions, sums, products.

use crate::arithmetic as a;
use crate::elementwise::Activation;
use crate::encoders::sine_and_cosine;
use crate::json::{text, Json};
use crate::operations::{product, strided};
use crate::optimizers::Optimizer;
use crate::sink::{any_bits, special, uniform, Sink};
use crate::streams::{whole, word, Random};

type Part = (String, Sink);

fn part(name: &str, fill: impl FnOnce(&mut Sink)) -> Part {
    let mut sink = Sink::default();
    fill(&mut sink);
    (name.to_string(), sink)
}

fn random(sink: &mut Sink) {
    for label in 0..20 {
        let mut random = Random::new(&[word("selftest"), whole(label), word("\u{e9}\u{6f22}")]);
        sink.i32(&(0..50).map(|_| random.u32() as i32).collect::<Vec<_>>());
        sink.f64(&(0..50).map(|_| random.uniform()).collect::<Vec<_>>());
        sink.i32(&(0..50).map(|_| random.below(1000003) as i32).collect::<Vec<_>>());
        let mut items: Vec<i32> = (0..37).collect();
        random.shuffle(&mut items);
        sink.i32(&items);
    }
}

fn trigonometry(sink: &mut Sink) {
    let angles: Vec<f64> = (0..2000).map(|i| f64::from((f64::from(i * i) / 97.0) as f32)).collect();
    let (sines, cosines): (Vec<f64>, Vec<f64>) = angles.into_iter().map(sine_and_cosine).unzip();
    sink.f64(&[sines, cosines].concat());
}

fn narrow_floats(sink: &mut Sink) {
    let values: Vec<f32> = [special(), any_bits("narrow", 2000)].concat().into_iter().filter(|x| !x.is_nan()).collect();
    let formats: [(fn(f32) -> u16, fn(u16) -> f32); 2] = [(a::to_f16, a::from_f16), (a::to_bf16, a::from_bf16)];
    for (narrow, wide) in formats {
        let halves: Vec<u16> = values.iter().map(|&x| narrow(x)).collect();
        sink.bytes(halves.iter().flat_map(|h| h.to_le_bytes()).collect());
        sink.f32(&halves.into_iter().map(wide).collect::<Vec<_>>());
    }
}

fn padded(values: impl Iterator<Item = f32>) -> Vec<f32> {
    values.chain([0.0; 4]).collect()
}

fn unary(sink: &mut Sink, f: impl Fn(f32) -> f32) {
    let mut inputs =
        vec![special(), any_bits("functions", 4096), uniform("near", 2048, 4.0), uniform("wide", 2048, 110.0)];
    inputs.extend((0..18).map(|n| uniform(&format!("remainder {n}"), n, 3.0)));
    inputs.into_iter().for_each(|x| sink.f32(&padded(x.into_iter().map(&f))));
}

fn binary(sink: &mut Sink, f: impl Fn(f32, f32) -> f32) {
    let s = special();
    let n = s.len();
    let first = (0..n * n).map(|i| s[i % n]).collect();
    let second = (0..n * n).map(|i| s[i / n]).collect();
    let mut cases = vec![(first, second), (any_bits("left", 4096), any_bits("right", 4096))];
    cases.extend((0..18).map(|n| (uniform(&format!("a {n}"), n, 1.0), uniform(&format!("b {n}"), n, 1.0))));
    cases.into_iter().for_each(|(x, y)| sink.f32(&padded(x.into_iter().zip(y).map(|(x, y)| f(x, y)))));
}

fn sum4(terms: impl Iterator<Item = f64>) -> f64 {
    let mut s = [0f64; 4];
    terms.enumerate().for_each(|(i, term)| s[i % 4] += term);
    (s[0] + s[1]) + (s[2] + s[3])
}

fn reduce(sink: &mut Sink) {
    let numbers = |x: Vec<f32>| x.into_iter().filter(|x| f64::from(x.abs()) <= 3e38).collect::<Vec<_>>();
    let mut arrays = vec![special(), numbers(special()), numbers(any_bits("sum", 1000)), uniform("long", 10007, 1.0)];
    arrays.extend((0..36).map(|n| uniform(&format!("sum {n}"), n, [1.0, 10.0, 1e3, 1e5][n % 4])));
    for x in arrays {
        let other = uniform("other", x.len(), 1.0);
        let squares = a::sum_squares(&x);
        let largest = x.iter().fold(0f32, |top, v| if top < v.abs() { v.abs() } else { top });
        let bad = x.iter().position(|v| !v.is_finite()).map_or(-1.0, |i| i as f64);
        let sum = sum4(x.iter().map(|&v| f64::from(v)));
        let dot = sum4(x.iter().zip(&other).map(|(&a, &b)| f64::from(a) * f64::from(b)));
        sink.f64(&[sum, squares, dot, f64::from(largest), bad, squares]);
    }
}

fn optimizers(sink: &mut Sink) {
    for n in 1..=18 {
        let size = [1.0, 0.1, 1e-2, 1e-4][n % 4];
        let (mut p, mut m, mut v) = (uniform(&format!("param {n}"), n, 1.0), vec![0.0; n], vec![0.0; n]);
        for step in 1..=3 {
            let g = uniform(&format!("grad {n} {step}"), n, size);
            Optimizer::Sgd { lr: 0.05, momentum: 0.9, decay: 0.01 }.step(&mut p, &mut [], &mut m, &g, step);
            sink.f32(&p);
            sink.f32(&m);
        }
        m.fill(0.0);
        for step in 1..=3 {
            let g = uniform(&format!("adam {n} {step}"), n, size);
            let adamw = Optimizer::AdamW { lr: 1e-3, beta1: 0.9, beta2: 0.999, eps: 1e-8, decay: 0.01 };
            adamw.step(&mut p, &mut m, &mut v, &g, step);
            [&p, &m, &v].into_iter().for_each(|values| sink.f32(values));
        }
    }
}

fn small_products(sink: &mut Sink) {
    for _ in 0..2 {
        for (a_rows, b_rows) in [(true, false), (true, true), (false, true), (false, false)] {
            let [a, b, mut c, bias] =
                [("A", 21), ("B", 30), ("C", 84), ("bias", 10)].map(|(name, n)| uniform(name, n, 3.0));
            for i in 0..210 {
                let (m, n, k) = (1 + i % 7, 1 + (i / 7) % 10, 1 + i / 70);
                let (gap, from) = ((m + n) % 3, (m + n + k) % 3);
                let mut out: Vec<f32> = (0..m * n)
                    .map(|i| match from {
                        0 => 0.0,
                        1 => c[(i / n) * (n + gap) + i % n],
                        _ => bias[i % n],
                    })
                    .collect();
                let left = if a_rows { strided(&a, k, 1) } else { strided(&a, 1, m) };
                let right = if b_rows { strided(&b, n, 1) } else { strided(&b, 1, k) };
                product(&mut out, m, n, k, if k % 2 == 0 { 1.0 } else { -0.3 }, left, right);
                (0..m * n).for_each(|i| c[(i / n) * (n + gap) + i % n] = out[i]);
                sink.f32(&c[..m * (n + gap)]);
            }
        }
    }
}

/// All parts, in their order.
fn parts() -> Vec<Part> {
    let forward: [(&str, fn(f32) -> f32); 8] = [
        ("exp", a::exp),
        ("log", a::log),
        ("phi", a::phi),
        ("gelu_erf", |x| Activation::Gelu.forward(x)),
        ("gelu_tanh", |x| Activation::GeluTanh.forward(x)),
        ("relu", |x| Activation::Relu.forward(x)),
        ("silu", |x| Activation::Silu.forward(x)),
        ("tanh", a::tanh),
    ];
    let backward = [
        ("gelu_erf", Activation::Gelu),
        ("gelu_tanh", Activation::GeluTanh),
        ("relu", Activation::Relu),
        ("silu", Activation::Silu),
        ("tanh", Activation::Tanh),
    ];
    let mut all = vec![
        part("javascript/random", random),
        part("javascript/trigonometry", trigonometry),
        part("javascript/narrow floats", narrow_floats),
    ];
    all.extend(forward.map(|(name, f)| part(&format!("kernel/{name}_forward"), |sink| unary(sink, f))));
    all.extend(
        backward.map(|(name, f)| part(&format!("kernel/{name}_backward"), |sink| binary(sink, |dy, x| f.back(x, dy)))),
    );
    all.push(part("kernel/multiply", |sink| binary(sink, |a, b| a * b)));
    all.push(part("kernel/add", |sink| binary(sink, |a, b| a + b)));
    all.push(part("kernel/reduce", reduce));
    all.push(part("kernel/optimizer", optimizers));
    all.push(part("kernel/matmul small", small_products));
    all.extend(crate::self_test_privacy::PARTS.map(|(name, fill)| part(name, fill)));
    all.push(part("train/bert lora f32, six steps", crate::self_test_training::six_steps));
    all
}

/// Prints the hash of each part, and that of the whole quick self-test.
pub fn print() {
    let hashes: Vec<(String, String)> = parts().into_iter().map(|(name, sink)| (name, sink.digest())).collect();
    hashes.iter().for_each(|(name, hash)| println!("{hash} {name}"));
    let pairs = hashes.iter().map(|(name, hash)| Json::List(vec![text(name), text(hash)])).collect();
    let all = vec![("numerics", Json::Number(1.0)), ("level", text("quick")), ("parts", Json::List(pairs))];
    println!("{} quick", crate::sha256::hex(&crate::json::object(all).hash()));
}
