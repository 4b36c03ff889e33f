// The programme with the threads of a page that is cross-origin isolated.
import { browser } from '../../src/runtime/browser.ts'
import { programme } from './programme.mjs'

export const main = (ground) => programme(ground, browser())
