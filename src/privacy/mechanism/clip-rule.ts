/**
 * The clip norm of a round that trains the first b of R ranks: a public function of b, so it costs no privacy.
 *
 * A low-rank product scaled by alpha / b has gradients in its factors that grow as 1 / b for each rank row, and b rows:
 * an update's norm goes as b^(-1/2) after plain gradient steps, as b^(1/2) after steps of fixed size for each
 * coordinate (Adam), as b^0 where the scale is alpha / sqrt(b) and the steps are plain.
 * @module
 */
import { aNumber, anInteger, anOptions, oneOf } from '../../assert.ts'

/**
 * C(b) for the clip norm C of the full rank R:
 * flat: C · inverse-sqrt: C sqrt(R / b) · inverse: C R / b · sqrt: C sqrt(b / R)
 */
export type ClipRule = 'flat' | 'inverse-sqrt' | 'inverse' | 'sqrt'

export interface ClipRuleOptions {
  /** Clip norm of a round of full rank. */
  readonly clip: number
  readonly rule: ClipRule
  /** Rank of the round, from 1 to `maxRank`. */
  readonly rank: number
  readonly maxRank: number
}

/** The clip norm of a round of rank `rank`. The noise multiplier stays: noise is in proportion to the clip norm. */
export function clipForRank(options: ClipRuleOptions): number {
  anOptions('clipForRank', options, ['clip', 'rule', 'rank', 'maxRank'])
  const clip = aNumber('clip', options.clip, 0)
  const maxRank = anInteger('maxRank', options.maxRank, 1)
  const rank = anInteger('rank', options.rank, 1, maxRank)
  const rule = oneOf('rule', options.rule, ['flat', 'inverse-sqrt', 'inverse', 'sqrt'] as const)
  if (rule === 'flat') return clip
  if (rule === 'inverse') return clip * (maxRank / rank)
  return clip * Math.sqrt(rule === 'sqrt' ? rank / maxRank : maxRank / rank)
}
