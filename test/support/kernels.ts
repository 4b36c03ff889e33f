/** Kernels over a memory of their own, with a bump allocator: for tests of kernels, below arena and graph. */
import { readFileSync } from 'node:fs'
import { instantiate, type Kernels } from '../../src/wasm/instantiate.ts'

export type Variant = 'simd' | 'shared' | 'scalar'
export const variants: readonly Variant[] = ['simd', 'scalar']

export interface Bench {
  readonly variant: Variant
  readonly k: Kernels
  /** Copies an array into memory (16-byte aligned) and returns its address. */
  put(data: Float32Array | Int32Array | Uint8Array): number
  /** Reserves n f32, filled with 12345 so that an element that was not written shows. */
  out(n: number): number
  /** Overwrites the f32 at an address. */
  write(ptr: number, data: Float32Array): void
  /** Reserves bytes without writing them: scratch. */
  space(bytes: number): number
  /** A copy of n f32. */
  f32(ptr: number, n: number): Float32Array
  /** A copy of n i32: compare these for «same bits». */
  i32(ptr: number, n: number): Int32Array
  /** Forgets everything put so far. */
  reset(): void
}

export async function bench(variant: Variant, pages = 1024): Promise<Bench> {
  const module = new WebAssembly.Module(readFileSync(`dist/wasm/sotto.${variant}.wasm`))
  const memory = new WebAssembly.Memory({ initial: pages, maximum: 65536, shared: variant === 'shared' })
  const k = await instantiate(module, memory)
  const base = 65536
  let top = base
  const reserve = (bytes: number) => {
    const ptr = top
    top = (top + bytes + 15) & ~15
    if (top > memory.buffer.byteLength) memory.grow(Math.ceil((top - memory.buffer.byteLength) / 65536))
    return ptr
  }
  return {
    variant, k,
    put(data) {
      const ptr = reserve(data.byteLength)
      new Uint8Array(memory.buffer, ptr, data.byteLength).set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength))
      return ptr
    },
    out(n) {
      const ptr = reserve(n * 4)
      new Float32Array(memory.buffer, ptr, n).fill(12345)
      return ptr
    },
    space: reserve,
    write: (ptr, data) => new Float32Array(memory.buffer, ptr, data.length).set(data),
    f32: (ptr, n) => new Float32Array(memory.buffer, ptr, n).slice(),
    i32: (ptr, n) => new Int32Array(memory.buffer, ptr, n).slice(),
    reset() { top = base },
  }
}
