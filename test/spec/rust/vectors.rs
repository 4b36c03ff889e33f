//! Computes lines of vectors.

use crate::arithmetic as a;
use crate::clip::next_clip;
use crate::correlated::Correlation;
use crate::elementwise::{self as e, Activation};
use crate::json::parse;
use crate::lattice::{choose_lattice, Choice, Lattice};
use crate::lines::{Case, Value};
use crate::model::{initial_a, rounded};
use crate::operations as o;
use crate::optimizers::Optimizer;
use crate::sha256::{hash_floats, hex, sha256};
use crate::streams::{Stream, NOISE};

impl Case {
    fn widened(&self) -> Vec<f32> {
        rounded(&self.floats("w"), &self.text("format"))
    }

    fn lattice(&self, dimension: usize, noise_spread: f64) -> Lattice {
        let flag = |name: &str| self.raw(name) == Some("1");
        let cohort = self.whole("cohort") as f64;
        choose_lattice(&Choice {
            clip: self.double("clip"),
            cohort,
            capacity: self.raw("capacity").map_or(cohort, |value| value.parse().expect("an integer")),
            dimension: dimension as f64,
            z: self.double("z"),
            stochastic: !flag("nearest"),
            rotate: flag("rotate"),
            noise_spread,
            quantile_noise: self.raw("quantile").map(|_| self.double("quantile")),
        })
    }

    fn heads(&self) -> o::Heads {
        o::Heads {
            heads: self.size("H"),
            width: self.size("D"),
            causal: self.whole("causal") == 1,
            scale: self.float("scale"),
        }
    }

    /// x, the layer norm's input, with its residual.
    fn normed(&self, bias: &[f32]) -> (Vec<f32>, o::Normed) {
        let mut x = self.floats("x");
        if let Some(residual) = self.optional("residual") {
            x.iter_mut().zip(residual).for_each(|(x, r)| *x += r);
        }
        let normed = o::layer_norm(&x, &self.floats("weight"), bias, self.float("eps"));
        (x, normed)
    }

    fn correlation(&self) -> Correlation {
        match self.text("kind").as_str() {
            "tree" => Correlation::Tree,
            "banded" => Correlation::Banded(self.doubles("first")),
            _ => Correlation::Buffers { scales: self.doubles("first"), decays: self.doubles("second") },
        }
    }

    pub fn compute(&self) -> Vec<(&'static str, Value)> {
        use Value::{Bytes, Text, Whole, F32, F64};
        let each = |f: fn(f32) -> f32| vec![("y", F32(self.floats("x").into_iter().map(f).collect()))];
        let whole = |values: Vec<u64>| Whole(values.into_iter().map(|v| v as i64).collect());
        let activation = |name: &str| Activation::named(name).expect("an activation");
        let names = ["gelu_erf", "gelu_tanh", "relu", "silu"];
        match self.operation.as_str() {
            "exp" => each(a::exp),
            "log" => each(a::log),
            "tanh" => each(a::tanh),
            "phi" => each(a::phi),
            "f16" => vec![("h", Whole(self.floats("x").iter().map(|&x| i64::from(a::to_f16(x))).collect()))],
            "bf16" => vec![("h", Whole(self.floats("x").iter().map(|&x| i64::from(a::to_bf16(x))).collect()))],
            "f16_to_f32" => vec![("x", F32(self.sizes("h").iter().map(|&h| a::from_f16(h as u16)).collect()))],
            "bf16_to_f32" => vec![("x", F32(self.sizes("h").iter().map(|&h| a::from_bf16(h as u16)).collect()))],
            name if names.contains(&name) => {
                vec![("y", F32(self.floats("x").iter().map(|&x| activation(name).forward(x)).collect()))]
            }
            "tanh_back" => vec![("dx", F32(self.back(Activation::Tanh, "y")))],
            name if name.strip_suffix("_back").is_some_and(|name| names.contains(&name)) => {
                vec![("dx", F32(self.back(activation(name.trim_end_matches("_back")), "x")))]
            }
            "matmul" => {
                let (m, n, k) = (self.size("m"), self.size("n"), self.size("k"));
                let (mut c, a, b) = (self.floats("start"), self.floats("a"), self.floats("b"));
                o::product(&mut c, m, n, k, self.float("alpha"), o::plain(&a, k), o::plain(&b, n));
                vec![("c", F32(c))]
            }
            "linear" => {
                let (m, n, k) = (self.size("M"), self.size("N"), self.size("K"));
                let mut y = o::start_of(m, n, self.optional("bias").as_deref());
                o::product(&mut y, m, n, k, 1.0, o::plain(&self.floats("x"), k), o::turned(&self.widened(), k));
                vec![("y", F32(y))]
            }
            "linear_back" => {
                let (m, n, k) = (self.size("M"), self.size("N"), self.size("K"));
                let mut dx = self.optional("start").unwrap_or(vec![0.0; m * k]);
                o::product(&mut dx, m, k, n, 1.0, o::plain(&self.floats("dy"), n), o::plain(&self.widened(), k));
                vec![("dx", F32(dx))]
            }
            "int8_quantize" => {
                let int8 = o::Int8::new(&self.floats("w"), self.size("K"));
                vec![("q", Whole(int8.w.iter().map(|&v| i64::from(v)).collect())), ("scale", F32(int8.scale))]
            }
            "int8_linear" => {
                let int8 = o::Int8::new(&self.floats("w"), self.size("K"));
                vec![("y", F32(int8.forward(&self.floats("x"), self.optional("bias").as_deref())))]
            }
            "int8_linear_back" => {
                let int8 = o::Int8::new(&self.floats("w"), self.size("K"));
                vec![("dx", F32(int8.back(&self.floats("dy"), self.optional("start").as_deref())))]
            }
            "column_sums" => {
                let mut y = vec![0.0; self.size("C")];
                o::column_sums(&mut y, &self.floats("x"));
                vec![("y", F32(y))]
            }
            "embedding" => {
                let (c, table) = (self.size("C"), self.floats("table"));
                let rows: Vec<f32> = self.sizes("ids").iter().flat_map(|id| table[id * c..][..c].to_vec()).collect();
                let start = self.optional("start");
                vec![(
                    "y",
                    F32(rows.iter().enumerate().map(|(i, &r)| start.as_ref().map_or(r, |s| s[i] + r)).collect()),
                )]
            }
            "embedding_back" => {
                let (c, dy) = (self.size("C"), self.floats("dy"));
                let mut table = vec![0.0; self.size("V") * c];
                for (m, id) in self.sizes("ids").into_iter().enumerate() {
                    o::column_sums(&mut table[id * c..][..c], &dy[m * c..][..c]);
                }
                vec![("dtable", F32(table))]
            }
            "layer_norm" => vec![("y", F32(self.normed(&self.floats("bias")).1.y))],
            "layer_norm_back" => {
                let weight = self.floats("weight");
                let zeros = vec![0.0; weight.len()];
                let (x, normed) = self.normed(&zeros);
                let (mut dweight, mut dbias) = (zeros.clone(), zeros);
                let dx = o::layer_norm_back(&x, &weight, &normed, &self.floats("dy"), &mut dweight, &mut dbias);
                vec![("dx", F32(dx)), ("dweight", F32(dweight)), ("dbias", F32(dbias))]
            }
            "attention" => {
                let [q, k, v] = ["q", "k", "v"].map(|name| self.floats(name));
                vec![("out", F32(self.heads().forward(&q, &k, &v, &self.sizes("offsets"))))]
            }
            "attention_back" => {
                let [q, k, v, dout] = ["q", "k", "v", "dout"].map(|name| self.floats(name));
                let [dq, dk, dv] = self.heads().back(&q, &k, &v, &dout, &self.sizes("offsets"));
                vec![("dq", F32(dq)), ("dk", F32(dk)), ("dv", F32(dv))]
            }
            "philox" => {
                let counter: Vec<u32> = self.wholes("counter").iter().map(|&v| v as u32).collect();
                let words = e::philox(counter.try_into().expect("four words"), self.key());
                vec![("words", Whole(words.iter().map(|&v| i64::from(v)).collect()))]
            }
            "dropout" => {
                let (rate, stream) = (self.double("rate"), self.whole("stream") as u32);
                vec![(
                    "y",
                    F32(e::dropout(&self.floats("x"), self.size("C"), self.size("first"), rate, self.key(), stream)),
                )]
            }
            "mean_pool" | "cls_pool" => {
                let mean = self.operation == "mean_pool";
                vec![("y", F32(e::pool(&self.floats("x"), self.size("C"), &self.sizes("offsets"), mean)))]
            }
            "mean_pool_back" | "cls_pool_back" => {
                let mean = self.operation == "mean_pool_back";
                vec![("dx", F32(e::pool_back(&self.floats("dy"), self.size("C"), &self.sizes("offsets"), mean)))]
            }
            "l2_normalize" => vec![("y", F32(e::l2_normalize(&self.floats("x"), self.size("C"), self.float("eps"))))],
            "l2_normalize_back" => {
                vec![(
                    "dx",
                    F32(e::l2_normalize_back(&self.floats("x"), &self.floats("dy"), self.size("C"), self.float("eps"))),
                )]
            }
            "cross_entropy" => {
                let loss = e::cross_entropy(&self.floats("logits"), self.size("V"), &self.sizes("targets"));
                vec![("losses", F32(loss.losses)), ("probabilities", F32(loss.probabilities))]
            }
            "cross_entropy_back" => {
                let (v, targets) = (self.size("V"), self.sizes("targets"));
                let loss = e::cross_entropy(&self.floats("logits"), v, &targets);
                vec![("dlogits", F32(e::cross_entropy_back(&loss.probabilities, v, &targets, self.float("weight"))))]
            }
            "sum_squares" => vec![("sum", F64(vec![a::sum_squares(&self.floats("x"))]))],
            "sgd" | "adamw" => self.optimize(),
            "canonical_json" => {
                let json = parse(&self.text("json"));
                vec![("text", Text(json.canonical())), ("hash", Bytes(hex(&json.hash())))]
            }
            "hash_array" => vec![("hash", Bytes(hash_floats(&self.floats("x"))))],
            "random" => {
                let mut random = self.random();
                vec![("u32", Whole((0..self.size("count")).map(|_| i64::from(random.u32())).collect()))]
            }
            "random_below" => {
                let (mut random, n) = (self.random(), self.whole("n") as u64);
                vec![("values", whole((0..self.size("count")).map(|_| random.below(n)).collect()))]
            }
            "shuffle" => {
                let mut items: Vec<u64> = (0..self.size("n") as u64).collect();
                self.random().shuffle(&mut items);
                vec![("items", whole(items))]
            }
            "chacha_words" => {
                let (code, index) = (self.whole("code") as u32, self.whole("index") as u32);
                let mut stream = Stream::new(&self.bytes("key"), code, index, self.whole("round") as u64);
                vec![("words", Whole((0..self.size("count")).map(|_| i64::from(stream.word())).collect()))]
            }
            "discrete_gaussian" => {
                let mut stream = Stream::new(&self.bytes("key"), NOISE, 0, self.whole("round") as u64);
                vec![(
                    "values",
                    Whole((0..self.size("count")).map(|_| stream.sample(self.whole("sigma") as u64)).collect()),
                )]
            }
            "lora_a" => {
                let all =
                    initial_a(&self.text("site"), self.size("rank"), self.size("inputs"), self.whole("seed") as u64);
                vec![("first", F32(all[..self.size("count")].to_vec()))]
            }
            "lattice" => {
                let found = self.lattice(self.size("dimension"), 1.0);
                let number = |x: f64| Whole(vec![x as i64]);
                vec![
                    ("step", F64(vec![found.step])),
                    ("length", number(found.length)),
                    ("updateClipInt", number(found.update_clip_int)),
                    ("quantileInt", number(found.quantile_int)),
                    ("clipInt", number(found.clip_int)),
                    ("sigmaInt", number(found.sigma_int)),
                    ("modulusBits", Whole(vec![i64::from(found.modulus_bits)])),
                    ("achieved", F64(vec![found.achieved])),
                    ("share", F64(vec![found.share])),
                ]
            }
            "encode" => {
                let x = self.floats("x");
                let (client, round) = (self.whole("client") as u32, self.whole("round") as u64);
                let (norm, values) = self.lattice(x.len(), 1.0).encode(&x, &self.bytes("seed"), client, round);
                vec![("norm", F64(vec![norm])), ("values", Whole(values.into_iter().map(i64::from).collect()))]
            }
            "release" => {
                let (lattice, round) = (self.lattice(self.size("dimension"), 1.0), self.whole("round") as u64);
                let total = lattice.total(&self.wholes("sum"), &self.bytes("noise"), round);
                let mean = lattice.mean(&total, &self.bytes("seed"), round);
                let mut out = vec![("total", Whole(total.clone())), ("mean", F32(mean))];
                if lattice.choice.quantile_noise.is_some() {
                    out.push(("within", F64(vec![lattice.within(&total)])));
                }
                out
            }
            "next_clip" => {
                let [clip, rate, quantile, within] =
                    ["clip", "rate", "quantile", "within"].map(|name| self.double(name));
                vec![("clip", F64(vec![next_clip(clip, rate, quantile, within)]))]
            }
            "correlated" => {
                let (correlation, rounds) = (self.correlation(), self.size("rounds"));
                let spread = correlation.spread(rounds);
                let lattice = self.lattice(self.size("dimension"), spread);
                let u = correlation.noise(&lattice, rounds, &self.bytes("noise"));
                vec![("spread", F64(vec![spread])), ("u", Whole(u))]
            }
            "commitment" => {
                vec![("hash", Bytes(hex(&sha256(&[b"sotto noise key 1\0".to_vec(), self.bytes("key")].concat()))))]
            }
            other => panic!("no operation {other}"),
        }
    }

    fn back(&self, activation: Activation, x: &str) -> Vec<f32> {
        self.floats(x).iter().zip(self.floats("dy")).map(|(&x, dy)| activation.back(x, dy)).collect()
    }

    fn key(&self) -> [u32; 2] {
        let key = self.wholes("key");
        [key[0] as u32, key[1] as u32]
    }

    fn optimize(&self) -> Vec<(&'static str, Value)> {
        let (lr, decay) = (self.double("lr"), self.double("decay"));
        let (mut p, mut v, g) = (self.floats("p"), self.floats("v"), self.floats("g"));
        if self.operation == "sgd" {
            Optimizer::Sgd { lr, momentum: self.double("momentum"), decay }.step(&mut p, &mut [], &mut v, &g, 1);
            return vec![("p", Value::F32(p)), ("v", Value::F32(v))];
        }
        let (beta1, beta2, eps) = (self.double("beta1"), self.double("beta2"), self.double("eps"));
        let mut m = self.floats("m");
        Optimizer::AdamW { lr, beta1, beta2, eps, decay }.step(&mut p, &mut m, &mut v, &g, self.whole("t") as u64);
        vec![("p", Value::F32(p)), ("m", Value::F32(m)), ("v", Value::F32(v))]
    }
}
