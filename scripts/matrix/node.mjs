// The programme with the threads of Node.
import { node } from '../../src/runtime/node.ts'
import { programme } from './programme.mjs'

export const main = (ground) => programme(ground, node())
