/** Double-precision twin of assembly/kernels/l2-normalize.ts. */
import type { Vec } from './vec.ts'

export function l2NormalizeForward(x: Vec, M: number, C: number, eps: number): { y: Float64Array, norm: Float64Array } {
  const y = new Float64Array(M * C), norm = new Float64Array(M)
  for (let m = 0; m < M; m++) {
    let squares = 0
    for (let c = 0; c < C; c++) squares += x[m * C + c] ** 2
    const length = Math.sqrt(squares)
    norm[m] = length < eps ? -eps : length
    for (let c = 0; c < C; c++) y[m * C + c] = x[m * C + c] / Math.abs(norm[m])
  }
  return { y, norm }
}

export function l2NormalizeBackward(dy: Vec, y: Vec, norm: Vec, M: number, C: number): Float64Array {
  const dx = new Float64Array(M * C)
  for (let m = 0; m < M; m++) {
    let along = 0
    for (let c = 0; c < C; c++) along += dy[m * C + c] * y[m * C + c]
    if (norm[m] < 0) along = 0
    for (let c = 0; c < C; c++) dx[m * C + c] = (dy[m * C + c] - y[m * C + c] * along) / Math.abs(norm[m])
  }
  return dx
}
