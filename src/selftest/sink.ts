/**
 * Numbers on their way into a hash: NaN has one form there, since engines and processors disagree about its sign and
 * payload, and nothing else is touched.
 * @module
 */
import { sha256 } from '@noble/hashes/sha2.js'
import { bytesToHex } from '@noble/hashes/utils.js'

/** Collects arrays and numbers; gives the SHA-256 of all of them, little-endian, each with its length before it. */
export class Sink {
  readonly #hash = sha256.create()

  f32(values: Float32Array): this {
    const bits = new Uint32Array(values.slice().buffer)
    for (let i = 0; i < bits.length; i++) if ((bits[i] & 0x7fffffff) > 0x7f800000) bits[i] = 0x7fc00000
    return this.#bytes(bits)
  }

  f64(...values: number[]): this {
    const words = new Uint32Array(Float64Array.from(values).buffer)
    values.forEach((value, i) => {
      if (value === value) return
      words[2 * i] = 0
      words[2 * i + 1] = 0x7ff80000
    })
    return this.#bytes(words)
  }

  i32(values: Int32Array): this { return this.#bytes(values) }

  u8(values: Uint8Array): this { return this.#bytes(values) }

  text(...words: readonly string[]): this {
    for (const word of words) this.#bytes(new TextEncoder().encode(word))
    return this
  }

  /** The hash, in hexadecimal; the sink is used up. */
  digest(): string { return bytesToHex(this.#hash.digest()) }

  #bytes(array: Uint32Array | Int32Array | Uint8Array): this {
    this.#hash.update(new Uint8Array(Uint32Array.of(array.byteLength).buffer))
    this.#hash.update(new Uint8Array(array.buffer, array.byteOffset, array.byteLength))
    return this
  }
}
