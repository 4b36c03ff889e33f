/** The suite in Deno. */
import type { Ground } from '../../scripts/runtimes/stage.mjs'
import { deno } from '../../src/runtime/deno.ts'
import { suite } from './suite.ts'
import type { Check } from './suite.ts'

export function main({ root }: Ground): Promise<Check[]> {
  return suite(deno(), { model: `${root}/tiny-bert`, scratch: `${root}/../scratch` })
}
