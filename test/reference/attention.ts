/**
 * Double-precision twin of assembly/kernels/attention.ts, one sequence and one head at a time: q, k, v [T, D] each.
 */
import type { Vec } from './vec.ts'

export interface Head {
  readonly T: number
  readonly D: number
  readonly scale: number
  readonly causal: boolean
}

/** P [T, T]: zeros where a row does not see. */
export function probabilities(q: Vec, k: Vec, { T, D, scale, causal }: Head): Float64Array {
  const p = new Float64Array(T * T)
  for (let i = 0; i < T; i++) {
    const seen = causal ? i + 1 : T
    const row = p.subarray(i * T, i * T + seen)
    for (let j = 0; j < seen; j++) for (let d = 0; d < D; d++) row[j] += scale * q[i * D + d] * k[j * D + d]
    const top = row.reduce((most, s) => Math.max(most, s), -Infinity)
    let sum = 0
    for (let j = 0; j < seen; j++) sum += row[j] = Math.exp(row[j] - top)
    for (let j = 0; j < seen; j++) row[j] /= sum
  }
  return p
}

/** O [T, D]. */
export function attentionForward(q: Vec, k: Vec, v: Vec, head: Head): Float64Array {
  const { T, D } = head
  const p = probabilities(q, k, head), out = new Float64Array(T * D)
  for (let i = 0; i < T; i++) for (let j = 0; j < T; j++) for (let d = 0; d < D; d++) out[i * D + d] += p[i * T + j] * v[j * D + d]
  return out
}

/** dQ, dK, dV [T, D] each, from dO. */
export function attentionBackward(dout: Vec, q: Vec, k: Vec, v: Vec, head: Head): { dq: Float64Array, dk: Float64Array, dv: Float64Array } {
  const { T, D, scale } = head
  const p = probabilities(q, k, head)
  const dq = new Float64Array(T * D), dk = new Float64Array(T * D), dv = new Float64Array(T * D)
  const dp = new Float64Array(T)
  for (let i = 0; i < T; i++) {
    let mean = 0
    for (let j = 0; j < T; j++) {
      dp[j] = 0
      for (let d = 0; d < D; d++) {
        dp[j] += dout[i * D + d] * v[j * D + d]
        dv[j * D + d] += p[i * T + j] * dout[i * D + d]
      }
      mean += p[i * T + j] * dp[j]
    }
    for (let j = 0; j < T; j++) {
      const ds = scale * p[i * T + j] * (dp[j] - mean)
      for (let d = 0; d < D; d++) {
        dq[i * D + d] += ds * k[j * D + d]
        dk[j * D + d] += ds * q[i * D + d]
      }
    }
  }
  return { dq, dk, dv }
}
