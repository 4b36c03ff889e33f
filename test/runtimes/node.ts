/** The suite in Node. */
import type { Ground } from '../../scripts/runtimes/stage.mjs'
import { node } from '../../src/runtime/node.ts'
import { suite } from './suite.ts'
import type { Check } from './suite.ts'

export function main({ root }: Ground): Promise<Check[]> {
  return suite(node(), { model: `${root}/tiny-bert`, scratch: `${root}/../scratch` })
}
