//! The way back through a pass: its operations in exactly the reverse order, each gradient collected in that order.

use std::collections::HashMap;

use crate::elementwise::{self as e, Activation};
use crate::graph::{columns_of, Operation, Pass, Value};
use crate::operations::{self as o, column_sums, plain, product, turned};

/// By the names of tensors.
pub type Gradients = HashMap<String, Vec<f32>>;

fn added(to: &mut Option<Vec<f32>>, contribution: Vec<f32>) {
    match to {
        Some(so_far) => so_far.iter_mut().zip(contribution).for_each(|(a, b)| *a += b),
        None => *to = Some(contribution),
    }
}

impl Pass<'_> {
    /// The gradients of the tensors that `trained` names, from that of the last value.
    pub fn back(&self, gradient: Vec<f32>, trained: &dyn Fn(&str) -> bool) -> Gradients {
        let mut d: Vec<Option<Vec<f32>>> = vec![None; self.values.len()];
        let mut tensors = Gradients::new();
        d[self.values.len() - 1] = Some(gradient);
        for node in (0..self.values.len()).rev() {
            let Some(dy) = d[node].take() else { continue };
            let Value { operation, columns, data } = &self.values[node];
            match operation {
                Operation::Embed { tables } => {
                    for (name, ids) in tables.iter().filter(|(name, _)| trained(name)) {
                        let table =
                            tensors.entry(name.clone()).or_insert_with(|| vec![0.0; self.model.data(name).len()]);
                        for (m, id) in ids.iter().enumerate() {
                            column_sums(&mut table[id * columns..][..*columns], &dy[m * columns..][..*columns]);
                        }
                    }
                }
                Operation::Norm { x, residual, name, sum, normed } => {
                    let weight = self.model.data(&format!("{name}.weight"));
                    let (mut dweight, mut dbias) = (vec![0.0; *columns], vec![0.0; *columns]);
                    let dx = o::layer_norm_back(sum, weight, normed, &dy, &mut dweight, &mut dbias);
                    if trained(&format!("{name}.weight")) {
                        tensors.insert(format!("{name}.weight"), dweight);
                        tensors.insert(format!("{name}.bias"), dbias);
                    }
                    residual.iter().for_each(|&residual| added(&mut d[residual], dx.clone()));
                    added(&mut d[*x], dx);
                }
                Operation::Linear { x, site, u } => {
                    let so_far = d[*x].take();
                    d[*x] = Some(self.linear_back(self.data(*x), site, u, &dy, so_far, trained, &mut tensors));
                }
                Operation::Attend { from, heads } => {
                    let [q, k, v] =
                        from.map(|(node, first)| columns_of(self.data(node), self.columns(node), first, *columns));
                    let out = heads.back(&q, &k, &v, &dy, &self.offsets);
                    for ((node, first), part) in from.iter().zip(out) {
                        let all = self.columns(*node);
                        let whole = d[*node].get_or_insert_with(|| vec![0.0; self.values[*node].data.len()]);
                        for (m, row) in part.chunks(*columns).enumerate() {
                            whole[m * all + first..][..*columns].copy_from_slice(row);
                        }
                    }
                }
                Operation::Activate { x, activation } => {
                    let input = if *activation == Activation::Tanh { data } else { self.data(*x) };
                    added(&mut d[*x], input.iter().zip(&dy).map(|(&x, &dy)| activation.back(x, dy)).collect());
                }
                Operation::Drop { x, stream } => {
                    let (rate, key) = self.dropout.expect("dropout");
                    added(&mut d[*x], e::dropout(&dy, *columns, 0, rate, key, *stream));
                }
                Operation::Add { a, b } => {
                    added(&mut d[*a], dy.clone());
                    added(&mut d[*b], dy);
                }
                Operation::Shift { x } => added(&mut d[*x], dy),
                Operation::Pool { x } => added(&mut d[*x], e::pool_back(&dy, *columns, &self.offsets, self.model.mean)),
                Operation::Normalize { x } => {
                    added(&mut d[*x], e::l2_normalize_back(self.data(*x), &dy, *columns, self.model.eps));
                }
            }
        }
        tensors
    }

    #[allow(clippy::too_many_arguments)]
    fn linear_back(
        &self,
        x: &[f32],
        site: &str,
        u: &[f32],
        dy: &[f32],
        so_far: Option<Vec<f32>>,
        trained: &dyn Fn(&str) -> bool,
        tensors: &mut Gradients,
    ) -> Vec<f32> {
        let (n, k) = self.model.shape(site);
        let (m, name) = (x.len() / k, format!("{site}.weight"));
        if trained(&name) {
            let (mut dw, mut dbias) = (vec![0.0; n * k], vec![0.0; n]);
            product(&mut dw, n, k, m, 1.0, turned(dy, n), plain(x, k));
            column_sums(&mut dbias, dy);
            tensors.insert(name.clone(), dw);
            tensors.insert(format!("{site}.bias"), dbias);
        }
        let mut dx = match self.model.int8.get(&name) {
            Some(int8) => int8.back(dy, so_far.as_deref()),
            None => {
                let mut dx = so_far.unwrap_or_else(|| vec![0.0; m * k]);
                product(&mut dx, m, k, n, 1.0, plain(dy, n), plain(self.model.data(&name), k));
                dx
            }
        };
        if let Some(a) = self.model.tensors.get(&format!("{site}.lora_A")) {
            let (rank, scale) = self.branch;
            let bt = self.model.data(&format!("{site}.lora_B"));
            let (mut t, mut da, mut dbt) = (vec![0.0; m * rank], vec![0.0; rank * k], vec![0.0; rank * n]);
            product(&mut dbt, rank, n, m, scale, turned(u, rank), plain(dy, n));
            product(&mut t, m, rank, n, 1.0, plain(dy, n), turned(bt, n));
            product(&mut da, rank, k, m, scale, turned(&t, rank), plain(x, k));
            product(&mut dx, m, k, rank, scale, plain(&t, rank), plain(&a.data, k));
            tensors.insert(format!("{site}.lora_A"), da);
            tensors.insert(format!("{site}.lora_B"), dbt);
        }
        dx
    }
}
