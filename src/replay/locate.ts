/**
 * Where two vectors of a slice part: tensor, row, column.
 * @module
 */
import type { Slice } from '../peft/slice.ts'

/** A place in a slice. */
export interface Place {
  /** The tensor's name; `(quantile)` for the coordinate that counts clipped updates, which is no tensor's. */
  readonly tensor: string
  readonly row: number
  readonly column: number
}

/** Name of what lies beyond a slice's parts. */
const BEYOND = '(quantile)'

/** The place of an index in a vector of a slice. */
export function placeOf(slice: Slice, index: number): Place {
  let at = index
  for (const { tensor, from, to, columns } of slice.parts) {
    const length = (to - from) * columns
    if (at < length) return { tensor, row: from + Math.floor(at / columns), column: at % columns }
    at -= length
  }
  return { tensor: BEYOND, row: 0, column: at }
}

/** First index at which two arrays differ, by their bits; undefined where they are equal. */
export function firstDifference(a: Int32Array | Float32Array, b: Int32Array | Float32Array): number | undefined {
  const bits = (values: Int32Array | Float32Array) => new Int32Array(values.buffer, values.byteOffset, values.length)
  const x = bits(a), y = bits(b)
  const length = Math.min(x.length, y.length)
  for (let i = 0; i < length; i++) if (x[i] !== y[i]) return i
  return x.length === y.length ? undefined : length
}

/**
 * Marks of the parts of a vector: eight hexadecimal digits for each part of the slice, one after another, and eight for
 * what lies beyond. They tell in which tensor a vector was changed where only its hash is known otherwise. They are no
 * proof: the hash is.
 */
export function marksOf(slice: Slice, values: Int32Array): string {
  let marks = '', at = 0
  for (const { from, to, columns } of slice.parts) {
    const end = at + (to - from) * columns
    marks += markOf(values, at, end)
    at = end
  }
  return at < values.length ? marks + markOf(values, at, values.length) : marks
}

/** The first tensor whose mark differs; undefined where all are equal or the lists are not of one slice. */
export function tensorOfMarks(slice: Slice, a: string, b: string): string | undefined {
  if (a.length !== b.length) return undefined
  for (let i = 0; i * 8 < a.length; i++) {
    if (a.slice(i * 8, i * 8 + 8) !== b.slice(i * 8, i * 8 + 8)) return slice.parts[i]?.tensor ?? BEYOND
  }
  return undefined
}

/**
 * With f(h, v) = x ^ (x >>> 15), x = (h ^ v) * 0x21f0aaad mod 2^32: four lanes start as 0, 1, 2, 3; each four numbers are
 * folded by f into them, one each; the last one to three into lane 0; then lanes 1, 2 and 3 into lane 0. A change of one number
 * always shows, since f is a bijection of either argument.
 */
function markOf(values: Int32Array, from: number, to: number): string {
  let a = 0, b = 1, c = 2, d = 3, i = from
  for (; i + 4 <= to; i += 4) {
    a = Math.imul(a ^ values[i], FACTOR)
    b = Math.imul(b ^ values[i + 1], FACTOR)
    c = Math.imul(c ^ values[i + 2], FACTOR)
    d = Math.imul(d ^ values[i + 3], FACTOR)
    a ^= a >>> 15
    b ^= b >>> 15
    c ^= c >>> 15
    d ^= d >>> 15
  }
  for (; i < to; i++) a = fold(a, values[i])
  return (fold(fold(fold(a, b), c), d) >>> 0).toString(16).padStart(8, '0')
}

const FACTOR = 0x21f0aaad

function fold(h: number, v: number): number {
  const x = Math.imul(h ^ v, FACTOR)
  return x ^ (x >>> 15)
}
