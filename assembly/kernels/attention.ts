/**
 * Multi-head attention over packed sequences: no padding, no mask. Sequence s holds the rows offsets[s] .. offsets[s+1];
 * row i of a sequence of T rows sees all T, or the first i+1 where `causal`.
 *
 *   S = (scale * Q) K^T     P = softmax(S)     O = P V          per sequence and head, D = columns of a head
 *   dV = P^T dO    dP = dO V^T    dS = P * (dP - rowsum(P * dP))    dQ = (scale * dS) K    dK = (scale * dS)^T Q
 *
 * q, k, v, dq, dk, dv: row stride `ld`; out, dout: row stride `ldo`, so that a call may do some of the heads; head h in
 * columns h*D .. h*D+D. Nothing is saved but the inputs: S and P are computed again going back, with the same bits. Query
 * rows go in blocks of QB, so that scratch grows with T, not T^2, and a block of P stays near; dK and dV are summed over
 * query rows in ascending order, so QB changes no bit. A causal block holds zeros where a row does not see.
 *
 * K, V and their transposes are packed once a head. P and dS lie as the products that follow read them: going forward by
 * columns (S^T = K (scale Q)^T: products commute), going back by rows, whose columns lie side by side.
 *
 * Order of a softmax row over n elements: m = maximum; e_j = exp(s_j - m); z = sum of e (four interleaved partial sums,
 * (0+1)+(2+3)); p_j = e_j * (1 / z). Row sum of P * dP: the same four partial sums, each term rounded. Products: gemm.ts.
 *
 * Overwrites all outputs. No overlap. `scratch` holds attention_scratch(longest T, D) bytes.
 */
import { lanes, mul, splat, sub } from '../lanes'
import { rowDot } from '../reduce'
import { block } from './blocks'
import { packA, packB } from './pack'
import { scaleRow, softmaxColumns, softmaxRow } from './softmax'
import { FROM_C, FROM_ZERO, tileRows } from './tile'

/** Query rows at a time. */
// @ts-ignore: decorator
@inline const QB: i32 = 64

/** Floats of n columns of k, packed in panels; whole cache lines. */
// @ts-ignore: decorator
@inline function panels(n: i32, k: i32): i32 { return (((n + 7) & ~7) * k + 15) & ~15 }

/** Bytes of scratch for sequences of at most `longest` rows and heads of D columns. */
export function attention_scratch(longest: i32, D: i32): i32 {
  const rows = min(QB, longest)
  return (2 * panels(longest, D) + panels(D, longest) + 2 * panels(rows, D) + 2 * panels(D, rows) + 3 * panels(rows, longest) + 80) * 4
}

export function attention_forward(
  out: usize, q: usize, k: usize, v: usize, offsets: usize, S: i32, H: i32, D: i32, ld: i32, ldo: i32, scale: f32,
  causal: i32, scratch: usize,
): void {
  for (let s = 0; s < S; s++) {
    const first = load<i32>(offsets + (<usize>s << 2)), T = load<i32>(offsets + (<usize>s << 2), 4) - first
    for (let h = 0; h < H; h++) {
      const at = <usize>(first * ld + h * D) << 2, to = out + (<usize>(first * ldo + h * D) << 2)
      if (ASC_FEATURE_SIMD) forward<v128>(to, q + at, k + at, v + at, T, D, ld, ldo, scale, causal, scratch)
      else forward<f32>(to, q + at, k + at, v + at, T, D, ld, ldo, scale, causal, scratch)
    }
  }
}

export function attention_backward(
  dq: usize, dk: usize, dv: usize, dout: usize, q: usize, k: usize, v: usize, offsets: usize,
  S: i32, H: i32, D: i32, ld: i32, ldo: i32, scale: f32, causal: i32, scratch: usize,
): void {
  for (let s = 0; s < S; s++) {
    const first = load<i32>(offsets + (<usize>s << 2)), T = load<i32>(offsets + (<usize>s << 2), 4) - first
    for (let h = 0; h < H; h++) {
      const at = <usize>(first * ld + h * D) << 2, from = dout + (<usize>(first * ldo + h * D) << 2)
      if (ASC_FEATURE_SIMD) backward<v128>(dq + at, dk + at, dv + at, from, q + at, k + at, v + at, T, D, ld, ldo, scale, causal, scratch)
      else backward<f32>(dq + at, dk + at, dv + at, from, q + at, k + at, v + at, T, D, ld, ldo, scale, causal, scratch)
    }
  }
}

/** One head of one sequence. */
function forward<L>(
  out: usize, q: usize, k: usize, v: usize, T: i32, D: i32, ld: i32, ldo: i32, scale: f32, causal: i32, scratch: usize,
): void {
  const spare = scratch, tiles = spare + 320
  const vs = tiles + (<usize>panels(T, D) << 2), qs = vs + (<usize>panels(D, T) << 2), p = qs + (<usize>panels(min(QB, T), D) << 2)
  packA<L>(tiles, k, ld, 1, T, D, 1)
  packB<L>(vs, v, ld, 1, D, T)
  for (let i = 0; i < T; i += QB) {
    const rows = min(QB, T - i)
    // whole tiles of keys: what is too much is masked
    const seen = causal ? min(T, (i + rows + tileRows() - 1) / tileRows() * tileRows()) : T
    packB<L>(qs, q + (<usize>(i * ld) << 2), 1, ld, rows, D)
    scaleRow(qs, scale, ((rows + lanes<L>() - 1) & -lanes<L>()) * D)
    block<L>(p, rows, tiles, <usize>D << 2, 0, qs, D, 0, seen, rows, D, FROM_ZERO, 0, spare)
    if (causal) hide(p, i, rows, seen)
    softmaxColumns(p, rows, seen)
    block<L>(out + (<usize>(i * ldo) << 2), ldo, p, 4, <usize>rows << 2, vs, T, 0, rows, D, seen, FROM_ZERO, 0, spare)
  }
}

function backward<L>(
  dq: usize, dk: usize, dv: usize, dout: usize, q: usize, k: usize, v: usize, T: i32, D: i32, ld: i32, ldo: i32,
  scale: f32, causal: i32, scratch: usize,
): void {
  const most = min(QB, T), spare = scratch
  const keys = spare + 320, values = keys + (<usize>panels(T, D) << 2), rowsOfKeys = values + (<usize>panels(T, D) << 2)
  const tiles = rowsOfKeys + (<usize>panels(D, T) << 2), dTiles = tiles + (<usize>panels(most, D) << 2)
  const right = dTiles + (<usize>panels(most, D) << 2), dRight = right + (<usize>panels(D, most) << 2)
  const p = dRight + (<usize>panels(D, most) << 2), dp = p + (<usize>panels(most, T) << 2), left = dp + (<usize>panels(most, T) << 2)
  packB<L>(keys, k, 1, ld, T, D)
  packB<L>(values, v, 1, ld, T, D)
  packB<L>(rowsOfKeys, k, ld, 1, D, T)
  let old = 0
  for (let i = 0; i < T; i += QB) {
    const rows = min(QB, T - i)
    // whole panels of keys: what is too much is zero
    const seen = causal ? min(T, (i + rows + 7) & ~7) : T
    const here = <usize>(i * ld) << 2, d = dout + (<usize>(i * ldo) << 2)
    packA<L>(tiles, q + here, ld, 1, rows, D, scale)
    packA<L>(dTiles, d, ldo, 1, rows, D, 1)
    packB<L>(right, q + here, ld, 1, D, rows)
    packB<L>(dRight, d, ldo, 1, D, rows)
    block<L>(p, seen, tiles, <usize>D << 2, 0, keys, D, 0, rows, seen, D, FROM_ZERO, 0, spare)
    block<L>(dp, seen, dTiles, <usize>D << 2, 0, values, D, 0, rows, seen, D, FROM_ZERO, 0, spare)
    for (let r = 0; r < rows; r++) {
      const row = <usize>(r * seen) << 2, n = causal ? i + r + 1 : seen
      softmaxRow(p + row, n)
      if (n < seen) memory.fill(p + row + (<usize>n << 2), 0, <usize>(seen - n) << 2)
      scoreGradient(dp + row, p + row, scale, seen)
    }
    packA<L>(left, dp, seen, 1, rows, seen, 1)
    block<L>(dq + here, ld, left, <usize>seen << 2, 0, rowsOfKeys, T, 0, rows, D, seen, FROM_ZERO, 0, spare)
    accumulate<L>(dv, p, dRight, seen, rows, old, D, ld, spare)
    accumulate<L>(dk, dp, right, seen, rows, old, D, ld, spare)
    old = seen
  }
}

/** out[seen, D] (+)= P[rows, seen]^T X[rows, D]; rows below `old` are added to, the others start at zero. */
function accumulate<L>(out: usize, p: usize, x: usize, seen: i32, rows: i32, old: i32, D: i32, ld: i32, spare: usize): void {
  const step = <usize>seen << 2
  block<L>(out, ld, p, 4, step, x, rows, 0, old, D, rows, FROM_C, 0, spare)
  block<L>(out + (<usize>(old * ld) << 2), ld, p + (<usize>old << 2), 4, step, x, rows, 0, seen - old, D, rows, FROM_ZERO, 0, spare)
}

/** S^T[seen, rows] of query rows i ..: minus infinity where a row does not see. */
function hide(p: usize, i: i32, rows: i32, seen: i32): void {
  for (let r = 0; r < rows; r++) {
    for (let j = i + r + 1; j < seen; j++) store<f32>(p + (<usize>(j * rows + r) << 2), -Infinity)
  }
}

/** dS = scale * (P * (dP - sum(P * dP))), in place of dP. */
function scoreGradient(dp: usize, p: usize, scale: f32, n: i32): void {
  const mean = rowDot(p, dp, n)
  let i = 0
  if (ASC_FEATURE_SIMD) i = gradientRun<v128>(dp, p, mean, scale, i, n)
  gradientRun<f32>(dp, p, mean, scale, i, n)
}

// @ts-ignore: decorator
@inline
function gradientRun<T>(dp: usize, p: usize, mean: f32, scale: f32, i: i32, n: i32): i32 {
  const m = splat<T>(mean), s = splat<T>(scale)
  for (; i <= n - lanes<T>(); i += lanes<T>()) {
    const at = <usize>i << 2
    store<T>(dp + at, mul<T>(s, mul<T>(load<T>(p + at), sub<T>(load<T>(dp + at), m))))
  }
  return i
}
