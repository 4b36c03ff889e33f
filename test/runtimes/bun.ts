/** The suite in Bun. */
import type { Ground } from '../../scripts/runtimes/stage.mjs'
import { bun } from '../../src/runtime/bun.ts'
import { suite } from './suite.ts'
import type { Check } from './suite.ts'

export function main({ root }: Ground): Promise<Check[]> {
  return suite(bun(), { model: `${root}/tiny-bert`, scratch: `${root}/../scratch` })
}
