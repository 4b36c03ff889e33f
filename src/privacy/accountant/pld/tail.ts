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
import { exp, log, log1p, expm1 } from '../num/elementary.ts'
import { multiplyByPower, realForward, realInverse } from '../num/fft.ts'
import { ROUND_UP } from '../accountant.ts'
import type { LossPmf } from './loss-pmf.ts'

/** A distribution of the loss and how many times it is drawn. */
export interface Part {
  readonly pmf: LossPmf
  readonly count: number
}

/** An upper bound, and the width of the window that it took, in loss. */
export interface Answer {
  readonly value: number
  readonly span: number
}

/** Longer windows than this would take many seconds. */
const MOST_POINTS = 1 << 23
/** Logarithm of the share of the tilted mass that the window may leave out at either end. */
const LOG_OUTSIDE = -32

/** ln Σ mass·e^(θ loss) of one distribution: blocks of a polynomial in e^(θ·step), so one exponential a block. */
function logMgf(pmf: LossPmf, theta: number): number {
  const { mass, first, step } = pmf
  const block = Math.max(1, Math.min(256, Math.floor(300 / Math.max(1e-9, Math.abs(theta) * step))))
  const w = exp(theta * step)
  let high = -Infinity
  const blocks = Math.ceil(mass.length / block)
  const logs = new Float64Array(blocks)
  for (let b = 0; b < blocks; b++) {
    const from = b * block
    let sum = 0
    for (let i = Math.min(mass.length, from + block) - 1; i >= from; i--) sum = sum * w + mass[i]
    logs[b] = sum > 0 ? log(sum) + theta * (first + from) * step : -Infinity
    if (logs[b] > high) high = logs[b]
  }
  if (high === -Infinity) return high
  let total = 0
  for (let b = 0; b < blocks; b++) total += exp(logs[b] - high)
  return high + log(total)
}

/** Groups of neighbouring losses by their mass, mean and variance: enough to find where a Chernoff bound is best. */
interface Groups {
  readonly count: number
  readonly logMass: Float64Array
  readonly mean: Float64Array
  readonly variance: Float64Array
}

const MOST_GROUPS = 2048

function groupsOf({ pmf, count }: Part): Groups {
  const { mass, first, step } = pmf
  const size = Math.ceil(mass.length / MOST_GROUPS)
  const length = Math.ceil(mass.length / size)
  const groups = { count, logMass: new Float64Array(length), mean: new Float64Array(length), variance: new Float64Array(length) }
  for (let g = 0; g < length; g++) {
    const from = g * size
    const to = Math.min(mass.length, from + size)
    let sum = 0
    let moment = 0
    let square = 0
    for (let i = from; i < to; i++) {
      sum += mass[i]
      moment += mass[i] * (i - from)
      square += mass[i] * (i - from) * (i - from)
    }
    const mean = sum > 0 ? moment / sum : 0
    groups.logMass[g] = log(sum)
    groups.mean[g] = (first + from + mean) * step
    groups.variance[g] = sum > 0 ? Math.max(0, square / sum - mean * mean) * step * step : 0
  }
  return groups
}

/** The sum of `parts`, ready to be asked for its tail. */
export class LossSum {
  readonly #parts: readonly Part[]
  readonly #step: number
  /** Mass at infinity of the whole sum. */
  readonly infinity: number
  /** Largest finite loss of the sum. */
  readonly maximum: number
  readonly #lowest: number
  readonly #highest: number
  readonly #slack: number
  readonly #groups: readonly Groups[]
  readonly #logOutside: number
  /** Largest tilt at which the groups are still fine enough. */
  readonly #steepest: number

  /** @param logOutside - logarithm of the share of the tilted mass that the window may leave out at either end */
  constructor(parts: readonly Part[], logOutside = LOG_OUTSIDE) {
    this.#logOutside = logOutside
    this.#parts = parts
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
    this.#groups = parts.map(groupsOf)
    this.#steepest = 2 / (this.#step * Math.max(...parts.map((part) => Math.ceil(part.pmf.mass.length / MOST_GROUPS))))
    // Rounding of the spectra's powers grows with the number of draws; 1e-13 a draw is a generous bound.
    this.#slack = 1 + 1e-13 * (draws + 1000)
  }

  #k(theta: number): number {
    let sum = 0
    for (const { pmf, count } of this.#parts) sum += count * logMgf(pmf, theta)
    return sum
  }

  /** The same from the groups, to second order in each: for searching only. */
  #roughly(theta: number): number {
    let sum = 0
    for (const { count, logMass, mean, variance } of this.#groups) {
      let high = -Infinity
      for (let g = 0; g < mean.length; g++) high = Math.max(high, logMass[g] + theta * mean[g])
      let total = 0
      for (let g = 0; g < mean.length; g++) {
        const exponent = logMass[g] + theta * mean[g] - high
        if (exponent > -60) total += exp(exponent) * (1 + 0.5 * theta * theta * variance[g])
      }
      sum += count * (high + log(total))
    }
    return sum
  }

  /** The θ > 0 that minimises f(θ), by golden section over ln θ; f is unimodal for both uses below. */
  #minimise(f: (theta: number) => number): { theta: number, value: number } {
    const golden = 0.6180339887498949
    let low = log(1e-3)
    let high = log(Math.min(1 / this.#step, this.#steepest))
    let a = high - golden * (high - low)
    let b = low + golden * (high - low)
    let fa = f(exp(a))
    let fb = f(exp(b))
    for (let i = 0; i < 22; i++) {
      if (fa <= fb) {
        high = b
        b = a
        fb = fa
        a = high - golden * (high - low)
        fa = f(exp(a))
      } else {
        low = a
        a = b
        fa = fb
        b = low + golden * (high - low)
        fb = f(exp(b))
      }
    }
    return fa <= fb ? { theta: exp(a), value: fa } : { theta: exp(b), value: fb }
  }

  /**
   * ε at δ, at least the sum's exact ε; Infinity where the mass at infinity alone is above δ. Answers below `least` are
   * given as `least`.
   */
  epsilon(delta: number, least = 0): Answer {
    if (this.infinity === 0 && delta === 0) return { value: Math.max(least, this.maximum), span: 0 }
    if (delta <= this.infinity) return { value: Infinity, span: 0 }
    const logDelta = log(delta)
    const { theta, value } = this.#minimise((t) => (this.#roughly(t) - logDelta) / t)
    if (value <= least - 1) return { value: least, span: 0 }
    const { last, tilted, logNorm, cut, span } = this.#window(theta)
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
   * The largest true-positive rate of a test between the two neighbours that has false-positive rate `fpr`: the
   * likelihood-ratio test of Neyman and Pearson, on the rounded losses, which dominate the exact ones.
   */
  truePositiveRate(fpr: number): number {
    if (fpr <= 0) return this.infinity
    const logFpr = log(fpr)
    // Q[S > s] = E_P[e^-S; S > s], so the tilt that finds fpr under Q is one less under P.
    const theta = this.#minimise((t) => (this.#roughly(t - 1) - logFpr) / t).theta - 1
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
    const { theta } = this.#minimise((t) => this.#roughly(t) - t * epsilon)
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
  #window(theta: number): { last: number, tilted: Float64Array, logNorm: number, cut: number, span: number } {
    const step = this.#step
    const logNorm = this.#k(theta)
    const base = this.#roughly(theta) + this.#logOutside
    const up = this.#minimise((t) => (this.#roughly(theta + t) - base) / t).theta
    const down = this.#minimise((t) => (this.#roughly(theta - t) - base) / t).theta
    const logUp = this.#k(theta + up)
    const top = (logUp - logNorm - this.#logOutside) / up
    const bottom = (logNorm + this.#logOutside - this.#k(theta - down)) / down
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
    for (const { pmf, count } of this.#parts) {
      const folded = new Float64Array(n)
      const logOne = logMgf(pmf, theta)
      const { mass, first } = pmf
      for (let i = 0; i < mass.length; i++) {
        if (mass[i] > 0) folded[modulo(first + i, n)] += mass[i] * exp(theta * (first + i) * step - logOne)
      }
      multiplyByPower(product, realForward(folded), count)
    }
    const cut = last < this.#highest ? exp(Math.min(0, logUp - (theta + up) * last * step)) : 0
    return { last, tilted: realInverse(product), logNorm, cut, span: (last - lowest + 1) * step }
  }
}

function modulo(index: number, n: number): number {
  const rest = index % n
  return rest < 0 ? rest + n : rest
}
