/**
 * What a sum of losses asks of each of its distributions over and over: the logarithm of its moment generating function,
 * and its tilted spectrum. A run asks after every round, with one more draw of the same distribution: what does not
 * depend on the number of draws is kept with the distribution.
 * @module
 */
import { exp, log } from '../num/elementary.ts'
import { realForward } from '../num/fft.ts'
import type { LossPmf } from './loss-pmf.ts'

/** Groups of neighbouring losses by their mass, mean and variance: enough to find where a Chernoff bound is best. */
interface Groups {
  readonly logMass: Float64Array
  readonly mean: Float64Array
  readonly variance: Float64Array
}

const MOST_GROUPS = 2048
/** Answers that are kept, and the longest spectrum. */
const MOST_KEPT = 4096
const LONGEST = 1 << 19

/** One distribution, and what was computed of it. */
export class Cumulant {
  readonly #pmf: LossPmf
  /** Largest tilt at which the groups are still fine enough. */
  readonly steepest: number
  #groups: Groups | undefined
  #variance: number | undefined
  readonly #exact = new Map<number, number>()
  readonly #rough = new Map<number, number>()
  #spectrum: { readonly theta: number, readonly values: Float64Array } | undefined

  constructor(pmf: LossPmf) {
    this.#pmf = pmf
    this.steepest = 2 / (pmf.step * Math.ceil(pmf.mass.length / MOST_GROUPS))
  }

  /** ln Σ mass·e^(θ loss). */
  at(theta: number): number {
    return kept(this.#exact, theta, () => logMgf(this.#pmf, theta))
  }

  /** The same from the groups, to second order in each: for searching only. */
  roughly(theta: number): number {
    return kept(this.#rough, theta, () => {
      const { logMass, mean, variance } = this.#groups ??= groupsOf(this.#pmf)
      let high = -Infinity
      for (let g = 0; g < mean.length; g++) high = Math.max(high, logMass[g] + theta * mean[g])
      let total = 0
      for (let g = 0; g < mean.length; g++) {
        const exponent = logMass[g] + theta * mean[g] - high
        if (exponent > -60) total += exp(exponent) * (1 + 0.5 * theta * theta * variance[g])
      }
      return high + log(total)
    })
  }

  /** Variance of a finite loss. */
  get variance(): number {
    if (this.#variance === undefined) {
      const { first, mass, step } = this.#pmf
      let sum = 0
      let moment = 0
      let square = 0
      mass.forEach((m, i) => {
        sum += m
        moment += m * (first + i)
        square += m * (first + i) * (first + i)
      })
      this.#variance = (square / sum - (moment / sum) * (moment / sum)) * step * step
    }
    return this.#variance
  }

  /** Spectrum of the distribution tilted by e^(θ loss), of sum 1, on a circle of n points; not to be written. */
  spectrum(theta: number, n: number): Float64Array {
    if (this.#spectrum?.theta === theta && this.#spectrum.values.length === n + 2) return this.#spectrum.values
    const folded = new Float64Array(n)
    const logOne = this.at(theta)
    const { mass, first, step } = this.#pmf
    for (let i = 0, at = modulo(first, n); i < mass.length; i++, at = at + 1 === n ? 0 : at + 1) {
      if (mass[i] > 0) folded[at] += mass[i] * exp(theta * (first + i) * step - logOne)
    }
    const values = realForward(folded)
    if (n <= LONGEST) this.#spectrum = { theta, values }
    return values
  }
}

const CUMULANTS = /* @__PURE__ */ new WeakMap<LossPmf, Cumulant>()

/** The cumulant of a distribution, kept as long as the distribution. */
export function cumulantOf(pmf: LossPmf): Cumulant {
  let cumulant = CUMULANTS.get(pmf)
  if (!cumulant) CUMULANTS.set(pmf, cumulant = new Cumulant(pmf))
  return cumulant
}

function kept(values: Map<number, number>, theta: number, compute: () => number): number {
  let value = values.get(theta)
  if (value === undefined) {
    if (values.size >= MOST_KEPT) values.clear()
    values.set(theta, value = compute())
  }
  return value
}

/** Blocks of a polynomial in e^(θ·step), so one exponential a block. */
function logMgf({ mass, first, step }: LossPmf, theta: number): number {
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

function groupsOf({ mass, first, step }: LossPmf): Groups {
  const size = Math.ceil(mass.length / MOST_GROUPS)
  const length = Math.ceil(mass.length / size)
  const groups = { logMass: new Float64Array(length), mean: new Float64Array(length), variance: new Float64Array(length) }
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

/** The remainder in 0 ... n - 1. */
export function modulo(index: number, n: number): number {
  const rest = index % n
  return rest < 0 ? rest + n : rest
}
