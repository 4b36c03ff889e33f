//! The adaptive clip norm of docs/numerics/federation.md.

use crate::arithmetic::power_of_two_f64;

#[allow(clippy::approx_constant, clippy::excessive_precision)]
fn exp64(x: f64) -> f64 {
    let k = (1.44269504088896338700 * x + 0.5).floor();
    let high = x - k * 6.93147180369123816490e-1;
    let low = k * 1.90821492927058770002e-10;
    let r = high - low;
    let t = r * r;
    let c = r - t
        * (1.66666666666666019037e-1
            + t * (-2.77777777770155933842e-3
                + t * (6.61375632143793436117e-5 + t * (-1.65339022054652515390e-6 + t * 4.13813679705723846039e-8))));
    if k == 0.0 {
        1.0 - ((r * c) / (c - 2.0) - r)
    } else {
        (1.0 - ((low - (r * c) / (2.0 - c)) - high)) * power_of_two_f64(k as i32)
    }
}

/// The clip norm after a round.
pub fn next_clip(clip: f64, rate: f64, quantile: f64, within: f64) -> f64 {
    let share = within.clamp(-1.0, 2.0);
    (clip * exp64(-rate * (share - quantile))).clamp(power_of_two_f64(-40), power_of_two_f64(40))
}
