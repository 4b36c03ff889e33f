/**
 * What kernels are asked: the values at which implementations differ, and seeded ones in between.
 * @module
 */
import { random } from '../random.ts'

const HALVES = [0.5, 1.5, 2.5, 3.5, 4194303.5, 8388607.5]
/** Ties, and neighbours of ties, on the way to f16 (11 bits) and bf16 (8 bits); the ends of both ranges. */
const NARROW = [1 + 2 ** -11, 1 + 3 * 2 ** -11, 1 + 2 ** -11 + 2 ** -23, 1 + 2 ** -8, 1 + 3 * 2 ** -8, 1 + 2 ** -8 + 2 ** -23,
  65504, 65519.996, 65520, 65536, 2 ** -14, 2 ** -15, 2 ** -24, 2 ** -25, 1.5 * 2 ** -25, 3.3961776e38]
/** Where exp, log, erf, tanh and what stands on them change their course. */
const EDGES = [0.34657359, 0.69314718, 0.70710678, 1.4142135, 3.92, 3.9199998, 9.999999, 10, 87.33654, 88.72283, 88.722839, 89,
  103.27893, 103.97208, 104, 105, 700, 8388608, 16777217, 2147483648, 4294967296, 1e-30, 1e30]
const SIZES = [0, 2 ** -149, 3 * 2 ** -149, 2 ** -127, 2 ** -126 - 2 ** -149, 2 ** -126, 1 - 2 ** -24, 1, 1 + 2 ** -23, 1 / 3, 3.4028235e38, Infinity]

/** Both signs of everything special, and NaN: denormals, zeros, infinities, ties, the largest, and edges of functions. */
export const SPECIAL: Float32Array = Float32Array.from([NaN, ...[...SIZES, ...HALVES, ...NARROW, ...EDGES].flatMap(x => [x, -x])])

/** Uniform in [-size, size). */
export function uniform(label: string, length: number, size = 1): Float32Array {
  const source = random('selftest', label)
  return Float32Array.from({ length }, () => (2 * source.uniform() - 1) * size)
}

/** Any bits: every exponent as often as another, NaN and infinities among them. */
export function anyBits(label: string, length: number): Float32Array {
  const source = random('selftest bits', label)
  const out = new Float32Array(length), bits = new Uint32Array(out.buffer)
  for (let i = 0; i < length; i++) bits[i] = source.u32()
  return out
}

/** Integers in [0, below). */
export function integers(label: string, length: number, below: number): Int32Array {
  const source = random('selftest integers', label)
  return Int32Array.from({ length }, () => source.below(below))
}

/** Every pair of two special values: the first of each, and the second. */
export function pairs(): [Float32Array, Float32Array] {
  const n = SPECIAL.length
  return [Float32Array.from({ length: n * n }, (_, i) => SPECIAL[i % n]), Float32Array.from({ length: n * n }, (_, i) => SPECIAL[(i - i % n) / n])]
}
