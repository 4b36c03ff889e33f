/** The suite in an edge worker, within one request. */
import type { Ground } from '../../scripts/runtimes/stage.mjs'
import { workerd } from '../../src/runtime/workerd.ts'
import { suite } from './suite.ts'
import type { Check } from './suite.ts'

export function main({ root, modules }: Ground & { modules: Record<'simd' | 'scalar', WebAssembly.Module> }): Promise<Check[]> {
  return suite(workerd({ wasm: modules }), { model: `${root}/tiny-bert` })
}
