/**
 * A stored matrix some rows at a time, so that a large table is never whole in memory: as f32 whatever its type, or, where
 * it is stored so, as int8 with one scale a row.
 *
 * In a file that `sotto quantize` wrote, a matrix `NAME` of type I8 and shape [rows, columns] has a companion `NAME_scale`
 * of type F32 and shape [rows]; element [r, c] stands for f32(NAME[r, c]) * NAME_scale[r], rounded to f32. Integers go from
 * -127 to 127. The file's metadata names the layout and its version.
 * @module
 */
import { show } from '../assert.ts'
import { FormatError } from '../errors.ts'
import { dtypeSize, isFloat, toF32 } from './dtype.ts'
import type { Weights } from './weights.ts'

/** Metadata of a file with int8 matrices. */
export const QUANTIZATION = 'quantization', QUANTIZATION_NAME = 'sotto-int8-rows'
export const QUANTIZATION_VERSION = 'quantization_version', CURRENT_VERSION = '1'

/** Name of the scales of an int8 matrix. */
export function scaleName(name: string): string { return `${name}_scale` }

/** Bytes that are read at a time, and the memory for them: one matrix of a checkpoint is read after another. */
const CHUNK = 2 ** 18
const buffers = new WeakMap<Weights, Uint8Array>()

/** Integers [rows, columns] and a scale for each row. */
export interface Int8Rows {
  readonly values: Int8Array
  readonly scales: Float32Array
}

/** Whether a matrix is stored as int8. FormatError where it has scales but is not. */
export function isInt8(weights: Weights, name: string): boolean {
  const { dtype } = weights.info(name)
  if (dtype !== 'I8' && weights.has(scaleName(name))) {
    throw new FormatError(`tensor ${show(name)} expected type I8, since it has scales (${show(scaleName(name))}), got ${dtype}; write the file again with sotto quantize`)
  }
  return dtype === 'I8'
}

/**
 * Rows of an int8 matrix, as stored.
 *
 * @param use Given the rows from `from` on; the arrays are used again for the next.
 * @throws FormatError where the file, a scale or an integer is not as above; RangeError where the shape differs.
 */
export async function eachInt8Rows(
  weights: Weights, name: string, shape: readonly [number, number], use: (rows: Int8Rows, from: number) => void | Promise<void>,
): Promise<void> {
  const [, columns] = shape
  const scales = await readScales(weights, name, shape)
  await eachChunk(weights, name, shape, columns, (bytes, from, to) => {
    const values = new Int8Array(bytes.buffer, bytes.byteOffset, bytes.length)
    const bad = values.indexOf(-128)
    if (bad >= 0) throw new FormatError(`tensor ${show(name)} expected integers from -127 to 127, got -128 at row ${from + Math.floor(bad / columns)}`)
    return use({ values, scales: scales.subarray(from, to) }, from)
  })
}

/**
 * Rows of a matrix as f32, whatever it is stored as.
 *
 * @param use Given the rows from `from` on; the array is used again for the next.
 * @throws FormatError where its type is neither floating nor int8; RangeError where the shape differs.
 */
export async function eachF32Rows(
  weights: Weights, name: string, shape: readonly [number, number], use: (values: Float32Array, from: number) => void | Promise<void>,
): Promise<void> {
  const [, columns] = shape
  if (isInt8(weights, name)) return eachInt8Rows(weights, name, shape, (rows, from) => use(widenRows(rows, columns), from))
  const { dtype } = weights.info(name, shape)
  if (!isFloat(dtype)) throw new FormatError(`tensor ${show(name)} expected type F32, F16, BF16, F64 or I8, got ${dtype}; convert the checkpoint to one of these`)
  await eachChunk(weights, name, shape, columns * dtypeSize(dtype), (bytes, from) => use(dtype === 'F32' ? f32View(bytes) : toF32(bytes, dtype), from))
}

/** The f32 values of int8 rows: one product each, rounded to f32. */
export function widenRows({ values, scales }: Int8Rows, columns: number): Float32Array {
  const out = new Float32Array(values.length)
  scales.forEach((scale, r) => {
    for (let i = r * columns; i < (r + 1) * columns; i++) out[i] = values[i] * scale
  })
  return out
}

/** The same bytes as f32, where the host's order and the place allow it: large tables then leave no garbage. */
function f32View(bytes: Uint8Array): Float32Array {
  const little = new Uint8Array(new Uint16Array([1]).buffer)[0] === 1
  return little && bytes.byteOffset % 4 === 0 ? new Float32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4) : toF32(bytes, 'F32')
}

async function readScales(weights: Weights, name: string, shape: readonly [number, number]): Promise<Float32Array> {
  weights.info(name, shape)
  const what = weights.metadata.get(QUANTIZATION), version = weights.metadata.get(QUANTIZATION_VERSION)
  if (what !== QUANTIZATION_NAME || version !== CURRENT_VERSION) {
    throw new FormatError(`file with the int8 tensor ${show(name)} expected metadata ${QUANTIZATION} ${show(QUANTIZATION_NAME)} of version ${CURRENT_VERSION}, ` +
      `got ${show(what)} of version ${version}; write it with sotto quantize`)
  }
  const scale = scaleName(name)
  const { dtype } = weights.info(scale, [shape[0]])
  if (dtype !== 'F32') throw new FormatError(`tensor ${show(scale)} expected type F32, got ${dtype}`)
  const scales = await weights.f32(scale, [shape[0]])
  const bad = scales.findIndex(value => !(value >= 0 && value < Infinity))
  if (bad >= 0) throw new FormatError(`tensor ${show(scale)} expected finite scales of at least 0, got ${scales[bad]} at row ${bad}`)
  return scales
}

async function eachChunk(
  weights: Weights, name: string, [rows, columns]: readonly [number, number], rowBytes: number,
  use: (bytes: Uint8Array, from: number, to: number) => void | Promise<void>,
): Promise<void> {
  const step = Math.max(1, Math.floor(CHUNK / Math.max(1, rowBytes)))
  const size = Math.min(step, rows) * rowBytes
  let into = buffers.get(weights)
  if (into === undefined || into.length < size) buffers.set(weights, into = new Uint8Array(Math.max(CHUNK, size)))
  for (let from = 0; from < rows; from += step) {
    const to = Math.min(rows, from + step)
    if (columns > 0) await use(await weights.range(name, from * rowBytes, to * rowBytes, into), from, to)
  }
}
