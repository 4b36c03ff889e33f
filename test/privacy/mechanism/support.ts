/** Kernels and memory, as the mechanism asks for them. */
import { readFileSync } from 'node:fs'
import type { Scratch } from '../../../src/privacy/mechanism/index.ts'
import { Arena } from '../../../src/wasm/arena.ts'
import { instantiate } from '../../../src/wasm/instantiate.ts'

export interface TestScratch extends Scratch {
  readonly arena: Arena
  /** All of the memory, now. */
  bytes(): Uint8Array
}

/** Starts with one page above the module's own, so that frames make it grow. */
export async function scratch(variant: 'simd' | 'scalar' = 'simd'): Promise<TestScratch> {
  const memory = new WebAssembly.Memory({ initial: 2, maximum: 65536 })
  const kernels = await instantiate(new WebAssembly.Module(readFileSync(`dist/wasm/sotto.${variant}.wasm`)), memory)
  return { kernels, arena: new Arena(memory), bytes: () => new Uint8Array(memory.buffer) }
}

export const seed = (first: number) => Uint8Array.from({ length: 32 }, (_, i) => (first + i * 7) & 255)
export const hex = (bytes: Uint8Array) => Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')
export const fromHex = (text: string) => Uint8Array.from(text.match(/../g) ?? [], (pair) => parseInt(pair, 16))
