/** Twin of assembly/kernels/convert.ts, from the definition of the formats in double precision. */
import type { Vec } from './vec.ts'

/** Value of a small float with `e` exponent and `m` mantissa bits. */
function value(word: number, e: number, m: number): number {
  const sign = word >>> (e + m) ? -1 : 1, exponent = (word >>> m) & ((1 << e) - 1), mantissa = word & ((1 << m) - 1)
  const bias = (1 << (e - 1)) - 1
  if (exponent === (1 << e) - 1) return mantissa ? NaN : sign * Infinity
  return sign * (exponent === 0 ? mantissa * 2 ** (1 - bias - m) : (1 + mantissa / 2 ** m) * 2 ** (exponent - bias))
}

/** The word nearest to x, ties to even; for NaN some quiet NaN of its sign is right, here the positive plain one. */
function nearest(x: number, e: number, m: number): number {
  const sign = Object.is(Math.sign(x), -0) || x < 0 ? 1 << (e + m) : 0, infinite = ((1 << e) - 1) << m
  const bias = (1 << (e - 1)) - 1, size = Math.abs(x)
  if (Number.isNaN(x)) return infinite | (1 << (m - 1))
  if (size === Infinity) return sign | infinite
  // in units of the last place of its binade, an exact division by a power of two
  const exponent = Math.max(1 - bias, size === 0 ? -Infinity : floorLog2(size))
  const units = size / 2 ** (exponent - m), low = Math.floor(units)
  const up = units - low > 0.5 || (units - low === 0.5 && low % 2 === 1)
  // words of positive numbers are in order, and a mantissa that overflows carries into the exponent
  return sign | Math.min(infinite, ((exponent + bias - 1) << m) + low + (up ? 1 : 0))
}

function floorLog2(x: number): number {
  let k = Math.floor(Math.log2(x))
  if (2 ** k > x) k--
  if (2 ** (k + 1) <= x) k++
  return k
}

export const f16ToF32 = (x: Vec) => Float64Array.from(x, (w) => value(w, 5, 10))
export const bf16ToF32 = (x: Vec) => Float64Array.from(x, (w) => value(w, 8, 7))
export const f32ToF16 = (x: Vec) => Uint16Array.from(x, (v) => nearest(v, 5, 10))
export const f32ToBf16 = (x: Vec) => Uint16Array.from(x, (v) => nearest(v, 8, 7))
