/**
 * What is protected. An ε means nothing without these two words, so neither has a default anywhere.
 * @module
 */
import { oneOf } from '../../assert.ts'

/**
 * The difference between two neighbouring data sets. For a sum whose terms are clipped to norm C:
 * - `add-remove`: one unit is there or not; the sum moves by at most C;
 * - `zero-out`: one unit's term is replaced by zero; at most C;
 * - `substitute`: one unit's term is replaced by any other; at most 2C.
 */
export type Adjacency = 'add-remove' | 'zero-out' | 'substitute'

/** Whose contribution is clipped as a whole and hidden as a whole. */
export type PrivacyUnit = 'client' | 'user' | 'device' | 'example'

/** The privacy statement's two obligatory words. */
export interface Neighbourhood {
  readonly unit: PrivacyUnit
  readonly adjacency: Adjacency
}

export const ADJACENCIES: readonly Adjacency[] = ['add-remove', 'zero-out', 'substitute']
export const PRIVACY_UNITS: readonly PrivacyUnit[] = ['client', 'user', 'device', 'example']

/** Checks and freezes a neighbourhood; a missing word is an error. */
export function aNeighbourhood(value: Neighbourhood): Neighbourhood {
  if (value === null || typeof value !== 'object') {
    throw new TypeError('"neighbourhood" expected an object with unit and adjacency, got ' + String(value))
  }
  return Object.freeze({
    unit: oneOf('unit', value.unit, PRIVACY_UNITS),
    adjacency: oneOf('adjacency', value.adjacency, ADJACENCIES),
  })
}

/** How many clip norms a clipped sum moves between neighbours. */
export function sensitivityOf(adjacency: Adjacency): 1 | 2 {
  return adjacency === 'substitute' ? 2 : 1
}
