/**
 * Which operation of a step is to blame for a number that is not finite.
 * @module
 */
import { NumericError } from '../errors.ts'
import type { Engine } from '../wasm/engine.ts'
import type { At, Node } from './value.ts'

/** Runs the step again, with the same bits, and looks at every output: the first that is not finite is to blame. */
export function explain({ kernels, arena }: Engine, nodes: readonly Node[], at: At, scratch: number): never {
  for (const node of nodes) {
    node.run(kernels, at, scratch)
    for (const value of node.outs) {
      const index = value.opaque ? -1 : kernels['first_nonfinite'](at(value), value.length)
      if (index < 0) continue
      const { op, layer } = node.blame?.(value, index) ?? node
      throw new NumericError(op, layer, `${arena.f32(at(value), value.length)[index]} at element ${index}`)
    }
  }
  throw new Error('step expected to give the same numbers when run again, got others; the memory was written from outside')
}
