/**
 * The upper tail of a sum of independent discretised privacy losses, by one FFT.
 *
 * Every distribution is first tilted by e^(θL): the product of the tilted spectra is the spectrum of the tilted sum,
 * and with θ at the saddle point the sum's bulk lies where the answer is. So the transform's rounding errors stay
 * small relative to δ itself, not to 1, however small δ is, and the window needs only to cover the tilted bulk.
 * What the window leaves out above is bounded by Chernoff and counted as infinite loss; what wraps around from below
 * only adds to the result. Both are pessimistic.
 * @module
 */
import { exp, expm1, log, log1p } from '../num/elementary.ts'
import { multiplyByPower, realInverse } from '../num/fft.ts'
import { ROUND_UP } from '../accountant.ts'
import { modulo } from './cumulant.ts'
import { logLargest, Tilts } from './tilts.ts'
import type { Part } from './tilts.ts'

/** An upper bound, and the width of the window that it took, in loss. */
export interface Answer {
  readonly value: number
  readonly span: number
}

/** Longer windows than this would take many seconds. */
const MOST_POINTS = 1 << 23
/** Logarithm of the share of the tilted mass that the window may leave out at either end. */
const LOG_OUTSIDE = -32
/** Logarithm of how far e^(K(θ) - θε) may lie above δ without more of the mass in the window. */
const FAMILIAR = 3
/** By how much e^(θε) may be less for the answer than for the guess. */
const TOO_FAR = 6

/** The sum of `parts`, ready to be asked for its tail. */
export class LossSum {
  readonly #step: number
  /** Mass at infinity of the whole sum. */
  readonly infinity: number
  /** Largest finite loss of the sum. */
  readonly maximum: number
  readonly #lowest: number
  readonly #highest: number
  readonly #slack: number
  readonly #tilts: Tilts
  readonly #logOutside: number

  /** @param logOutside - logarithm of the share of the tilted mass that the window may leave out at either end */
  constructor(parts: readonly Part[], logOutside = LOG_OUTSIDE) {
    this.#logOutside = logOutside
    this.#step = parts[0].pmf.step
    let logFinite = 0
    let maximum = 0
    let lowest = 0
    let highest = 0
    let draws = 0
    for (const { pmf, count } of parts) {
      logFinite += count * log1p(-Math.min(1, pmf.infinity))
      maximum += count * pmf.maximum
      lowest += count * pmf.first
      highest += count * (pmf.first + pmf.mass.length - 1)
      draws += count
    }
    this.infinity = -expm1(logFinite)
    this.maximum = maximum
    this.#lowest = lowest
    this.#highest = highest
    this.#tilts = new Tilts(parts)
    // Rounding of the spectra's powers grows with the number of draws; 1e-13 a draw is a generous bound.
    this.#slack = 1 + 1e-13 * (draws + 1000)
  }

  /**
   * ε at δ, at least the sum's exact ε; Infinity where the mass at infinity alone is above δ. Answers below `least` are
   * given as `least`.
   *
   * @param guess - about the answer, if it is known: it saves time
   */
  epsilon(delta: number, least = 0, guess?: number): Answer {
    if (this.infinity === 0 && delta === 0) return { value: Math.max(least, this.maximum), span: 0 }
    if (delta <= this.infinity) return { value: Infinity, span: 0 }
    // no finite loss is larger
    if (this.maximum <= least) return { value: least, span: 0 }
    const logDelta = log(delta)
    const { theta, value } = this.#tilts.minimise((t) => (this.#tilts.roughly(t) + logLargest(t) - logDelta) / t)
    if (least > 0 && this.#chernoff(theta, delta) <= least) return { value: least, span: 0 }
    let near = Math.max(guess ?? value, least)
    for (let i = 0; ; i++) {
      const above = this.#tilts.above(near)
      const answer = this.#scan(delta, least, above.theta, this.#logOutside - Math.max(0, above.scale - logDelta - FAMILIAR))
      // what lies outside the window was to be small for an answer near the guess
      if (i === 2 || !(above.theta * (near - answer.value) > TOO_FAR)) return answer
      near = answer.value
    }
  }

  #scan(delta: number, least: number, theta: number, logOutside: number): Answer {
    const { last, tilted, logNorm, cut, span } = this.#window(theta, logOutside)
    const step = this.#step
    const n = tilted.length
    const goal = (delta - this.infinity - cut) / this.#slack
    if (goal <= 0) return { value: Infinity, span: 0 }
    const decay = exp(-step)
    let mass = 0
    // Σ p e^(l - loss) over what lies above the grid point l: rescaled at each step, so that no loss is too large for it.
    let discounted = 0
    let epsilon = least
    for (let i = 0; i < n; i++) {
      const index = last - i
      const loss = index * step
      discounted *= decay
      // δ at this grid point, from what lies above it; it falls with ε, so the first that is too large ends the scan.
      if (mass - discounted > goal) {
        epsilon = loss + log((mass - goal) / discounted)
        break
      }
      if (loss <= least) break
      const p = tilted[modulo(index, n)] * exp(logNorm - theta * loss)
      if (p > 0) {
        mass += p
        discounted += p
      }
    }
    const bound = this.infinity === 0 ? Math.max(least, this.maximum) : Infinity
    return { value: Math.min(Math.max(least, epsilon) + Math.abs(epsilon) * (ROUND_UP - 1), bound), span }
  }

  /**
   * An ε that holds at δ, by one tilt: E[(1 - e^(ε-S))+] is at most e^(K(θ) - θε) times the largest (1 - e^-x) e^(-θx). Rounded
   * up.
   */
  #chernoff(theta: number, delta: number): number {
    return (this.#tilts.exactly(theta) + logLargest(theta) - log(delta - this.infinity)) / theta + 1e-9
  }

  /**
   * The largest true-positive rate of a test between the two neighbours that has false-positive rate `fpr`: the
   * likelihood-ratio test of Neyman and Pearson, on the rounded losses, which dominate the exact ones.
   */
  truePositiveRate(fpr: number): number {
    if (fpr <= 0) return this.infinity
    const logFpr = log(fpr)
    // Q[S > s] = E_P[e^-S; S > s], so the tilt that finds fpr under Q is one less under P.
    const theta = this.#tilts.minimise((t) => (this.#tilts.roughly(t - 1) - logFpr) / t).theta - 1
    const { last, tilted, logNorm, cut } = this.#window(theta)
    const n = tilted.length
    let truth = 0
    let lie = 0
    for (let i = 0; i < n; i++) {
      const loss = (last - i) * this.#step
      const p = Math.max(0, tilted[modulo(last - i, n)]) * exp(logNorm - theta * loss)
      const q = p * exp(-loss)
      if (lie + q >= fpr) {
        truth += p * (fpr - lie) / q
        break
      }
      truth += p
      lie += q
    }
    return Math.min(1, truth * this.#slack + this.infinity + cut)
  }

  /** δ at ε, at least the sum's exact δ. */
  delta(epsilon: number): Answer {
    if (this.infinity === 0 && epsilon >= this.maximum) return { value: 0, span: 0 }
    const { theta } = this.#tilts.minimise((t) => this.#tilts.roughly(t) - t * epsilon)
    const { last, tilted, logNorm, cut, span } = this.#window(theta)
    const step = this.#step
    const n = tilted.length
    let sum = 0
    for (let i = 0; i < n; i++) {
      const loss = (last - i) * step
      if (loss <= epsilon) break
      const p = tilted[modulo(last - i, n)] * exp(logNorm - theta * loss)
      if (p > 0) sum += p * -expm1(epsilon - loss)
    }
    return { value: Math.min(1, sum * this.#slack + this.infinity + cut), span }
  }

  /**
   * The tilted sum on a circular window that ends at grid index `last`. `cut` bounds the probability above the window
   * by Chernoff, P[S > h] <= e^(K(t) - t h), and h is such that this is e^logOutside of the tilted mass there. The
   * groups only choose t; K is exact.
   */
  #window(theta: number, logOutside = this.#logOutside): { last: number, tilted: Float64Array, logNorm: number, cut: number, span: number } {
    const step = this.#step
    const logNorm = this.#tilts.exactly(theta)
    const base = this.#tilts.roughly(theta) + logOutside
    const up = this.#tilts.minimise((t) => (this.#tilts.roughly(theta + t) - base) / t).theta
    const down = this.#tilts.minimise((t) => (this.#tilts.roughly(theta - t) - base) / t).theta
    const logUp = this.#tilts.exactly(theta + up)
    const top = (logUp - logNorm - logOutside) / up
    const bottom = (logNorm + logOutside - this.#tilts.exactly(theta - down)) / down
    const last = Math.min(this.#highest, Math.ceil(top / step) + 1)
    const lowest = Math.max(this.#lowest, Math.min(last - 1, Math.floor(bottom / step) - 1))
    let n = 16
    while (n < last - lowest + 1) n *= 2
    if (n > MOST_POINTS) {
      throw new RangeError(`"discretisation" expected a step that needs fewer than ${MOST_POINTS} points, ` +
        `got ${step} that needs ${last - lowest}; give a larger one or leave it out`)
    }
    const product = new Float64Array(n + 2)
    for (let i = 0; i < product.length; i += 2) product[i] = 1
    for (const { cumulant, count } of this.#tilts.cumulants) multiplyByPower(product, cumulant.spectrum(theta, n), count)
    const cut = last < this.#highest ? exp(Math.min(0, logUp - (theta + up) * last * step)) : 0
    return { last, tilted: realInverse(product), logNorm, cut, span: (last - lowest + 1) * step }
  }
}
