/** What a page would run: the diagnosis of the browser that it is in. */
import { browser } from '../../src/runtime/browser.ts'
import { diagnose } from '../../src/selftest/diagnose.ts'

export const main = () => diagnose(browser())
