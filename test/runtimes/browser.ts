/** The suite in a browser: in a dedicated worker, or on a page. */
import type { Ground } from '../../scripts/runtimes/stage.mjs'
import { browser } from '../../src/runtime/browser.ts'
import { suite } from './suite.ts'
import type { Check } from './suite.ts'

export function main({ root }: Ground): Promise<Check[]> {
  return suite(browser(), { model: `${root}/tiny-bert` })
}
