// The programme on the floor that every runtime has: compiled modules, a clock, random bytes; no files, no threads.
import { generic } from '../../src/runtime/generic.ts'
import { programme } from './programme.mjs'

export const main = (ground) => programme(ground, { ...generic({ wasm: {} }), module: ground.wasm })
