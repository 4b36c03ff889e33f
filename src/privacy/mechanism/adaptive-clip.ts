/**
 * The clip norm follows a quantile of the updates' norms (Andrew, Thakkar, Ramaswamy, McMahan, arXiv 1905.03871).
 *
 * Each contribution carries one more integer, +q where the update was within the clip norm and -q where it was not,
 * under the same integer norm bound and the same noise as the rest of the vector. One discrete Gaussian pays for both:
 * with sensitivities c of the update and q of the count, sigma = z sqrt(c^2 + q^2), which is the paper's split
 * z^-2 = z_update^-2 + (2 noise)^-2 for a count with noise sigma / (2 q) (its section 3, with +-1/2 for the bit).
 * @module
 */
import { aNumber, anInteger, anOptions } from '../../assert.ts'
import { exp } from '../accountant/num/elementary.ts'

/** A clip norm on its way to a quantile; a frozen value, public. */
export interface AdaptiveClip {
  /** Clip norm of the next round. */
  readonly clip: number
  /** Share of updates that shall be within the clip norm. */
  readonly quantile: number
  /** All within: the clip norm is multiplied by exp(-rate (1 - quantile)); none: by exp(rate quantile). */
  readonly rate: number
  readonly smallest: number
  readonly largest: number
}

export interface AdaptiveClipOptions {
  /** First clip norm, chosen without looking at data. */
  readonly clip: number
  /** Default 0.5. */
  readonly quantile?: number
  /** Default 0.2. */
  readonly rate?: number
  /** Bounds of the clip norm; default 2^-40 and 2^40. */
  readonly smallest?: number
  readonly largest?: number
}

/** The state before the first round. */
export function adaptiveClip(options: AdaptiveClipOptions): AdaptiveClip {
  anOptions('adaptiveClip', options, ['clip', 'quantile', 'rate', 'smallest', 'largest'])
  const smallest = aNumber('smallest', options.smallest ?? 2 ** -40, 2 ** -60, 2 ** 60)
  const largest = aNumber('largest', options.largest ?? 2 ** 40, smallest, 2 ** 60)
  return Object.freeze({
    clip: aNumber('clip', options.clip, smallest, largest),
    quantile: aNumber('quantile', options.quantile ?? 0.5, 0, 1),
    rate: aNumber('rate', options.rate ?? 0.2, 0, 1),
    smallest, largest,
  })
}

/**
 * The state after a round: clip exp(-rate (within - quantile)), with `within` cut to [-1, 2]: noise may push it
 * out of [0, 1], and to cut it there would hold back the way to extreme quantiles. Post-processing of what was
 * released: it costs nothing more. The same bits on every runtime.
 *
 * @param within - `within` of the round's release
 */
export function nextClip(state: AdaptiveClip, within: number): AdaptiveClip {
  const share = Math.min(2, Math.max(-1, aNumber('within', within)))
  const clip = state.clip * exp(-state.rate * (share - state.quantile))
  return Object.freeze({ ...state, clip: Math.min(state.largest, Math.max(state.smallest, clip)) })
}

/**
 * Noise of the count, as a number of clients, that is worth its price: a twentieth of the cohort (the paper's choice),
 * and at least the noise multiplier, where the update's noise grows by 15 %.
 */
export function quantileNoise(cohort: number, noiseMultiplier: number): number {
  return Math.max(anInteger('cohort', cohort, 1) / 20, aNumber('noiseMultiplier', noiseMultiplier, 0))
}
