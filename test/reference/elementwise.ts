/** Double-precision twin of assembly/kernels/elementwise.ts. */
import type { Vec } from './vec.ts'

export const add = (a: Vec, b: Vec) => Float64Array.from(a, (v, i) => v + b[i])
export const multiply = (a: Vec, b: Vec) => Float64Array.from(a, (v, i) => v * b[i])
export const scale = (x: Vec, s: number) => Float64Array.from(x, (v) => v * s)
