/** The suite on the floor: a host made from bytes and a way to read files, as in the jsc shell. */
import type { Ground } from '../../scripts/runtimes/stage.mjs'
import { generic } from '../../src/runtime/generic.ts'
import { groundFolder } from './ground-folder.ts'
import { suite } from './suite.ts'
import type { Check } from './suite.ts'

export async function main(ground: Ground): Promise<Check[]> {
  const simd = await ground.wasm('simd').catch(() => undefined), scalar = await ground.wasm('scalar')
  return suite(generic({ wasm: { scalar, ...simd && { simd } }, folder: path => groundFolder(ground, path) }), { model: 'tiny-bert' })
}
