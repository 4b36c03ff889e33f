// The programme with the threads of Bun.
import { bun } from '../../src/runtime/bun.ts'
import { programme } from './programme.mjs'

export const main = (ground) => programme(ground, bun())
