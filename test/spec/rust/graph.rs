//! A pass: operations in the order of the way forward. The way back is in backward.rs.

use crate::elementwise::{self as e, Activation};
use crate::model::Model;
use crate::operations::{self as o, plain, product, start_of, turned, Heads, Normed};

pub type Node = usize;

pub enum Operation {
    Embed {
        tables: Vec<(String, Vec<usize>)>,
    },
    Norm {
        x: Node,
        residual: Option<Node>,
        name: String,
        sum: Vec<f32>,
        normed: Normed,
    },
    Linear {
        x: Node,
        site: String,
        u: Vec<f32>,
    },
    /// Query, key and value: nodes with the first column of each.
    Attend {
        from: [(Node, usize); 3],
        heads: Heads,
    },
    Activate {
        x: Node,
        activation: Activation,
    },
    Drop {
        x: Node,
        stream: u32,
    },
    Add {
        a: Node,
        b: Node,
    },
    /// A constant is added.
    Shift {
        x: Node,
    },
    Pool {
        x: Node,
    },
    Normalize {
        x: Node,
    },
}

pub struct Value {
    pub operation: Operation,
    pub columns: usize,
    pub data: Vec<f32>,
}

pub struct Pass<'a> {
    pub model: &'a Model,
    pub offsets: Vec<usize>,
    /// The rank that is read, and the factor of the branch.
    pub branch: (usize, f32),
    pub dropout: Option<(f64, [u32; 2])>,
    streams: u32,
    pub values: Vec<Value>,
}

/// Columns `from .. from + width` of a matrix.
pub fn columns_of(data: &[f32], columns: usize, from: usize, width: usize) -> Vec<f32> {
    data.chunks(columns).flat_map(|row| row[from..from + width].to_vec()).collect()
}

impl<'a> Pass<'a> {
    pub fn new(
        model: &'a Model,
        offsets: Vec<usize>,
        branch: (usize, f32),
        dropout: Option<(f64, [u32; 2])>,
    ) -> Pass<'a> {
        Pass { model, offsets, branch, dropout, streams: 0, values: vec![] }
    }

    pub fn data(&self, node: Node) -> &[f32] {
        &self.values[node].data
    }

    fn rows(&self, node: Node) -> usize {
        self.values[node].data.len() / self.values[node].columns
    }

    pub fn columns(&self, node: Node) -> usize {
        self.values[node].columns
    }

    fn push(&mut self, operation: Operation, columns: usize, data: Vec<f32>) -> Node {
        self.values.push(Value { operation, columns, data });
        self.values.len() - 1
    }

    pub fn embed(&mut self, tables: Vec<(String, Vec<usize>)>) -> Node {
        let columns = self.model.tensors[&tables[0].0].columns;
        let mut data: Vec<f32> = vec![];
        for (t, (name, ids)) in tables.iter().enumerate() {
            let table = self.model.data(name);
            let rows = ids.iter().flat_map(|id| table[id * columns..][..columns].iter().copied());
            if t == 0 {
                data = rows.collect();
            } else {
                data.iter_mut().zip(rows).for_each(|(y, v)| *y += v);
            }
        }
        self.push(Operation::Embed { tables }, columns, data)
    }

    pub fn norm(&mut self, x: Node, residual: Option<Node>, name: &str) -> Node {
        let mut sum = self.data(x).to_vec();
        if let Some(residual) = residual {
            sum.iter_mut().zip(self.data(residual)).for_each(|(a, b)| *a += b);
        }
        let [weight, bias] = ["weight", "bias"].map(|part| self.model.data(&format!("{name}.{part}")));
        let mut normed = o::layer_norm(&sum, weight, bias, self.model.eps);
        let y = std::mem::take(&mut normed.y);
        self.push(Operation::Norm { x, residual, name: name.into(), sum, normed }, self.columns(x), y)
    }

    pub fn linear(&mut self, x: Node, site: &str) -> Node {
        let (m, (n, k)) = (self.rows(x), self.model.shape(site));
        let name = format!("{site}.weight");
        let (input, bias) = (self.data(x), Some(self.model.data(&format!("{site}.bias"))));
        let mut y = match self.model.int8.get(&name) {
            Some(int8) => int8.forward(input, bias),
            None => {
                let mut y = start_of(m, n, bias);
                product(&mut y, m, n, k, 1.0, plain(input, k), turned(self.model.data(&name), k));
                y
            }
        };
        let mut u = vec![];
        if let Some(a) = self.model.tensors.get(&format!("{site}.lora_A")) {
            let (rank, scale) = self.branch;
            u = vec![0.0; m * rank];
            product(&mut u, m, rank, k, 1.0, plain(input, k), turned(&a.data, k));
            product(&mut y, m, n, rank, scale, plain(&u, rank), plain(self.model.data(&format!("{site}.lora_B")), n));
        }
        self.push(Operation::Linear { x, site: site.into(), u }, n, y)
    }

    pub fn attend(&mut self, from: [(Node, usize); 3], columns: usize) -> Node {
        let width = columns / self.model.heads;
        let scale = (1.0 / (width as f64).sqrt()) as f32;
        let heads = Heads { heads: self.model.heads, width, causal: false, scale };
        let [q, k, v] = from.map(|(node, first)| columns_of(self.data(node), self.columns(node), first, columns));
        let data = heads.forward(&q, &k, &v, &self.offsets);
        self.push(Operation::Attend { from, heads }, columns, data)
    }

    pub fn activate(&mut self, x: Node, activation: Activation) -> Node {
        let data = self.data(x).iter().map(|&v| activation.forward(v)).collect();
        self.push(Operation::Activate { x, activation }, self.columns(x), data)
    }

    pub fn drop(&mut self, x: Node) -> Node {
        let Some((rate, key)) = self.dropout else { return x };
        let (stream, columns) = (self.streams, self.columns(x));
        self.streams += 1;
        let data = e::dropout(self.data(x), columns, 0, rate, key, stream);
        self.push(Operation::Drop { x, stream }, columns, data)
    }

    pub fn add(&mut self, a: Node, b: Node) -> Node {
        let data = self.data(a).iter().zip(self.data(b)).map(|(a, b)| a + b).collect();
        self.push(Operation::Add { a, b }, self.columns(a), data)
    }

    pub fn shift(&mut self, x: Node, constant: &[f32]) -> Node {
        let data = self.data(x).iter().zip(constant).map(|(a, b)| a + b).collect();
        self.push(Operation::Shift { x }, self.columns(x), data)
    }

    pub fn pool(&mut self, x: Node) -> Node {
        let data = e::pool(self.data(x), self.columns(x), &self.offsets, self.model.mean);
        self.push(Operation::Pool { x }, self.columns(x), data)
    }

    pub fn normalize(&mut self, x: Node) -> Node {
        let data = e::l2_normalize(self.data(x), self.columns(x), self.model.eps);
        self.push(Operation::Normalize { x }, self.columns(x), data)
    }
}
