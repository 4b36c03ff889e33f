//! Lines of vectors, `operation name=values ... -> name=values ...`, of docs/numerics/vectors.md.

use crate::generated;
use crate::json::{number_text, parse, Json};
use crate::sha256::from_hex;
use crate::streams::{Label, Random};

pub enum Value {
    F32(Vec<f32>),
    F64(Vec<f64>),
    Whole(Vec<i64>),
    Bytes(String),
    Text(String),
}

fn joined<T>(values: &[T], one: impl Fn(&T) -> String) -> String {
    values.iter().map(one).collect::<Vec<_>>().join(",")
}

impl Value {
    /// As it is written on the pages, every NaN in one form.
    pub fn written(&self) -> String {
        match self {
            Value::F32(x) => joined(x, |v| format!("0x{:08x}", if v.is_nan() { 0x7fc00000 } else { v.to_bits() })),
            Value::F64(x) => joined(x, |v| format!("0x{:016x}", v.to_bits())),
            Value::Whole(x) => joined(x, i64::to_string),
            Value::Bytes(digits) => format!("#{digits}"),
            Value::Text(text) => Json::Text(text.encode_utf16().collect()).canonical(),
        }
    }
}

/// Parts between spaces that are not inside of a string.
fn parts(line: &str) -> Vec<String> {
    let (mut out, mut quoted, mut escaped) = (vec![String::new()], false, false);
    for c in line.trim().chars() {
        if c == ' ' && !quoted {
            out.push(String::new());
            continue;
        }
        if c == '"' && !escaped {
            quoted = !quoted;
        }
        escaped = c == '\\' && !escaped;
        out.last_mut().expect("a part").push(c);
    }
    out
}

pub struct Case {
    pub operation: String,
    inputs: Vec<(String, String)>,
}

/// An operation with its inputs, and the outputs that a line gives.
pub fn read_line(line: &str) -> (Case, Vec<(String, String)>) {
    let all = parts(line);
    let end = all.iter().position(|part| part == "->").unwrap_or(all.len());
    let pair = |part: &String| {
        part.split_once('=').map(|(name, value)| (name.to_string(), value.to_string())).expect("name=values")
    };
    let outputs = all.iter().skip(end + 1).map(pair).collect();
    (Case { operation: all[0].clone(), inputs: all[1..end].iter().map(pair).collect() }, outputs)
}

impl Case {
    pub fn raw(&self, name: &str) -> Option<&str> {
        self.inputs.iter().find(|input| input.0 == name).map(|input| input.1.as_str())
    }

    pub fn need(&self, name: &str) -> &str {
        self.raw(name).unwrap_or_else(|| panic!("{} has no {name}", self.operation))
    }

    pub fn items(&self, name: &str) -> Vec<&str> {
        self.need(name).split(',').filter(|item| !item.is_empty()).collect()
    }

    pub fn floats(&self, name: &str) -> Vec<f32> {
        if let Some(generated) = self.need(name).strip_prefix('~') {
            return generated::floats(generated);
        }
        let one = |item: &str| u32::from_str_radix(item.trim_start_matches("0x"), 16).expect("bits of an f32");
        self.items(name).into_iter().map(|item| f32::from_bits(one(item))).collect()
    }

    pub fn optional(&self, name: &str) -> Option<Vec<f32>> {
        self.raw(name).map(|_| self.floats(name))
    }

    pub fn float(&self, name: &str) -> f32 {
        self.floats(name)[0]
    }

    pub fn doubles(&self, name: &str) -> Vec<f64> {
        let one = |item: &str| u64::from_str_radix(item.trim_start_matches("0x"), 16).expect("bits of an f64");
        self.items(name).into_iter().map(|item| f64::from_bits(one(item))).collect()
    }

    pub fn double(&self, name: &str) -> f64 {
        self.doubles(name)[0]
    }

    pub fn wholes(&self, name: &str) -> Vec<i64> {
        self.items(name).into_iter().map(|item| item.parse().expect("an integer")).collect()
    }

    pub fn whole(&self, name: &str) -> i64 {
        self.wholes(name)[0]
    }

    pub fn size(&self, name: &str) -> usize {
        self.whole(name) as usize
    }

    pub fn sizes(&self, name: &str) -> Vec<usize> {
        self.wholes(name).into_iter().map(|value| value as usize).collect()
    }

    pub fn bytes(&self, name: &str) -> Vec<u8> {
        from_hex(self.need(name).trim_start_matches('#'))
    }

    pub fn text(&self, name: &str) -> String {
        parse(self.need(name)).text()
    }

    pub fn random(&self) -> Random {
        let labels = parse(&format!("[{}]", self.need("labels")));
        let label = |value: &Json| match value {
            Json::Text(units) => Label::Text(units.clone()),
            other => Label::Number(number_text(other.number())),
        };
        Random::new(&labels.list().iter().map(label).collect::<Vec<_>>())
    }
}
