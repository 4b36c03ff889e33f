/**
 * A block of an engine's memory on which kernels are called one after another.
 * @module
 */
import type { Kernels } from '../wasm/instantiate.ts'
import type { Engine } from '../wasm/engine.ts'

/** Bytes of a desk: the largest product of the programme and room beside it. */
const BYTES = 8 * 2 ** 20

/** Places arrays, 64-byte aligned, until it is cleared. */
export class Desk {
  readonly engine: Engine
  readonly k: Kernels
  readonly #base: number
  #top: number

  constructor(engine: Engine) {
    this.engine = engine
    this.k = engine.kernels
    this.#base = engine.arena.reserve(BYTES)
    this.#top = this.#base
  }

  /** Forgets what lies here. */
  clear(): void { this.#top = this.#base }

  /** Address of bytes that hold zeros. */
  space(bytes: number): number {
    const ptr = this.#top
    this.#top = Math.ceil((ptr + bytes) / 64) * 64
    if (this.#top > this.#base + BYTES) throw new RangeError(`"desk" expected at most ${BYTES} bytes, got ${this.#top - this.#base}`)
    this.engine.arena.u8(ptr, bytes).fill(0)
    return ptr
  }

  /** Copies an array in. */
  put(data: Float32Array | Float64Array | Int32Array | Uint16Array | Uint8Array): number {
    const ptr = this.space(data.byteLength)
    this.engine.arena.u8(ptr, data.byteLength).set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength))
    return ptr
  }

  /** Copies out. */
  f32(ptr: number, length: number): Float32Array { return this.engine.arena.f32(ptr, length).slice() }
  i32(ptr: number, length: number): Int32Array { return this.engine.arena.i32(ptr, length).slice() }
  u8(ptr: number, length: number): Uint8Array { return this.engine.arena.u8(ptr, length).slice() }
}
