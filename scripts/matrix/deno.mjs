// The programme with the threads of Deno.
import { deno } from '../../src/runtime/deno.ts'
import { programme } from './programme.mjs'

export const main = (ground) => programme(ground, deno())
