/**
 * Moment generating functions of a sum of discretised losses, and the tilt θ at which a bound made of them is best.
 * @module
 */
import { exp, log } from '../num/elementary.ts'
import type { LossPmf } from './loss-pmf.ts'

/** A distribution of the loss and how many times it is drawn. */
export interface Part {
  readonly pmf: LossPmf
  readonly count: number
}

/** ln Σ mass·e^(θ loss) of one distribution: blocks of a polynomial in e^(θ·step), so one exponential a block. */
export function logMgf(pmf: LossPmf, theta: number): number {
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

/** The logarithm of the moment generating function of the sum of `parts`, over the tilt. */
export class Tilts {
  readonly #parts: readonly Part[]
  readonly #step: number
  readonly #groups: readonly Groups[]
  /** Largest tilt at which the groups are still fine enough. */
  readonly #steepest: number

  constructor(parts: readonly Part[]) {
    this.#parts = parts
    this.#step = parts[0].pmf.step
    this.#groups = parts.map(groupsOf)
    this.#steepest = 2 / (this.#step * Math.max(...parts.map((part) => Math.ceil(part.pmf.mass.length / MOST_GROUPS))))
  }

  /** ln E e^(θ loss) of the sum. */
  exactly(theta: number): number {
    let sum = 0
    for (const { pmf, count } of this.#parts) sum += count * logMgf(pmf, theta)
    return sum
  }

  /** The same from the groups, to second order in each: for searching only. */
  roughly(theta: number): number {
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

  /** The θ > 0 that minimises f(θ), by golden section over ln θ; f must be unimodal. */
  minimise(f: (theta: number) => number): { theta: number, value: number } {
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
}
