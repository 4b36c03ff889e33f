/**
 * The public slice of a round: which rows of which tensors are trained, clipped, noised and uploaded. One value, used by
 * optimiser, clip, noise and codec alike; nothing outside it moves. It is chosen from public randomness, never from
 * data, so it costs no privacy.
 * @module
 */
import { anInteger, aString } from '../assert.ts'
import type { Rows } from '../ops/pass.ts'
import type { Tensor } from '../tensor/tensor.ts'

/** Rows `from` .. `to` of one tensor. */
export interface SlicePart {
  readonly tensor: string
  readonly from: number
  readonly to: number
  /** Elements of a row. */
  readonly columns: number
}

/** A part of the trainable parameters. */
export interface Slice {
  /** Parts in the order in which they lie in an update's vector. */
  readonly parts: readonly SlicePart[]
  /** Elements in all. */
  readonly length: number
  /** Rank prefix b that a forward pass reads, where the slice is of an adapter. */
  readonly rank: number | undefined
}

/** Trainable tensors by name. */
export type Parameters = ReadonlyMap<string, Tensor>

/**
 * A slice from its parts.
 *
 * @throws RangeError for an empty part, a part twice, or an empty slice
 */
export function makeSlice(parts: readonly SlicePart[], rank?: number): Slice {
  if (parts.length === 0) throw new RangeError('"parts" expected at least one part, got none')
  const seen = new Map<string, SlicePart[]>()
  let length = 0
  for (const part of parts) {
    aString('tensor', part.tensor)
    anInteger(`${part.tensor}: from`, part.from)
    anInteger(`${part.tensor}: to`, part.to, part.from + 1)
    anInteger(`${part.tensor}: columns`, part.columns, 1)
    const others = seen.get(part.tensor) ?? []
    if (others.some(other => other.from < part.to && part.from < other.to)) {
      throw new RangeError(`"${part.tensor}" expected rows that no other part has, got ${part.from} to ${part.to} again`)
    }
    seen.set(part.tensor, [...others, part])
    length += (part.to - part.from) * part.columns
  }
  return Object.freeze({ parts: Object.freeze(parts.map(part => Object.freeze({ ...part }))), length, rank })
}

/** All rows of some tensors. */
export function wholeSlice(tensors: readonly Tensor[], rank?: number): Slice {
  return makeSlice(tensors.map(wholePart), rank)
}

/** All rows of a tensor. */
export function wholePart(tensor: Tensor): SlicePart {
  return { tensor: tensor.name, from: 0, to: tensor.rows, columns: tensor.columns }
}

/** The tensor of a part, checked against it. */
export function tensorOf(parameters: Parameters, part: SlicePart): Tensor {
  const tensor = parameters.get(part.tensor)
  if (tensor === undefined) {
    throw new RangeError(`slice expected a trainable tensor "${part.tensor}", got ${parameters.size} others; ` +
      'load the same model with the same adapter')
  }
  if (tensor.columns !== part.columns || part.to > tensor.rows) {
    throw new RangeError(`slice of "${part.tensor}" expected rows ${part.from} to ${part.to} of ${part.columns}, ` +
      `got a tensor of shape [${tensor.shape.join(', ')}]`)
  }
  return tensor
}

/** Rows that train, per tensor, as a pass wants them. */
export function trainedRows(parameters: Parameters, slice: Slice): Map<Tensor, Rows> {
  const rows = new Map<Tensor, Rows>()
  for (const part of slice.parts) {
    const tensor = tensorOf(parameters, part)
    if (rows.has(tensor)) throw new RangeError(`slice expected one part of "${part.tensor}" in training, got two`)
    rows.set(tensor, { from: part.from, to: part.to })
  }
  return rows
}

/** The slice's values, one part after another: [slice.length]; in a new array, or in `out`. */
export function readSlice(parameters: Parameters, slice: Slice, out: Float32Array = new Float32Array(slice.length)): Float32Array {
  let at = 0
  for (const part of slice.parts) {
    tensorOf(parameters, part).readInto(out, at, part.from, part.to)
    at += (part.to - part.from) * part.columns
  }
  return out
}

/** Overwrites the slice's values; nothing else changes. */
export function writeSlice(parameters: Parameters, slice: Slice, values: Float32Array): void {
  if (values.length !== slice.length) throw new RangeError(`"values" expected ${slice.length} values, got ${values.length}`)
  const tensors = slice.parts.map(part => tensorOf(parameters, part))
  let at = 0
  slice.parts.forEach((part, i) => {
    const length = (part.to - part.from) * part.columns
    tensors[i].write(values.subarray(at, at + length), part.from)
    at += length
  })
}
