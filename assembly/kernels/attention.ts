/**
 * Multi-head attention over packed sequences: no padding, no mask. Sequence s holds the rows offsets[s] .. offsets[s+1];
 * row i of a sequence of T rows sees all T, or the first i+1 where `causal`.
 *
 *   S = (scale * Q) K^T     P = softmax(S)     O = P V          per sequence and head, D = columns of a head
 *   dV = P^T dO    dP = dO V^T    dS = P * (dP - rowsum(P * dP))    dQ = (scale * dS) K    dK = (scale * dS)^T Q
 *
 * q, k, v, dq, dk, dv: row stride `ld`; out, dout: row stride `ldo`, so that a call may do some of the heads; head h in
 * columns h*D .. h*D+D. Nothing is saved
 * but the inputs: S and P are computed again going back, with the same bits. Query rows go in blocks of QB, so that
 * scratch grows with T, not T^2; dK and dV are summed over query rows in ascending order, so QB changes no bit.
 *
 * Order of a softmax row over n elements: m = maximum; e_j = exp(s_j - m); z = sum of e (four interleaved partial sums,
 * (0+1)+(2+3)); p_j = e_j * (1 / z). Row sum of P * dP: the same four partial sums, each term rounded. Products: gemm.ts.
 *
 * Overwrites all outputs. No overlap. `scratch` holds attention_scratch(longest T) bytes.
 */
import { exp } from '../math/exp'
import { lanes, mul, splat, sub } from '../lanes'
import { rowDot, rowMax, rowSum } from '../reduce'
import { SCRATCH } from './blocks'
import { matmul } from './gemm'
import { FROM_C, FROM_ZERO } from './tile'

/** Query rows at a time. */
// @ts-ignore: decorator
@inline const QB: i32 = 128

/** Bytes of scratch for sequences of at most `longest` rows. */
export function attention_scratch(longest: i32): i32 { return SCRATCH + 2 * min(QB, longest) * longest * 4 + 64 }

export function attention_forward(
  out: usize, q: usize, k: usize, v: usize, offsets: usize, S: i32, H: i32, D: i32, ld: i32, ldo: i32, scale: f32,
  causal: i32, scratch: usize,
): void {
  const p = scratch + SCRATCH
  for (let s = 0; s < S; s++) {
    const first = load<i32>(offsets + (<usize>s << 2)), T = load<i32>(offsets + (<usize>s << 2), 4) - first
    for (let h = 0; h < H; h++) {
      const at = <usize>(first * ld + h * D) << 2
      for (let i = 0; i < T; i += QB) {
        const rows = min(QB, T - i), seen = causal ? i + rows : T
        probabilities(p, q + at + (<usize>(i * ld) << 2), k + at, rows, seen, i, D, ld, scale, causal, scratch)
        matmul(out + (<usize>((first + i) * ldo + h * D) << 2), ldo, p, seen, 1, v + at, ld, 1,
          rows, D, seen, 1, FROM_ZERO, 0, scratch)
      }
    }
  }
}

export function attention_backward(
  dq: usize, dk: usize, dv: usize, dout: usize, q: usize, k: usize, v: usize, offsets: usize,
  S: i32, H: i32, D: i32, ld: i32, ldo: i32, scale: f32, causal: i32, scratch: usize,
): void {
  for (let s = 0; s < S; s++) {
    const first = load<i32>(offsets + (<usize>s << 2)), T = load<i32>(offsets + (<usize>s << 2), 4) - first
    const p = scratch + SCRATCH, dp = p + (<usize>(min(QB, T) * T) << 2)
    for (let h = 0; h < H; h++) {
      const at = <usize>(first * ld + h * D) << 2
      for (let i = 0; i < T; i += QB) {
        const rows = min(QB, T - i), seen = causal ? i + rows : T
        const here = at + (<usize>(i * ld) << 2)
        const d = dout + (<usize>((first + i) * ldo + h * D) << 2)
        probabilities(p, q + here, k + at, rows, seen, i, D, ld, scale, causal, scratch)
        // dV: the rows that no earlier block has reached start from zero
        accumulate(dv + at, p, d, ldo, rows, seen, causal ? i : i == 0 ? 0 : seen, D, ld, 1, scratch)
        matmul(dp, seen, d, ldo, 1, v + at, 1, ld, rows, seen, D, 1, FROM_ZERO, 0, scratch)
        for (let r = 0; r < rows; r++) {
          const row = <usize>(r * seen) << 2
          scoreGradient(dp + row, p + row, seen)
        }
        matmul(dq + here, ld, dp, seen, 1, k + at, ld, 1, rows, D, seen, scale, FROM_ZERO, 0, scratch)
        accumulate(dk + at, dp, q + here, ld, rows, seen, causal ? i : i == 0 ? 0 : seen, D, ld, scale, scratch)
      }
    }
  }
}

/** P[rows, seen] of query rows i .. i + rows. */
function probabilities(
  p: usize, q: usize, k: usize, rows: i32, seen: i32, i: i32, D: i32, ld: i32, scale: f32, causal: i32, scratch: usize,
): void {
  matmul(p, seen, q, ld, 1, k, 1, ld, rows, seen, D, scale, FROM_ZERO, 0, scratch)
  for (let r = 0; r < rows; r++) {
    const row = p + (<usize>(r * seen) << 2), n = causal ? i + r + 1 : seen
    softmaxRow(row, n)
    if (n < seen) memory.fill(row + (<usize>n << 2), 0, <usize>(seen - n) << 2)
  }
}

/** out[seen, D] (+)= (alpha * P[rows, seen])^T x[rows, D]; the first `old` rows are added to, the others start at zero. */
function accumulate(
  out: usize, p: usize, x: usize, ldx: i32, rows: i32, seen: i32, old: i32, D: i32, ld: i32, alpha: f32, scratch: usize,
): void {
  if (old > 0) matmul(out, ld, p, 1, seen, x, ldx, 1, old, D, rows, alpha, FROM_C, 0, scratch)
  if (old < seen) {
    matmul(out + (<usize>(old * ld) << 2), ld, p + (<usize>old << 2), 1, seen, x, ldx, 1,
      seen - old, D, rows, alpha, FROM_ZERO, 0, scratch)
  }
}

function softmaxRow(row: usize, n: i32): void {
  const top = rowMax(row, n)
  let i = 0
  if (ASC_FEATURE_SIMD) i = expRun<v128>(row, top, i, n)
  expRun<f32>(row, top, i, n)
  const inverse = <f32>1 / rowSum(row, n)
  i = 0
  if (ASC_FEATURE_SIMD) i = scaleRun<v128>(row, inverse, i, n)
  scaleRun<f32>(row, inverse, i, n)
}

/** dS = P * (dP - sum(P * dP)), in place of dP. */
function scoreGradient(dp: usize, p: usize, n: i32): void {
  const mean = rowDot(p, dp, n)
  let i = 0
  if (ASC_FEATURE_SIMD) i = gradientRun<v128>(dp, p, mean, i, n)
  gradientRun<f32>(dp, p, mean, i, n)
}

// @ts-ignore: decorator
@inline
function expRun<T>(row: usize, top: f32, i: i32, n: i32): i32 {
  const t = splat<T>(top)
  for (; i <= n - lanes<T>(); i += lanes<T>()) {
    const at = row + (<usize>i << 2)
    store<T>(at, exp<T>(sub<T>(load<T>(at), t)))
  }
  return i
}

// @ts-ignore: decorator
@inline
function scaleRun<T>(row: usize, s: f32, i: i32, n: i32): i32 {
  const factor = splat<T>(s)
  for (; i <= n - lanes<T>(); i += lanes<T>()) {
    const at = row + (<usize>i << 2)
    store<T>(at, mul<T>(load<T>(at), factor))
  }
  return i
}

// @ts-ignore: decorator
@inline
function gradientRun<T>(dp: usize, p: usize, mean: f32, i: i32, n: i32): i32 {
  const m = splat<T>(mean)
  for (; i <= n - lanes<T>(); i += lanes<T>()) {
    const at = <usize>i << 2
    store<T>(dp + at, mul<T>(load<T>(p + at), sub<T>(load<T>(dp + at), m)))
  }
  return i
}
