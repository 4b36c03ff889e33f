/**
 * What is asked of a thread before it computes: audio worklets flush denormals, so do vectors of 32-bit ARM; one old
 * engine has a wrong sign of zero; and no memory may refuse to grow, or leave old views behind, unseen.
 * @module
 */
import type { Kernels } from './instantiate.ts'

/** What can be wrong, in the order of the bits of the kernel's answer. */
const ARITHMETIC = [
  'gradual underflow, got flushed denormals on this thread',
  'max(+0, -0) to be +0, got another sign of zero',
  'vectors to keep their lanes, got others',
  'one rounding to nearest for each operation, got another result',
] as const

/** What the arithmetic of this thread gets wrong, each as `expected ..., got ...` without the first word; none: fit. */
export function arithmeticFaults(kernels: Kernels): string[] {
  const answer = kernels['arithmetic_probe'](2 ** -126, 0.5, 1 + 2 ** -12, 0, 2 ** -1022)
  return ARITHMETIC.filter((_, bit) => (answer >> bit & 1) === 1)
}

/**
 * What the memory gets wrong: it must grow by a page, which fresh views then show, zeros first, as the kernels see it.
 * A memory that is at its maximum, or that threads share, is not made to grow.
 */
export function memoryFaults(kernels: Kernels, memory: WebAssembly.Memory, grow: boolean): string[] {
  if (new Uint8Array(Uint32Array.of(1).buffer)[0] !== 1) return ['numbers with their lowest byte first, got the highest first']
  const before = memory.buffer.byteLength
  if (memory.grow(0) * 65536 !== before) return [`a memory of ${before} bytes, got a view of another size`]
  if (!grow) return []
  try {
    memory.grow(1)
  } catch {
    return ['a memory that can grow by 64 KiB, but the runtime refused']
  }
  const { byteLength } = memory.buffer
  if (byteLength !== before + 65536) return [`a memory of ${before + 65536} bytes after growing, got ${byteLength}`]
  const page = new Float32Array(memory.buffer, before, 16384)
  if (page.some(value => value !== 0)) return ['zeros in new memory, got other numbers']
  page.fill(1)
  kernels['zero'](before, 16384)
  return page.some(value => value !== 0) ? ['kernels to write into the memory that views show, got another memory'] : []
}

/** @throws Error naming what is wrong, and what to do about it */
export function refuse(faults: readonly string[]): void {
  if (faults.length === 0) return
  throw new Error(`floating point and memory expected ${faults.join('; and ')}; results would differ from all other ` +
    'machines: run in a worker or a main thread, not in an audio worklet, or in another runtime (sotto doctor tells more)')
}
