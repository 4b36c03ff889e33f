/**
 * Twin of assembly/kernels/gemm.ts: plain loops. In double precision by default; with `Math.fround` as `round` it is
 * the kernel's own definition, each product and each sum rounded to f32 (both are exact in double precision or innocent
 * of double rounding, so the bits are those of f32 arithmetic).
 */
import type { Vec } from './vec.ts'

/** C's start: zero, C itself, or a bias per column. */
export const FROM_ZERO = 0, FROM_C = 1, FROM_BIAS = 2

export interface Product {
  readonly m: number
  readonly n: number
  readonly k: number
  readonly a: Vec
  readonly aRow: number
  readonly aColumn: number
  readonly b: Vec
  readonly bRow: number
  readonly bColumn: number
  readonly alpha?: number
  /** [m, n]; default zero. */
  readonly start?: (i: number, j: number) => number
}

/** start + (alpha * A) * B, [m, n] without gaps. */
export function matmul(
  { m, n, k, a, aRow, aColumn, b, bRow, bColumn, alpha = 1, start = () => 0 }: Product, round = (x: number) => x,
): Float64Array {
  const c = new Float64Array(m * n)
  for (let i = 0; i < m; i++) {
    for (let j = 0; j < n; j++) {
      let sum = start(i, j)
      for (let p = 0; p < k; p++) sum = round(sum + round(round(alpha * a[i * aRow + p * aColumn]) * b[p * bRow + j * bColumn]))
      c[i * n + j] = sum
    }
  }
  return c
}
