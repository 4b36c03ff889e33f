/** Double-precision twin of assembly/kernels/activations.ts. */
import { phi } from './math.ts'
import type { Vec } from './vec.ts'

const each = (x: Vec, f: (v: number) => number) => Float64Array.from(x, f)
const back = (dy: Vec, x: Vec, slope: (v: number) => number) => Float64Array.from(x, (v, i) => dy[i] * slope(v))

const density = (x: number) => Math.exp(-x * x / 2) / Math.sqrt(2 * Math.PI)
const normal = phi
const sigmoid = (x: number) => 1 / (1 + Math.exp(-x))
const K = Math.sqrt(2 / Math.PI)
const inner = (x: number) => Math.tanh(K * (x + 0.044715 * x ** 3))

export const geluErfForward = (x: Vec) => each(x, (v) => v * normal(v))
export const geluErfBackward = (dy: Vec, x: Vec) => back(dy, x, (v) => normal(v) + v * density(v))

/** y and the slope by which dy is multiplied. */
export const geluErfSlope = (x: Vec) => [geluErfForward(x), each(x, (v) => normal(v) + v * density(v))] as const

export const geluTanhForward = (x: Vec) => each(x, (v) => v / 2 * (1 + inner(v)))
export const geluTanhBackward = (dy: Vec, x: Vec) => back(dy, x, (v) => {
  const t = inner(v)
  return (1 + t) / 2 + v / 2 * (1 - t * t) * K * (1 + 3 * 0.044715 * v * v)
})

export const reluForward = (x: Vec) => each(x, (v) => v > 0 ? v : 0)
export const reluBackward = (dy: Vec, x: Vec) => back(dy, x, (v) => v > 0 ? 1 : 0)

export const siluForward = (x: Vec) => each(x, (v) => v * sigmoid(v))
export const siluBackward = (dy: Vec, x: Vec) => back(dy, x, (v) => {
  const s = sigmoid(v)
  return s * (1 + v * (1 - s))
})

export const tanhForward = (x: Vec) => each(x, Math.tanh)
export const tanhBackward = (dy: Vec, y: Vec) => back(dy, y, (v) => 1 - v * v)
