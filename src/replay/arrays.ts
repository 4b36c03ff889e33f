/**
 * Reads the blocks of a file of arrays, one after another.
 * @module
 */
import { FormatError } from '../errors.ts'
import { ARRAYS_FILE } from './format.ts'
import { BLOCK_HEADER, readHeader, unpackFloats, unpackIntegers } from './pack.ts'
import type { BlockHeader } from './pack.ts'

/** The blocks of a file, in their order. */
export class ArrayReader {
  #bytes: Uint8Array
  #at = 0

  constructor(bytes: Uint8Array) { this.#bytes = bytes }

  /** Whether all has been read. */
  get ended(): boolean { return this.#at === this.#bytes.length }

  /** @throws FormatError where the next block is not one of `length` f32 */
  floats(length: number): Float32Array {
    const { header, payload, title } = this.#next('f32', length)
    return unpackFloats(payload, header, title)
  }

  /** @throws FormatError where the next block is not one of `length` integers */
  integers(length: number): Int32Array {
    const { header, payload, title } = this.#next('integers', length)
    return unpackIntegers(payload, header, title)
  }

  #next(kind: BlockHeader['kind'], length: number): { header: BlockHeader, payload: Uint8Array, title: string } {
    const title = `${ARRAYS_FILE}, byte ${this.#at}:`
    if (this.#at + BLOCK_HEADER > this.#bytes.length) throw new FormatError(`${title} expected a block, got the end of the file: it was cut off`)
    const header = readHeader(this.#bytes.subarray(this.#at, this.#at + BLOCK_HEADER), title)
    const from = this.#at + BLOCK_HEADER, to = from + header.bytes
    if (header.kind !== kind || header.count !== length) {
      throw new FormatError(`${title} expected ${length} numbers (${kind}), got ${header.count} (${header.kind})`)
    }
    if (to > this.#bytes.length) throw new FormatError(`${title} expected ${header.bytes} bytes, got the end of the file: it was cut off`)
    this.#at = to
    return { header, payload: this.#bytes.subarray(from, to), title }
  }
}
