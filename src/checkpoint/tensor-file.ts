/**
 * What every checkpoint format is read as: names, types and shapes known at once, bytes one tensor at a time.
 * @module
 */
import { sameShape, show } from '../assert.ts'
import { FormatError } from '../errors.ts'
import { isFloat, toF32 } from './dtype.ts'
import type { Dtype } from './dtype.ts'

/** A stored tensor without its values. */
export interface TensorInfo {
  readonly name: string
  readonly dtype: Dtype
  readonly shape: readonly number[]
  readonly byteLength: number
}

/** A checkpoint whose list of tensors has been checked wholly; values are read on demand. */
export interface TensorFile {
  /** What the file is called, for errors. */
  readonly title: string
  /** All tensors, in the order in which they lie in the file. */
  readonly tensors: ReadonlyMap<string, TensorInfo>
  /** Free text that the file carries, e.g. `format: pt`. */
  readonly metadata: ReadonlyMap<string, string>
  /**
   * The little-endian bytes of one tensor, row-major, in fresh memory that the caller owns.
   *
   * @throws FormatError where there is no such tensor, or the file ends early.
   */
  bytes(name: string): Promise<Uint8Array>
  /**
   * Bytes `start` up to, not including, `end` of one tensor, at the start of `into` (where there is one and the source can) or
   * in fresh memory.
   */
  range(name: string, start: number, end: number, into?: Uint8Array): Promise<Uint8Array>
}

/**
 * Looks a tensor up.
 *
 * @param shape If given, the shape that it must have.
 * @throws FormatError where there is none; RangeError where its shape differs.
 */
export function tensorInfo(file: TensorFile, name: string, shape?: readonly number[]): TensorInfo {
  const info = file.tensors.get(name)
  if (info === undefined) {
    throw new FormatError(
      `${show(file.title)} expected a tensor ${show(name)}, ` +
        `got ${file.tensors.size} tensors without it${nearest(file, name)}`,
    )
  }
  if (shape !== undefined) sameShape(`${file.title}: tensor ${name}`, info.shape, shape)
  return info
}

/**
 * One tensor's values as f32 in fresh memory: f16 and bf16 widened exactly, f64 rounded to nearest.
 *
 * @param shape If given, the shape that it must have.
 * @throws FormatError where there is no such tensor or its type is not floating; RangeError where its shape differs.
 */
export async function readF32(file: TensorFile, name: string, shape?: readonly number[]): Promise<Float32Array> {
  const { dtype } = tensorInfo(file, name, shape)
  if (!isFloat(dtype)) {
    throw new FormatError(
      `${show(file.title)} expected tensor ${show(name)} of type F32, F16, BF16 or F64, got ${dtype}; ` +
      'convert the checkpoint to one of these',
    )
  }
  return toF32(await file.bytes(name), dtype)
}

/** `a * b * ...`, or a message that says why the sizes are none. */
export function countElements(shape: unknown): number | string {
  if (!Array.isArray(shape)) return `"shape" expected an array, got ${show(shape)}`
  if (shape.length > 32) return `"shape" expected at most 32 sizes, got ${shape.length}`
  let count = 1
  for (const size of shape) {
    if (typeof size !== 'number' || !Number.isSafeInteger(size) || size < 0) {
      return `"shape" expected integers >= 0, got ${show(size)}`
    }
    count *= size
    if (!Number.isSafeInteger(count)) return `"shape" expected a product below 2^53, got ${show(shape)}`
  }
  return count
}

/** A hint that helps with the usual mistake: the same name under another prefix. */
function nearest(file: TensorFile, name: string): string {
  const tail = name.split('.').slice(-3).join('.')
  const found = [...file.tensors.keys()].filter(other => other.endsWith(tail)).slice(0, 3)
  return found.length === 0 ? '' : `; similar names: ${found.map(show).join(', ')}`
}
