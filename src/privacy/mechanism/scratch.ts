/**
 * The little that the mechanism asks of WebAssembly memory, and frames in it that are erased when they end.
 * @module
 */
import type { Kernels } from '../../wasm/instantiate.ts'

/** What is copied in and out. */
export type Numbers = Float32Array | Float64Array | Int32Array | Uint8Array

/** Kernels and a memory that lends blocks: an engine is one. */
export interface Scratch {
  readonly kernels: Kernels
  readonly arena: {
    readonly memory: WebAssembly.Memory
    /** Runs `body` with a block of `bytes`, aligned to 16, that is given back when it ends, however it ends. */
    frame<R>(bytes: number, body: (ptr: number) => R): R
  }
}

/** Memory that lives as long as the call of `within` that made it. */
export interface Frame {
  readonly kernels: Kernels
  /** Address of `bytes` bytes, aligned to 16, all zero. */
  alloc(bytes: number): number
  /** Copies an array in and returns its address. */
  put(data: Numbers): number
  /** Copies an array to an address of this frame. */
  set(ptr: number, data: Numbers): void
  /** Overwrites bytes with zeros before the frame ends. */
  erase(ptr: number, bytes: number): void
  /** Copies bytes out into an array of the caller's. */
  read(ptr: number, into: Numbers): void
  /** An owned copy of n f32. */
  f32(ptr: number, n: number): Float32Array
  /** An owned copy of n i32. */
  i32(ptr: number, n: number): Int32Array
}

/** Room for three streams with key and label, and for alignment. */
const SLACK = 4096

/**
 * Runs `run` with a frame of `bytes` bytes and a few streams; all of it is overwritten with zeros when it ends, also
 * when it throws.
 */
export function within<R>(scratch: Scratch, bytes: number, run: (frame: Frame) => R): R {
  const { kernels, arena } = scratch
  const { memory } = arena
  const size = bytes + SLACK
  // views are made anew at each access: the memory may have grown
  const bytesAt = (ptr: number, count: number) => new Uint8Array(memory.buffer, ptr, count)
  return arena.frame(size, (base) => {
    let used = 0
    const take = (count: number) => {
      const ptr = base + used
      used += Math.ceil(count / 16) * 16
      if (used > size) throw new Error(`frame expected at most ${size} bytes, got a need of ${used}`)
      return ptr
    }
    const alloc = (count: number) => {
      const ptr = take(count)
      bytesAt(ptr, count).fill(0)
      return ptr
    }
    const set = (ptr: number, data: Numbers) => {
      bytesAt(ptr, data.byteLength).set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength))
    }
    try {
      return run({
        kernels, alloc, set,
        put(data) {
          const ptr = take(data.byteLength)
          set(ptr, data)
          return ptr
        },
        erase(ptr, count) { bytesAt(ptr, count).fill(0) },
        read(ptr, into) {
          new Uint8Array(into.buffer, into.byteOffset, into.byteLength).set(bytesAt(ptr, into.byteLength))
        },
        f32: (ptr, n) => new Float32Array(memory.buffer, ptr, n).slice(),
        i32: (ptr, n) => new Int32Array(memory.buffer, ptr, n).slice(),
      })
    } finally {
      bytesAt(base, Math.min(size, used)).fill(0)
    }
  })
}
