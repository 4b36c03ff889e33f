//! The operations of docs/numerics/operations.md.

use crate::arithmetic::{exp, sum4};

/// A matrix of which row and column are found by steps: `at(i, j) = data[i * row + j * column]`.
#[derive(Clone, Copy)]
pub struct View<'a> {
    pub data: &'a [f32],
    row: usize,
    column: usize,
}

/// `at(i, j) = data[i * row + j * column]`.
pub fn strided(data: &[f32], row: usize, column: usize) -> View<'_> {
    View { data, row, column }
}

pub fn plain(data: &[f32], columns: usize) -> View<'_> {
    View { data, row: columns, column: 1 }
}

/// The transpose of a matrix that is stored with `columns` columns.
pub fn turned(data: &[f32], columns: usize) -> View<'_> {
    View { data, row: 1, column: columns }
}

/// c = start, then over p ascending c + ((alpha * a) * b), in place.
pub fn product(c: &mut [f32], m: usize, n: usize, k: usize, alpha: f32, a: View, b: View) {
    for i in 0..m {
        for p in 0..k {
            let left = alpha * a.data[i * a.row + p * a.column];
            for j in 0..n {
                c[i * n + j] += left * b.data[p * b.row + j * b.column];
            }
        }
    }
}

/// `rows` copies of a bias, or zeros.
pub fn start_of(rows: usize, columns: usize, bias: Option<&[f32]>) -> Vec<f32> {
    match bias {
        Some(bias) => (0..rows * columns).map(|i| bias[i % columns]).collect(),
        None => vec![0.0; rows * columns],
    }
}

pub fn column_sums(out: &mut [f32], x: &[f32]) {
    let columns = out.len();
    for (i, &v) in x.iter().enumerate() {
        out[i % columns] += v;
    }
}

/// Rows of `columns` numbers brought to integers up to `limit`, one scale a row.
pub fn to_integers(z: &[f32], columns: usize, limit: f32) -> (Vec<i32>, Vec<f32>) {
    let (mut integers, mut scales) = (Vec::with_capacity(z.len()), Vec::new());
    for row in z.chunks(columns) {
        let top = row.iter().fold(0f32, |top, &v| if top < v.abs() { v.abs() } else { top });
        if row.iter().any(|v| !v.is_finite()) {
            integers.extend(row.iter().map(|_| 0));
            scales.push(f32::NAN);
        } else if top >= f32::from_bits((127 - 110) << 23) {
            let factor = limit / top;
            integers.extend(row.iter().map(|&v| (v * factor).round_ties_even() as i32));
            scales.push(top / limit);
        } else {
            integers.extend(row.iter().map(|_| 0));
            scales.push(0.0);
        }
    }
    (integers, scales)
}

pub fn limit_of(terms: usize) -> f32 {
    ((i64::from(i32::MAX) / (127 * terms as i64)).min(32767)) as f32
}

#[derive(Clone)]
pub struct Int8 {
    pub w: Vec<i32>,
    pub scale: Vec<f32>,
    pub inputs: usize,
}

impl Int8 {
    pub fn new(w: &[f32], inputs: usize) -> Int8 {
        let (w, scale) = to_integers(w, inputs, 127.0);
        Int8 { w, scale, inputs }
    }

    pub fn widened(&self) -> Vec<f32> {
        self.w.iter().enumerate().map(|(i, &w)| w as f32 * self.scale[i / self.inputs]).collect()
    }

    pub fn forward(&self, x: &[f32], bias: Option<&[f32]>) -> Vec<f32> {
        let (k, n) = (self.inputs, self.scale.len());
        let (q, r) = to_integers(x, k, limit_of(k));
        let mut y = Vec::with_capacity(r.len() * n);
        for m in 0..r.len() {
            for j in 0..n {
                let sum: i64 = (0..k).map(|p| i64::from(q[m * k + p]) * i64::from(self.w[j * k + p])).sum();
                let value = (sum as f32 * self.scale[j]) * r[m];
                y.push(bias.map_or(value, |bias| value + bias[j]));
            }
        }
        y
    }

    pub fn back(&self, dy: &[f32], so_far: Option<&[f32]>) -> Vec<f32> {
        let (k, n) = (self.inputs, self.scale.len());
        let z: Vec<f32> = dy.iter().enumerate().map(|(i, &v)| v * self.scale[i % n]).collect();
        let (q, r) = to_integers(&z, n, limit_of(n));
        let mut dx = Vec::with_capacity(r.len() * k);
        for m in 0..r.len() {
            for p in 0..k {
                let sum: i64 = (0..n).map(|j| i64::from(q[m * n + j]) * i64::from(self.w[j * k + p])).sum();
                let value = sum as f32 * r[m];
                dx.push(so_far.map_or(value, |before| value + before[m * k + p]));
            }
        }
        dx
    }
}

pub struct Normed {
    pub y: Vec<f32>,
    pub mean: Vec<f32>,
    pub rstd: Vec<f32>,
}

pub fn layer_norm(x: &[f32], weight: &[f32], bias: &[f32], eps: f32) -> Normed {
    let columns = weight.len();
    let n = columns as f32;
    let mut out = Normed { y: Vec::with_capacity(x.len()), mean: vec![], rstd: vec![] };
    for row in x.chunks(columns) {
        let mean = sum4(columns, |i| row[i]) / n;
        let rstd = 1.0 / ((sum4(columns, |i| (row[i] - mean) * (row[i] - mean)) / n) + eps).sqrt();
        out.y.extend((0..columns).map(|i| (((row[i] - mean) * rstd) * weight[i]) + bias[i]));
        out.mean.push(mean);
        out.rstd.push(rstd);
    }
    out
}

/// Adds to dweight and dbias; x is the sum where there was a residual.
pub fn layer_norm_back(
    x: &[f32],
    weight: &[f32],
    normed: &Normed,
    dy: &[f32],
    dweight: &mut [f32],
    dbias: &mut [f32],
) -> Vec<f32> {
    let columns = weight.len();
    let n = columns as f32;
    let mut dx = Vec::with_capacity(x.len());
    for m in 0..x.len() / columns {
        let (row, dy) = (&x[m * columns..][..columns], &dy[m * columns..][..columns]);
        let (mean, rstd) = (normed.mean[m], normed.rstd[m]);
        let g = |i: usize| dy[i] * weight[i];
        let h = |i: usize| (row[i] - mean) * rstd;
        let a = sum4(columns, g) / n;
        let b = (sum4(columns, |i| g(i) * (row[i] - mean)) * rstd) / n;
        for i in 0..columns {
            dx.push(((g(i) - a) - (h(i) * b)) * rstd);
            dweight[i] += dy[i] * h(i);
            dbias[i] += dy[i];
        }
    }
    dx
}

pub struct Heads {
    pub heads: usize,
    pub width: usize,
    pub causal: bool,
    pub scale: f32,
}

/// The rows of one head of one sequence.
fn head_of(x: &[f32], columns: usize, from: usize, to: usize, head: usize, width: usize) -> Vec<f32> {
    (from..to).flat_map(|row| x[row * columns + head * width..][..width].to_vec()).collect()
}

impl Heads {
    fn probabilities(&self, q: &[f32], k: &[f32], t: usize) -> Vec<f32> {
        let mut s = vec![0.0; t * t];
        product(&mut s, t, t, self.width, self.scale, plain(q, self.width), turned(k, self.width));
        for i in 0..t {
            let n = if self.causal { i + 1 } else { t };
            let row = &mut s[i * t..][..t];
            let top = row[..n].iter().fold(f32::NEG_INFINITY, |top, &v| if top < v { v } else { top });
            let e: Vec<f32> = row[..n].iter().map(|&v| exp(v - top)).collect();
            let factor = 1.0 / sum4(n, |j| e[j]);
            for j in 0..t {
                row[j] = if j < n { e[j] * factor } else { 0.0 };
            }
        }
        s
    }

    fn each(&self, offsets: &[usize], mut visit: impl FnMut(usize, usize, usize)) {
        for pair in offsets.windows(2) {
            for head in 0..self.heads {
                visit(pair[0], pair[1], head);
            }
        }
    }

    pub fn forward(&self, q: &[f32], k: &[f32], v: &[f32], offsets: &[usize]) -> Vec<f32> {
        let columns = self.heads * self.width;
        let mut out = vec![0.0; q.len()];
        self.each(offsets, |from, to, head| {
            let [q, k, v] = [q, k, v].map(|x| head_of(x, columns, from, to, head, self.width));
            let t = to - from;
            let p = self.probabilities(&q, &k, t);
            for i in 0..t {
                let n = if self.causal { i + 1 } else { t };
                let o = &mut out[(from + i) * columns + head * self.width..][..self.width];
                product(o, 1, self.width, n, 1.0, plain(&p[i * t..][..t], t), plain(&v, self.width));
            }
        });
        out
    }

    pub fn back(&self, q: &[f32], k: &[f32], v: &[f32], dout: &[f32], offsets: &[usize]) -> [Vec<f32>; 3] {
        let (columns, width) = (self.heads * self.width, self.width);
        let mut out = [vec![0.0; q.len()], vec![0.0; q.len()], vec![0.0; q.len()]];
        self.each(offsets, |from, to, head| {
            let [q, k, v, dout] = [q, k, v, dout].map(|x| head_of(x, columns, from, to, head, width));
            let t = to - from;
            let p = self.probabilities(&q, &k, t);
            let [mut dq, mut dk, mut dv] = [vec![0f32; t * width], vec![0f32; t * width], vec![0f32; t * width]];
            for i in 0..t {
                let n = if self.causal { i + 1 } else { t };
                let row = &p[i * t..][..n];
                let d = &dout[i * width..][..width];
                let mut dp = vec![0f32; n];
                product(&mut dp, 1, n, width, 1.0, plain(d, width), turned(&v, width));
                let w = sum4(n, |j| row[j] * dp[j]);
                for j in 0..n {
                    let ds = row[j] * (dp[j] - w);
                    for c in 0..width {
                        dv[j * width + c] += row[j] * d[c];
                        dq[i * width + c] += (self.scale * ds) * k[j * width + c];
                        dk[j * width + c] += (self.scale * ds) * q[i * width + c];
                    }
                }
            }
            for (all, one) in out.iter_mut().zip([dq, dk, dv]) {
                for i in 0..t {
                    all[(from + i) * columns + head * width..][..width].copy_from_slice(&one[i * width..][..width]);
                }
            }
        });
        out
    }
}
