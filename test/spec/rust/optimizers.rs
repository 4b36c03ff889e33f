//! Optimisers of docs/numerics/training.md, element by element.

#[derive(Clone, Copy)]
pub enum Optimizer {
    Sgd { lr: f64, momentum: f64, decay: f64 },
    AdamW { lr: f64, beta1: f64, beta2: f64, eps: f64, decay: f64 },
}

fn power(base: f64, mut t: u64) -> f64 {
    let (mut result, mut base) = (1.0, base);
    while t > 0 {
        if t % 2 == 1 {
            result *= base;
        }
        base *= base;
        t /= 2;
    }
    result
}

impl Optimizer {
    /// Steps p; t counts from 1, `m` is not used by SGD.
    pub fn step(&self, p: &mut [f32], m: &mut [f32], v: &mut [f32], g: &[f32], t: u64) {
        match *self {
            Optimizer::Sgd { lr, momentum, decay } => {
                let (lr, momentum, decay) = (lr as f32, momentum as f32, decay as f32);
                for i in 0..p.len() {
                    let mut g = g[i] + (decay * p[i]);
                    if momentum != 0.0 {
                        v[i] = (momentum * v[i]) + g;
                        g = v[i];
                    }
                    p[i] -= lr * g;
                }
            }
            Optimizer::AdamW { lr, beta1, beta2, eps, decay } => {
                let rate = (lr / (1.0 - power(beta1, t))) as f32;
                let root = (1.0 - power(beta2, t)).sqrt() as f32;
                let (keep, new, keep2, new2) = (beta1 as f32, (1.0 - beta1) as f32, beta2 as f32, (1.0 - beta2) as f32);
                let (eps, shrink) = (eps as f32, (1.0 - lr * decay) as f32);
                for i in 0..p.len() {
                    m[i] = (keep * m[i]) + (new * g[i]);
                    v[i] = (keep2 * v[i]) + ((new2 * g[i]) * g[i]);
                    p[i] *= shrink;
                    p[i] -= (rate * m[i]) / ((v[i].sqrt() / root) + eps);
                }
            }
        }
    }
}
