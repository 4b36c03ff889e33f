/** Double-precision twin of assembly/kernels/layer-norm.ts: one object a call, arrays [M, C]. */
import type { Vec } from './vec.ts'

export interface LayerNorm {
  readonly y: Float64Array
  readonly mean: Float64Array
  readonly rstd: Float64Array
}

export function layerNormForward(x: Vec, weight: Vec, bias: Vec, M: number, C: number, eps: number): LayerNorm {
  const y = new Float64Array(M * C), mean = new Float64Array(M), rstd = new Float64Array(M)
  for (let m = 0; m < M; m++) {
    let sum = 0, squares = 0
    for (let c = 0; c < C; c++) sum += x[m * C + c]
    mean[m] = sum / C
    for (let c = 0; c < C; c++) squares += (x[m * C + c] - mean[m]) ** 2
    rstd[m] = 1 / Math.sqrt(squares / C + eps)
    for (let c = 0; c < C; c++) y[m * C + c] = (x[m * C + c] - mean[m]) * rstd[m] * weight[c] + bias[c]
  }
  return { y, mean, rstd }
}

export function addLayerNormForward(
  x: Vec, residual: Vec, weight: Vec, bias: Vec, M: number, C: number, eps: number,
): LayerNorm & { readonly sum: Float64Array } {
  const sum = Float64Array.from(x, (v, i) => v + residual[i])
  return { sum, ...layerNormForward(sum, weight, bias, M, C, eps) }
}

export function layerNormBackward(
  dy: Vec, x: Vec, mean: Vec, rstd: Vec, weight: Vec, M: number, C: number,
): Float64Array {
  const dx = new Float64Array(M * C)
  for (let m = 0; m < M; m++) {
    const g = (c: number) => dy[m * C + c] * weight[c]
    const h = (c: number) => (x[m * C + c] - mean[m]) * rstd[m]
    let a = 0, b = 0
    for (let c = 0; c < C; c++) {
      a += g(c) / C
      b += g(c) * h(c) / C
    }
    for (let c = 0; c < C; c++) dx[m * C + c] = rstd[m] * (g(c) - a - h(c) * b)
  }
  return dx
}

export function layerNormBackwardParams(
  dy: Vec, x: Vec, mean: Vec, rstd: Vec, M: number, C: number,
): { dweight: Float64Array, dbias: Float64Array } {
  const dweight = new Float64Array(C), dbias = new Float64Array(C)
  for (let m = 0; m < M; m++) {
    for (let c = 0; c < C; c++) {
      dweight[c] += dy[m * C + c] * (x[m * C + c] - mean[m]) * rstd[m]
      dbias[c] += dy[m * C + c]
    }
  }
  return { dweight, dbias }
}
