/** Twin of assembly/kernels/reduce.ts: sums compensated (Neumaier), so that they stand for the exact ones. */
import type { Vec } from './vec.ts'

function exact(n: number, term: (i: number) => number): number {
  let sum = 0, lost = 0
  for (let i = 0; i < n; i++) {
    const t = term(i), next = sum + t
    lost += Math.abs(sum) >= Math.abs(t) ? (sum - next) + t : (t - next) + sum
    sum = next
  }
  return sum + lost
}

export const sum = (x: Vec) => exact(x.length, (i) => x[i])
export const dotF64 = (a: Vec, b: Vec) => exact(a.length, (i) => a[i] * b[i])
export const sumSquares = (x: Vec) => dotF64(x, x)
export const maxAbs = (x: Vec) => Array.from(x).reduce((most, v) => Math.abs(v) > most ? Math.abs(v) : most, 0)
export const firstNonfinite = (x: Vec) => Array.from(x).findIndex((v) => !Number.isFinite(v))
export const zero = (n: number) => new Float64Array(n)
export const copy = (x: Vec) => Float64Array.from(x)
export const axpy = (out: Vec, x: Vec, s: number) => Float64Array.from(out, (v, i) => v + s * x[i])
