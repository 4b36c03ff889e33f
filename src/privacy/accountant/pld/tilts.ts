/**
 * Moment generating functions of a sum of discretised losses, and the tilt θ at which a bound made of them is best.
 * @module
 */
import { exp, log, log1p } from '../num/elementary.ts'
import { cumulantOf, type Cumulant } from './cumulant.ts'
import type { LossPmf } from './loss-pmf.ts'

/** A distribution of the loss and how many times it is drawn. */
export interface Part {
  readonly pmf: LossPmf
  readonly count: number
}

/** Tilts that are tried: e^(i / SCALE) from LOWEST on, the same for all sums. */
const SCALE = 16
const LOWEST = -110
/** How much e^(K(θ) - θε) may lie above the least that it can be. */
const NEARLY = 2

const tilt = (i: number): number => exp(i / SCALE)

/** Logarithm of the largest (1 - e^-x) e^(-θx) of all x: θ^θ / (1+θ)^(1+θ). */
export const logLargest = (theta: number): number => theta * log(theta) - (1 + theta) * log1p(theta)

/** The logarithm K of the moment generating function of the sum of `parts`, over the tilt. */
export class Tilts {
  readonly cumulants: readonly { readonly cumulant: Cumulant, readonly count: number }[]
  readonly #highest: number

  constructor(parts: readonly Part[]) {
    this.cumulants = parts.map(({ pmf, count }) => ({ cumulant: cumulantOf(pmf), count }))
    const steepest = Math.min(1 / parts[0].pmf.step, ...this.cumulants.map(({ cumulant }) => cumulant.steepest))
    this.#highest = Math.floor(log(steepest) * SCALE)
  }

  /** ln E e^(θ loss) of the sum. */
  exactly(theta: number): number {
    let sum = 0
    for (const { cumulant, count } of this.cumulants) sum += count * cumulant.at(theta)
    return sum
  }

  /** The same from groups of losses, to second order in each: for searching only. */
  roughly(theta: number): number {
    let sum = 0
    for (const { cumulant, count } of this.cumulants) sum += count * cumulant.roughly(theta)
    return sum
  }

  /**
   * The θ > 0 that minimises f(θ), of those on the scale; f must be unimodal. Sums of other numbers of the same draws find
   * the same θ, whose cumulants are known.
   */
  minimise(f: (theta: number) => number): { theta: number, value: number } {
    const theta = tilt(first(LOWEST, this.#highest, (i) => f(tilt(i)) <= f(tilt(i + 1))))
    return { theta, value: f(theta) }
  }

  /**
   * The tilt for what lies above a loss ε: a small one, since it has a short window, whose e^(K(θ) - θε), which rounding errors
   * are relative to, is nearly the least. `scale`: the logarithm of that.
   */
  above(epsilon: number): { theta: number, scale: number } {
    const scale = (theta: number): number => this.roughly(theta) - theta * epsilon
    const best = this.minimise(scale)
    // with much smaller ones the rounding errors of the largest losses, of which the positive are counted, add up
    const highest = Math.round(log(best.theta) * SCALE)
    const theta = tilt(first(highest - SCALE, highest, (i) => scale(tilt(i)) <= best.value + NEARLY))
    return { theta, scale: scale(theta) }
  }
}

/** The first i of low ... high that fits, where all after it fit too; `high` if none does. */
function first(low: number, high: number, fits: (i: number) => boolean): number {
  while (low < high) {
    const middle = Math.floor((low + high) / 2)
    if (fits(middle)) high = middle
    else low = middle + 1
  }
  return low
}
