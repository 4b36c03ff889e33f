/**
 * All parts of the self-test, in the order in which they run.
 * @module
 */
import { arrays } from './arrays.ts'
import { functions } from './functions.ts'
import { layers } from './layers.ts'
import { noise } from './noise.ts'
import { portable } from './portable.ts'
import { products } from './products.ts'
import type { Section } from './section.ts'
import { simulation } from './simulation.ts'
import { training } from './training.ts'

export const programme: readonly Section[] = [...portable, ...functions, ...arrays, ...products, ...layers, ...noise, ...training, ...simulation]
