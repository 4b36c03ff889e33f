/**
 * The only file that imports the AssemblyScript loader (deprecated upstream): from here on the module is a plain
 * object of functions. Replaceable by `WebAssembly.instantiate` in one line.
 * @module
 */
import { instantiate as load } from '@assemblyscript/loader'

/** Kernels by name: numbers in, a number or nothing out. */
export type Kernels = Readonly<Record<string, (...args: number[]) => number>>

/** Instantiates a compiled module over a memory of ours; the memory is all that the module imports. */
export async function instantiate(module: WebAssembly.Module, memory: WebAssembly.Memory): Promise<Kernels> {
  const { instance } = await load(module as never, { env: { memory: memory as never } })
  return instance.exports as unknown as Kernels
}
