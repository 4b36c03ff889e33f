/**
 * Correlated noise in integers: noise of one round that takes back part of the noise of rounds before.
 *
 * banded_noise: sum_i += u, u = floor((y - C_1 u_1 - ... - C_depth u_depth) / 2^bits + 1/2), y a discrete Gaussian of
 *               scale sigma, u_j what the same coordinate got j of its rounds ago. The matrix has C_0 = 2^bits.
 * tree_noise:   round t of a coordinate ends the nodes of heights 0 .. h = trailing zeros of t: sum_i += y - (noise of
 *               the nodes of heights below h), and node h gets y. The noise of rounds 1 .. t then adds up to that of
 *               the nodes that make up 1 .. t.
 * blt_noise:    as banded_noise, with round(2^bits (w_1 s_1 + w_2 s_2 + ...)) for C_1 u_1 + C_2 u_2 + ..., then
 *               s_k = t_k s_k + u, in f64. 2^bits C_j = 2^bits sum_k w_k t_k^(j-1), but for rounding.
 *
 * Why the rounding in banded_noise gives nothing away: x is the sum, r = x + u what is released, both integers. Then
 * r_t = floor((2^bits x_t + y_t - sum C_j (r_(t-j) - x_(t-j))) / 2^bits + 1/2), a function of (C x + y)_t and of
 * earlier r: post-processing of the integer vector C x plus discrete Gaussian noise. In blt_noise the subtracted term
 * is an integer function of r - x, within E of the linear one: given earlier r, r_t is a function of y_t plus an
 * integer that neighbours change by (C (x - x'))_t and at most 2 E: the caller adds the latter to the sensitivity.
 *
 * Coordinate i of the sum is coordinate index_i of the state (`index` 0: i itself), which has a clock of its own: it
 * moves on only in rounds that the coordinate is in. State: history[depth] or nodes[heights] a coordinate, and counts.
 * |u| and |y| stay below 2^31, |C_j| below 2^16, depth below 2^12: no sum leaves i64.
 */
import { redrawBelow, sample } from './discrete-gaussian'

export function banded_noise(
  sum: usize, index: usize, n: i32, history: usize, counts: usize, coefficients: usize, depth: i32, bits: i32,
  sigma: u32, stream: usize,
): void {
  const redraw = redrawBelow(sigma)
  const half: i64 = bits > 0 ? 1 << (bits - 1) : 0
  for (let i = 0; i < n; i++) {
    const where = place(index, i)
    const past = history + where * <usize>depth * 4
    let rest = <i64>sample(sigma, redraw, stream)
    for (let j = depth - 1; j >= 0; j--) {
      const at = past + (<usize>j << 2)
      rest -= <i64>load<i32>(coefficients + (<usize>j << 2)) * load<i32>(at)
      if (j > 0) store<i32>(at, load<i32>(at - 4))
    }
    const noise = <i32>((rest + half) >> bits)
    if (depth > 0) store<i32>(past, noise)
    increment(counts + (where << 2))
    accumulate(sum + (<usize>i << 2), noise)
  }
}

export function blt_noise(
  sum: usize, index: usize, n: i32, buffers: usize, counts: usize, scales: usize, decays: usize, depth: i32, bits: i32,
  sigma: u32, stream: usize,
): void {
  const redraw = redrawBelow(sigma)
  const half: i64 = bits > 0 ? 1 << (bits - 1) : 0
  const unit = <f64>(1 << bits)
  for (let i = 0; i < n; i++) {
    const where = place(index, i)
    const buffer = buffers + where * <usize>depth * 8
    let past: f64 = 0
    for (let k: usize = 0; k < <usize>depth << 3; k += 8) past += load<f64>(scales + k) * load<f64>(buffer + k)
    const noise = <i32>((<i64>sample(sigma, redraw, stream) - <i64>nearest<f64>(past * unit) + half) >> bits)
    for (let k: usize = 0; k < <usize>depth << 3; k += 8) {
      store<f64>(buffer + k, load<f64>(decays + k) * load<f64>(buffer + k) + <f64>noise)
    }
    increment(counts + (where << 2))
    accumulate(sum + (<usize>i << 2), noise)
  }
}

export function tree_noise(
  sum: usize, index: usize, n: i32, nodes: usize, counts: usize, heights: i32, sigma: u32, stream: usize,
): void {
  const redraw = redrawBelow(sigma)
  for (let i = 0; i < n; i++) {
    const where = place(index, i)
    const node = nodes + where * <usize>heights * 4
    const height = ctz<i32>(increment(counts + (where << 2)))
    const fresh = sample(sigma, redraw, stream)
    let noise = fresh
    for (let h = 0; h < height; h++) noise -= load<i32>(node + (<usize>h << 2))
    store<i32>(node + (<usize>height << 2), fresh)
    accumulate(sum + (<usize>i << 2), noise)
  }
}

// @ts-ignore: decorator
@inline function place(index: usize, i: i32): usize {
  return index == 0 ? <usize>i : <usize>load<u32>(index + (<usize>i << 2))
}

// @ts-ignore: decorator
@inline function increment(at: usize): i32 {
  const count = load<i32>(at) + 1
  store<i32>(at, count)
  return count
}

// @ts-ignore: decorator
@inline function accumulate(at: usize, noise: i32): void { store<i32>(at, load<i32>(at) + noise) }
