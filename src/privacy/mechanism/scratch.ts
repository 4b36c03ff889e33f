/**
 * The little that the mechanism asks of WebAssembly memory, and frames in it that are erased when they end.
 * @module
 */
import type { Kernels } from '../../wasm/instantiate.ts'

/** Kernels, their memory, and a stack of bytes in it. */
export interface Scratch {
  readonly kernels: Kernels
  readonly memory: WebAssembly.Memory
  /** Address of `bytes` bytes, aligned to 16. May grow the memory: views made before are then dead. */
  alloc(bytes: number): number
  /** The height of the stack. */
  mark(): number
  /** Frees everything allocated since `mark` gave this height. */
  release(height: number): void
}

/** Memory that lives as long as the call of `within` that made it. */
export interface Frame {
  readonly kernels: Kernels
  /** Address of `bytes` bytes, aligned to 16; contents unspecified. */
  alloc(bytes: number): number
  /** Copies an array in and returns its address. */
  put(data: Float32Array | Int32Array | Uint8Array): number
  /** Copies an array to an address of this frame. */
  set(ptr: number, data: Float32Array | Int32Array | Uint8Array): void
  /** Overwrites bytes with zeros before the frame ends. */
  erase(ptr: number, bytes: number): void
  /** Copies i32 out into an array of the caller's. */
  read(ptr: number, into: Int32Array): void
  /** An owned copy of n f32. */
  f32(ptr: number, n: number): Float32Array
  /** An owned copy of n i32. */
  i32(ptr: number, n: number): Int32Array
}

/** Runs `run` with a frame of its own; whatever it allocated is overwritten with zeros and freed, also when it throws. */
export function within<T>(scratch: Scratch, run: (frame: Frame) => T): T {
  const { kernels, memory } = scratch
  const height = scratch.mark()
  const taken: [ptr: number, bytes: number][] = []
  const bytesAt = (ptr: number, bytes: number) => new Uint8Array(memory.buffer, ptr, bytes)
  const alloc = (bytes: number) => {
    const ptr = scratch.alloc(bytes)
    taken.push([ptr, bytes])
    return ptr
  }
  const set = (ptr: number, data: Float32Array | Int32Array | Uint8Array) => {
    bytesAt(ptr, data.byteLength).set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength))
  }
  const frame: Frame = {
    kernels, alloc, set,
    put(data) {
      const ptr = alloc(data.byteLength)
      set(ptr, data)
      return ptr
    },
    erase(ptr, bytes) { bytesAt(ptr, bytes).fill(0) },
    read(ptr, into) { into.set(new Int32Array(memory.buffer, ptr, into.length)) },
    f32: (ptr, n) => new Float32Array(memory.buffer, ptr, n).slice(),
    i32: (ptr, n) => new Int32Array(memory.buffer, ptr, n).slice(),
  }
  try {
    return run(frame)
  } finally {
    for (const [ptr, bytes] of taken) bytesAt(ptr, bytes).fill(0)
    scratch.release(height)
  }
}
