/**
 * The safetensors format, read as if its author were an enemy.
 *
 * Layout: 8 bytes N (little-endian u64), N bytes of JSON, then the tensors' bytes. Everything is checked before the
 * first value is read: the header's length, UTF-8, JSON (depth, repeated keys), each tensor's type, shape, size and
 * place, and that the tensors together fill the rest of the file with neither overlap nor gap. So no byte of the file
 * has two meanings, and none is hidden.
 * @module
 */
import { anInteger, show } from '../assert.ts'
import { FormatError } from '../errors.ts'
import { dtypeSize, fromF32, isDtype } from './dtype.ts'
import type { Dtype } from './dtype.ts'
import { asObject, parseJson } from './json.ts'
import { layoutSafetensors, MAX_HEADER_BYTES, PREFIX_BYTES } from './safetensors-layout.ts'
import type { FileSource } from './source.ts'
import { countElements, tensorInfo } from './tensor-file.ts'
import type { TensorFile, TensorInfo } from './tensor-file.ts'

interface Placed extends TensorInfo {
  /** First byte of the tensor in the file. */
  readonly start: number
}

interface Header {
  readonly tensors: ReadonlyMap<string, Placed>
  readonly metadata: ReadonlyMap<string, string>
}

/**
 * Reads a file that is in memory.
 *
 * @param bytes The whole file. It must not change while the result is in use.
 * @param title What the file is called, for errors.
 * @throws FormatError, naming the tensor and the byte.
 */
export function parseSafetensors(bytes: Uint8Array, title = 'safetensors'): TensorFile {
  const headerLength = readPrefix(bytes.subarray(0, PREFIX_BYTES), bytes.length, title)
  const header = readHeader(bytes.subarray(PREFIX_BYTES, PREFIX_BYTES + headerLength), bytes.length, title)
  return tensorFile(header, title, async (start, end) => bytes.slice(start, end))
}

/**
 * Opens a file: reads its header only. Values are read one tensor at a time where the source can read ranges, so that
 * a large file is never in memory as a whole.
 *
 * @throws FormatError, naming the tensor and the byte.
 */
export async function openSafetensors(source: FileSource, name: string): Promise<TensorFile> {
  const { readRange, size } = source
  if (readRange === undefined || size === undefined) return parseSafetensors(await source.read(name), name)
  const fileLength = anInteger(`size of ${name}`, await size.call(source, name))
  const range = async (start: number, end: number, into?: Uint8Array): Promise<Uint8Array> => {
    const bytes = await readRange.call(source, name, start, end, into)
    if (bytes.length !== end - start) {
      throw new FormatError(`${show(name)} expected ${end - start} bytes from byte ${start}, got ${bytes.length}`)
    }
    return bytes
  }
  const prefix = await range(0, Math.min(PREFIX_BYTES, fileLength))
  const headerLength = readPrefix(prefix, fileLength, name)
  const header = readHeader(await range(PREFIX_BYTES, PREFIX_BYTES + headerLength), fileLength, name)
  return tensorFile(header, name, range)
}

/** A tensor to be written. */
export interface TensorData {
  /** Element type in the file. */
  readonly dtype: Dtype
  readonly shape: readonly number[]
  /** Values, rounded to a floating `dtype` (nearest, ties to even), or the little-endian bytes themselves. */
  readonly data: Float32Array | Uint8Array
}

/**
 * Writes a file. The same tensors give the same bytes, whatever order they come in: tensors are sorted by type (wide
 * first, so that each is aligned) and then by name, metadata by key, and the header is padded to 8 bytes. It is the
 * order of the format's own library.
 *
 * @throws TypeError or RangeError where a name, shape, type or length is wrong.
 */
export function writeSafetensors(
  tensors: ReadonlyMap<string, TensorData>,
  metadata: Readonly<Record<string, string>> = {},
): Uint8Array {
  const { header, places, bytes } = layoutSafetensors([...tensors].map(([name, { dtype, shape }]) => ({ name, dtype, shape })), metadata)
  const out = new Uint8Array(bytes)
  out.set(header)
  for (const [name, tensor] of tensors) out.set(encode(name, tensor), places.get(name)!)
  return out
}

function tensorFile(
  header: Header,
  title: string,
  range: (start: number, end: number, into?: Uint8Array) => Promise<Uint8Array>,
): TensorFile {
  const file: TensorFile = Object.freeze({
    title,
    tensors: header.tensors,
    metadata: header.metadata,
    bytes: async (name: string) => {
      const { start, byteLength } = tensorInfo(file, name) as Placed
      return byteLength === 0 ? new Uint8Array(0) : range(start, start + byteLength)
    },
    range: async (name: string, from: number, to: number, into?: Uint8Array) => {
      const { start } = tensorInfo(file, name) as Placed
      return from === to ? new Uint8Array(0) : range(start + from, start + to, into)
    },
  })
  return file
}

function readPrefix(prefix: Uint8Array, fileLength: number, title: string): number {
  if (prefix.length < PREFIX_BYTES) {
    throw new FormatError(
      `${show(title)} expected at least 8 bytes (the header's length), got ${prefix.length} at byte 0`,
    )
  }
  const view = new DataView(prefix.buffer, prefix.byteOffset, PREFIX_BYTES)
  const length = view.getUint32(0, true) + view.getUint32(4, true) * 2 ** 32
  if (length > MAX_HEADER_BYTES) {
    throw new FormatError(
      `${show(title)} expected a header of at most ${MAX_HEADER_BYTES} bytes, got ${length} at byte 0`,
    )
  }
  if (length > fileLength - PREFIX_BYTES) {
    throw new FormatError(
      `${show(title)} expected a header inside the file's ${fileLength} bytes, got a length of ${length} at byte 0; ` +
      'the file may have been cut short',
    )
  }
  return length
}

function readHeader(bytes: Uint8Array, fileLength: number, title: string): Header {
  if (bytes[0] !== 0x7b) {
    throw new FormatError(`${show(title)} expected "{" at byte ${PREFIX_BYTES}, got ${show(bytes[0])}`)
  }
  const { value, keyBytes } = parseJson(bytes, title, PREFIX_BYTES, 4)
  const dataStart = PREFIX_BYTES + bytes.length
  const dataLength = fileLength - dataStart
  const metadata = new Map<string, string>()
  const found: Placed[] = []
  for (const [name, entry] of Object.entries(asObject(value, title))) {
    const where = `${show(title)} tensor ${show(name)} (header byte ${keyBytes.get(name)})`
    if (name === '__metadata__')
      readMetadata(entry, metadata, `${show(title)} "__metadata__" (header byte ${keyBytes.get(name)})`)
    else found.push(readEntry(name, entry, dataStart, dataLength, where))
  }

  // Empty tensors share their place with the next, so ties go by length.
  found.sort((a, b) => a.start - b.start || a.byteLength - b.byteLength)
  let end = dataStart
  let previous = 'the header'
  for (const { name, start, byteLength } of found) {
    if (start !== end) {
      const what = start < end ? 'overlaps' : 'leaves a gap after'
      throw new FormatError(
        `${show(title)} tensor ${show(name)} expected to start at byte ${end}, ` +
          `got byte ${start}: it ${what} ${previous}`,
      )
    }
    end = start + byteLength
    previous = `tensor ${show(name)}`
  }
  if (end !== fileLength) {
    throw new FormatError(
      `${show(title)} expected the file to end at byte ${end} with ${previous}, got ${fileLength} bytes`,
    )
  }
  return { tensors: new Map(found.map(tensor => [tensor.name, Object.freeze(tensor)])), metadata }
}

function readEntry(name: string, entry: unknown, dataStart: number, dataLength: number, where: string): Placed {
  const fail = (detail: string): never => {
    throw new FormatError(`${where}: ${detail}`)
  }
  if (entry === null || typeof entry !== 'object' || Array.isArray(entry)) {
    return fail(`expected an object, got ${show(entry)}`)
  }
  for (const key of Object.keys(entry)) {
    if (key !== 'dtype' && key !== 'shape' && key !== 'data_offsets') {
      return fail(`expected the keys dtype, shape and data_offsets, got ${show(key)}`)
    }
  }
  const field = (key: string): unknown =>
    Object.hasOwn(entry, key) ? (entry as Record<string, unknown>)[key] : undefined
  const dtype = field('dtype')
  if (!isDtype(dtype)) return fail(`"dtype" expected F32, F16, BF16 or another known type, got ${show(dtype)}`)
  const shape = field('shape')
  const count = countElements(shape)
  if (typeof count === 'string') return fail(count)
  const offsets = field('data_offsets')
  if (!Array.isArray(offsets) || offsets.length !== 2 || !offsets.every(at => Number.isSafeInteger(at) && at >= 0)) {
    return fail(`"data_offsets" expected two integers >= 0, got ${show(offsets)}`)
  }
  const [begin, end] = offsets as [number, number]
  if (begin > end) return fail(`"data_offsets" expected begin <= end, got [${begin}, ${end}]`)
  if (end > dataLength) {
    return fail(
      `"data_offsets" expected an end of at most ${dataLength} (byte ${dataStart + dataLength}, the file's end), ` +
        '' +
        `got ${end}; the file may have been cut short`,
    )
  }
  const byteLength = count * dtypeSize(dtype)
  if (end - begin !== byteLength) {
    return fail(`"data_offsets" expected ${byteLength} bytes for ${dtype} ${show(shape)}, got ${end - begin}`)
  }
  return { name, dtype, shape: Object.freeze([...shape as number[]]), byteLength, start: dataStart + begin }
}

function readMetadata(entry: unknown, out: Map<string, string>, where: string): void {
  if (entry === null || typeof entry !== 'object' || Array.isArray(entry)) {
    throw new FormatError(`${where}: expected an object of strings, got ${show(entry)}`)
  }
  for (const [key, value] of Object.entries(entry)) {
    if (typeof value !== 'string') throw new FormatError(`${where}: ${show(key)} expected a string, got ${show(value)}`)
    out.set(key, value)
  }
}

function encode(name: string, { dtype, shape, data }: TensorData): Uint8Array {
  const count = countElements(shape) as number
  if (data instanceof Float32Array) {
    if (data.length !== count) {
      throw new RangeError(
        `tensor ${show(name)}: "data" expected ${count} values for ${show(shape)}, got ${data.length}`,
      )
    }
    return fromF32(data, dtype)
  }
  if (data.length !== count * dtypeSize(dtype)) {
    throw new RangeError(
      `tensor ${show(name)}: "data" expected ${count * dtypeSize(dtype)} bytes for ${dtype} ${show(shape)}, ` +
        `got ${data.length}`,
    )
  }
  return data
}
