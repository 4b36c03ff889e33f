//! Models: their files, the formats of their weights, and their tensors by name.

use std::collections::HashMap;

use crate::arithmetic as a;
use crate::elementwise::Activation;
use crate::generated::drawn;
use crate::json::{parse, Json};
use crate::operations::Int8;
use crate::streams::{whole, word, Random};

#[derive(Clone)]
pub struct Tensor {
    pub columns: usize,
    pub data: Vec<f32>,
}

impl Tensor {
    pub fn rows(&self) -> usize {
        self.data.len() / self.columns
    }
}

pub type Tensors = HashMap<String, Tensor>;

/// Values rounded to a format of storage, and widened.
pub fn rounded(w: &[f32], format: &str) -> Vec<f32> {
    match format {
        "f16" => w.iter().map(|&v| a::from_f16(a::to_f16(v))).collect(),
        "bf16" => w.iter().map(|&v| a::from_bf16(a::to_bf16(v))).collect(),
        _ => w.to_vec(),
    }
}

/// A tensor of a file, its values widened or rounded to f32.
struct Stored {
    name: String,
    dtype: String,
    shape: Vec<usize>,
    data: Vec<f32>,
}

fn read_safetensors(path: &str) -> Vec<Stored> {
    let bytes = std::fs::read(path).unwrap_or_else(|error| panic!("{path}: {error}"));
    let length = u64::from_le_bytes(bytes[..8].try_into().expect("8 bytes")) as usize;
    let header = parse(std::str::from_utf8(&bytes[8..8 + length]).expect("UTF-8"));
    let data = &bytes[8 + length..];
    let mut out = vec![];
    for (name, entry) in header.entries() {
        if name == "__metadata__" {
            continue;
        }
        let at = entry.at("data_offsets").numbers();
        let bytes = &data[at[0] as usize..at[1] as usize];
        let dtype = entry.at("dtype").text();
        let values = match dtype.as_str() {
            "F32" => bytes.chunks(4).map(|b| f32::from_le_bytes(b.try_into().expect("4 bytes"))).collect(),
            "F64" => bytes.chunks(8).map(|b| f64::from_le_bytes(b.try_into().expect("8 bytes")) as f32).collect(),
            "F16" => bytes.chunks(2).map(|b| a::from_f16(u16::from_le_bytes([b[0], b[1]]))).collect(),
            "BF16" => bytes.chunks(2).map(|b| a::from_bf16(u16::from_le_bytes([b[0], b[1]]))).collect(),
            "I8" => bytes.iter().map(|&b| f32::from(b as i8)).collect(),
            _ => continue,
        };
        let shape = entry.at("shape").numbers().into_iter().map(|n| n as usize).collect();
        out.push(Stored { name, dtype, shape, data: values });
    }
    out
}

#[derive(Clone, Copy, PartialEq)]
pub enum Family {
    Bert,
    Distilbert,
    UseLite,
}

pub struct Model {
    pub family: Family,
    pub heads: usize,
    pub layers: usize,
    pub eps: f32,
    pub activation: Activation,
    pub position_offset: usize,
    pub mean: bool,
    /// All but the linear weights of int8; `head.` and the factors too, once there are any.
    pub tensors: Tensors,
    pub int8: HashMap<String, Int8>,
}

pub struct Formats<'a> {
    pub weights: &'a str,
    pub embeddings: Option<&'a str>,
}

impl Model {
    /// A folder of a checkpoint. `pooling` is mean or cls.
    pub fn load(folder: &str, formats: &Formats, pooling: &str) -> Model {
        let config = parse(&std::fs::read_to_string(format!("{folder}/config.json")).expect("config.json"));
        let kind = config.at("model_type").text();
        let stored = read_safetensors(&format!("{folder}/model.safetensors"));
        if kind == "universal-sentence-encoder-lite" {
            return Model::of_use_lite(stored, formats);
        }
        let short = |name: &str| {
            ["bert.", "roberta.", "distilbert."]
                .iter()
                .fold(name.to_string(), |name, prefix| name.strip_prefix(prefix).map_or(name.clone(), String::from))
        };
        let tensors = stored.into_iter().map(|tensor| Stored { name: short(&tensor.name), ..tensor }).collect();
        Model::of_bert(&config, tensors, formats, pooling)
    }

    /// A model of f32 tensors, each with its name and shape.
    pub fn of_config(
        config: &Json,
        tensors: Vec<(String, Vec<usize>, Vec<f32>)>,
        formats: &Formats,
        pooling: &str,
    ) -> Model {
        let stored = |(name, shape, data)| Stored { name, dtype: "F32".into(), shape, data };
        Model::of_bert(config, tensors.into_iter().map(stored).collect(), formats, pooling)
    }

    fn of_bert(config: &Json, stored: Vec<Stored>, formats: &Formats, pooling: &str) -> Model {
        let kind = config.at("model_type").text();
        let distilbert = kind == "distilbert";
        let name = |long: &str, short: &str| config.get(if distilbert { short } else { long });
        let eps = if distilbert { None } else { config.get("layer_norm_eps") };
        let activation = name("hidden_act", "activation").map_or("gelu".into(), |value| value.text());
        let pad = config.get("pad_token_id").map_or(1.0, |value| value.number()) as usize;
        let mut model = Model {
            family: if distilbert { Family::Distilbert } else { Family::Bert },
            heads: name("num_attention_heads", "n_heads").expect("a number of heads").number() as usize,
            layers: name("num_hidden_layers", "n_layers").expect("a number of layers").number() as usize,
            eps: eps.map_or(1e-12, |value| value.number()) as f32,
            activation: Activation::named(&activation).expect("an activation"),
            position_offset: if kind == "bert" || distilbert { 0 } else { pad + 1 },
            mean: pooling != "cls",
            tensors: Tensors::new(),
            int8: HashMap::new(),
        };
        model.take(stored, formats);
        model
    }

    /// The small Universal Sentence Encoder Lite that the vectors make up.
    pub fn made_up(formats: &Formats) -> Model {
        let (narrow, wide, inner) = (16, 24, 40);
        let mut shapes =
            vec![("embeddings".to_string(), vec![61, narrow]), ("timing.rates".into(), vec![1, narrow / 2])];
        let mut add = |name: String, shape: &[usize]| {
            shapes.push((format!("{name}.weight"), shape.to_vec()));
            shapes.push((format!("{name}.bias"), vec![shape[0]]));
        };
        for (i, inputs) in [narrow, wide].into_iter().enumerate() {
            add(format!("layer.{i}.norm"), &[inputs]);
            add(format!("layer.{i}.qkv"), &[3 * inputs, inputs]);
            add(format!("layer.{i}.output"), &[wide, inputs]);
            if inputs != wide {
                add(format!("layer.{i}.residual"), &[wide, inputs]);
            }
            add(format!("layer.{i}.inner_norm"), &[wide]);
            add(format!("layer.{i}.up"), &[inner, wide]);
            add(format!("layer.{i}.down"), &[wide, inner]);
        }
        add("tanh".into(), &[wide, wide]);
        let values = |name: &str, count: usize| drawn(&[word("weights"), word(name)], count, 0.5);
        let all = shapes.into_iter().map(|(name, shape)| {
            let data = values(&name, shape.iter().product());
            Stored { name, dtype: "F32".into(), shape, data }
        });
        Model::of_use_lite(all.collect(), formats)
    }

    fn of_use_lite(stored: Vec<Stored>, formats: &Formats) -> Model {
        let mut model = Model {
            family: Family::UseLite,
            heads: 4,
            layers: 2,
            eps: 1e-6,
            activation: Activation::Relu,
            position_offset: 0,
            mean: true,
            tensors: Tensors::new(),
            int8: HashMap::new(),
        };
        model.take(stored, formats);
        model
    }

    /// Brings frozen weights and tables to their formats.
    fn take(&mut self, stored: Vec<Stored>, formats: &Formats) {
        let format_of = |dtype: &str, asked: &str| match (asked, dtype) {
            ("stored", "F16") => "f16".to_string(),
            ("stored", "BF16") => "bf16".into(),
            ("stored", "I8") => "int8".into(),
            ("stored", _) => "f32".into(),
            (asked, _) => asked.into(),
        };
        let scales: HashMap<String, Vec<f32>> = stored
            .iter()
            .filter_map(|tensor| Some((tensor.name.strip_suffix("_scale")?.to_string(), tensor.data.clone())))
            .collect();
        for Stored { name, dtype, shape, data } in stored {
            let columns = shape.last().copied().unwrap_or(1);
            let table = name == "embeddings" || name.ends_with("_embeddings.weight");
            let linear = shape.len() == 2 && !table && name.ends_with(".weight");
            let asked =
                format_of(&dtype, if table { formats.embeddings.unwrap_or(formats.weights) } else { formats.weights });
            let format = if table && asked == "bf16" { "f32" } else { &asked };
            let ready = if dtype == "I8" {
                let w = data.iter().map(|&v| v as i32).collect();
                Some(Int8 { w, scale: scales[&name].clone(), inputs: columns })
            } else if format == "int8" && (table || linear) {
                Some(Int8::new(&data, columns))
            } else {
                None
            };
            let data = ready.as_ref().map_or(data, Int8::widened);
            match ready {
                Some(int8) if format == "int8" && linear => {
                    self.int8.insert(name, int8);
                }
                _ if linear || table => {
                    self.tensors.insert(name, Tensor { columns, data: rounded(&data, format) });
                }
                _ if shape.len() == 1 => {
                    self.tensors.insert(name, Tensor { columns: 1, data });
                }
                _ => {
                    self.tensors.insert(name, Tensor { columns, data });
                }
            }
        }
    }

    pub fn data(&self, name: &str) -> &[f32] {
        &self.tensors.get(name).unwrap_or_else(|| panic!("no tensor {name}")).data
    }

    /// Rows and columns of a linear weight.
    pub fn shape(&self, site: &str) -> (usize, usize) {
        let name = format!("{site}.weight");
        match self.int8.get(&name) {
            Some(int8) => (int8.scale.len(), int8.inputs),
            None => (self.tensors[&name].rows(), self.tensors[&name].columns),
        }
    }
}

/// First values of the factor A.
pub fn initial_a(site: &str, rank: usize, inputs: usize, seed: u64) -> Vec<f32> {
    let mut random = Random::new(&[word("lora_A"), whole(seed), word(site)]);
    let root = 1.0 / (inputs as f64).sqrt();
    (0..rank * inputs).map(|_| ((2.0 * random.uniform() - 1.0) * root) as f32).collect()
}
