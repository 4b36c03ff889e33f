/**
 * Where tensors lie in a safetensors file that is to be written: its header, and each tensor's place. A file can then be
 * written one tensor at a time, in any order.
 * @module
 */
import { aString, show } from '../assert.ts'
import { compareDtypes, dtypeSize, isDtype } from './dtype.ts'
import type { Dtype } from './dtype.ts'
import { countElements } from './tensor-file.ts'

/** Bytes of the header's length. */
export const PREFIX_BYTES = 8

/** Longest header: the limit of the format's own library. */
export const MAX_HEADER_BYTES = 100_000_000

/** A tensor to be placed. */
export interface TensorShape {
  readonly name: string
  readonly dtype: Dtype
  readonly shape: readonly number[]
}

/** A file without its tensors' bytes. */
export interface SafetensorsLayout {
  /** The first bytes of the file: the length of the JSON, the JSON, blanks up to a multiple of 8. */
  readonly header: Uint8Array
  /** First byte of each tensor in the file. */
  readonly places: ReadonlyMap<string, number>
  /** Bytes of the whole file. */
  readonly bytes: number
}

/**
 * Lays tensors out. The same tensors give the same file, whatever order they come in: sorted by type (wide first, so that
 * each is aligned) and then by name, metadata by key, the header padded to 8 bytes. It is the order of the format's own
 * library.
 *
 * @throws TypeError or RangeError where a name, shape or type is wrong, or a name comes twice.
 */
export function layoutSafetensors(tensors: readonly TensorShape[], metadata: Readonly<Record<string, string>> = {}): SafetensorsLayout {
  const sized = tensors.map(tensor => ({ ...tensor, length: byteLength(tensor) }))
  sized.sort((a, b) => compareDtypes(a.dtype, b.dtype) || compareNames(a.name, b.name))

  const entries: string[] = []
  const keys = Object.keys(metadata).sort(compareNames)
  if (keys.length > 0) {
    const pairs = keys.map(key => `${quote(key)}:${quote(aString(`metadata.${key}`, metadata[key], true))}`)
    entries.push(`"__metadata__":{${pairs.join(',')}}`)
  }
  let offset = 0
  const offsets = new Map<string, number>()
  for (const { name, dtype, shape, length } of sized) {
    if (offsets.has(name)) throw new RangeError(`"tensors" expected different names, got ${show(name)} twice`)
    offsets.set(name, offset)
    const end = offset + length
    entries.push(`${quote(name)}:{"dtype":"${dtype}","shape":[${shape.join(',')}],"data_offsets":[${offset},${end}]}`)
    offset = end
  }
  const text = new TextEncoder().encode(`{${entries.join(',')}}`)
  const length = Math.ceil(text.length / 8) * 8
  if (length > MAX_HEADER_BYTES) {
    throw new RangeError(`"tensors" expected a header of at most ${MAX_HEADER_BYTES} bytes, got ${length}`)
  }
  const header = new Uint8Array(PREFIX_BYTES + length).fill(0x20)
  const view = new DataView(header.buffer)
  view.setUint32(0, length, true)
  view.setUint32(4, 0, true)
  header.set(text, PREFIX_BYTES)
  return {
    header, bytes: header.length + offset,
    places: new Map([...offsets].map(([name, start]) => [name, header.length + start])),
  }
}

function byteLength({ name, dtype, shape }: TensorShape): number {
  aString('tensor name', name)
  if (name === '__metadata__')
    throw new RangeError('"tensor name" expected a name other than "__metadata__", which is reserved')
  if (!isDtype(dtype)) throw new RangeError(`tensor ${show(name)}: "dtype" expected a known type, got ${show(dtype)}`)
  const count = countElements(shape)
  if (typeof count === 'string') throw new RangeError(`tensor ${show(name)}: ${count}`)
  return count * dtypeSize(dtype)
}

function quote(text: string): string {
  if (/\p{Surrogate}/u.test(text)) throw new RangeError(`"name" expected well-formed Unicode, got ${show(text)}`)
  return JSON.stringify(text)
}

/** Order of code points, which is also the order of UTF-8 bytes. */
function compareNames(a: string, b: string): number {
  const left = new TextEncoder().encode(a)
  const right = new TextEncoder().encode(b)
  for (let i = 0; i < left.length && i < right.length; i++) {
    if (left[i] !== right[i]) return left[i] - right[i]
  }
  return left.length - right.length
}
