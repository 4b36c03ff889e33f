/**
 * Two-sided bounds on ε by the privacy-random-variable method of Gopi, Lee and Wutschitz (2021): losses are rounded to
 * the nearest grid point, then shifted so that their mean is kept. Rounding errors of different rounds then cancel, and
 * Hoeffding's inequality bounds their sum (their Theorem 5): with step h = εerr / sqrt(T/2 · ln(12/δerr)) the composed
 * loss is off by more than εerr with probability at most δerr/6, and the rest of δerr covers truncation. So
 * δ~(ε + εerr) - δerr <= δ(ε) <= δ~(ε - εerr) + δerr, in each direction.
 * @module
 */
import { aNumber } from '../../assert.ts'
import { UnsupportedEventError, type Accountant } from './accountant.ts'
import type { Adjacency } from './neighbourhood.ts'
import { exp, log, LN_2PI } from './num/elementary.ts'
import { normalCdf } from './num/normal.ts'
import { dominating } from './pld/discretise.ts'
import { MOST_CELLS, type LossPmf } from './pld/loss-pmf.ts'
import { lossRange, type NormalPair } from './pld/normal-pair.ts'
import { LossSum } from './pld/tail.ts'
import type { Part } from './pld/tilts.ts'

/** ε lies between `lower` and `upper`; `estimate` is the method's own guess, with no promise. */
export interface EpsilonBounds {
  readonly lower: number
  readonly estimate: number
  readonly upper: number
}

/** A pmf rounded to nearest, and what must be added to every draw to keep the mean. */
interface Centred {
  readonly pmf: LossPmf
  readonly shift: number
}

/** E_P[L] or E_Q[-L], by the trapezoid rule on an analytic integrand. */
function meanLoss(pair: NormalPair, direction: 'forward' | 'backward'): number {
  const means = pair.components.map((component) => component.mean)
  const low = Math.min(...means) - 12 * pair.sigma
  const high = Math.max(...means) + 12 * pair.sigma
  const count = Math.ceil((high - low) / Math.min(pair.sigma / 3, pair.sigma * pair.sigma / 4))
  const step = (high - low) / count
  let sum = 0
  for (let i = 0; i <= count; i++) {
    const x = low + i * step
    let density = 0
    for (const { mean, p, q } of pair.components) {
      const t = (x - mean) / pair.sigma
      density += (direction === 'forward' ? p : q) * exp(-0.5 * t * t)
    }
    sum += density * pair.lossAt(x)
  }
  const mean = sum * step * exp(-log(pair.sigma) - 0.5 * LN_2PI)
  return direction === 'forward' ? mean : -mean
}

function centred(pair: NormalPair, step: number, direction: 'forward' | 'backward'): Centred {
  const { low, high } = lossRange(pair)
  const first = Math.floor(low / step)
  const count = Math.ceil(high / step) - first + 1
  if (count > MOST_CELLS) throw new RangeError(`"epsilonError" expected a larger value, got one that needs ${count} cells`)
  const mass = new Float64Array(count)
  const tails = (x: number): { lower: number, upper: number } => {
    let lower = 0
    let upper = 0
    for (const { mean, p, q } of pair.components) {
      const t = (x - mean) / pair.sigma
      const weight = direction === 'forward' ? p : q
      lower += weight * normalCdf(t)
      upper += weight * normalCdf(-t)
    }
    return { lower, upper }
  }
  let last = { lower: 0, upper: 1 }
  let mean = 0
  for (let i = 0; i < count; i++) {
    const next = i === count - 1 ? { lower: 1, upper: 0 } : tails(pair.inverse((first + i + 0.5) * step))
    mass[i] = last.upper < 0.5 ? last.upper - next.upper : next.lower - last.lower
    mean += mass[i] * (first + i) * step
    last = next
  }
  if (direction === 'backward') mass.reverse()
  const at = direction === 'forward' ? first : -(first + count - 1)
  return {
    pmf: { step, first: at, mass, infinity: 0, maximum: (at + count - 1) * step },
    shift: meanLoss(pair, direction) - (direction === 'forward' ? mean : -mean),
  }
}

function boundsOf(
  pairs: readonly { pair: NormalPair, count: number }[], direction: 'forward' | 'backward', delta: number,
  epsilonError: number, deltaError: number, step: number,
): EpsilonBounds {
  const parts: Part[] = []
  let shift = 0
  for (const { pair, count } of pairs) {
    const one = centred(pair, step, direction)
    parts.push({ pmf: one.pmf, count })
    shift += count * one.shift
  }
  // The window's share of errors, e^-16 of the tilted mass, is far below what δerr leaves for truncation.
  const sum = new LossSum(parts, -16)
  const at = (d: number): number => sum.epsilon(d, -shift).value + shift
  return {
    lower: delta + deltaError >= 1 ? 0 : at(delta + deltaError) - epsilonError,
    estimate: at(delta),
    upper: at(delta - deltaError) + epsilonError,
  }
}

/**
 * Bounds on the exact ε of what an accountant has composed.
 * @param options.epsilonError - half the width of the result, 0.01 unless given
 * @param options.deltaError - probability spent on errors, δ/1000 unless given; below δ
 * @throws {UnsupportedEventError} for events that are not Gaussian, sampled or not
 */
export function prvBounds(
  accountant: Accountant, delta: number, options: { readonly epsilonError?: number, readonly deltaError?: number } = {},
): EpsilonBounds {
  aNumber('delta', delta, 1e-300, 1)
  const epsilonError = aNumber('epsilonError', options.epsilonError ?? 0.01, 1e-9)
  const deltaError = aNumber('deltaError', options.deltaError ?? delta / 1000, 1e-306, delta)
  if (accountant.history.length === 0) return { lower: 0, estimate: 0, upper: 0 }
  let rounds = 0
  const pairs = accountant.history.map(({ event, count }) => {
    const dominator = dominating(event, accountant.adjacency as Adjacency)
    if (dominator.kind !== 'normal') throw new UnsupportedEventError('PRV', event, 'only Gaussians, sampled or not')
    rounds += count
    return { pair: dominator.pair, count }
  })
  const step = epsilonError / Math.sqrt(0.5 * rounds * log(12 / deltaError))
  const [a, b] = (['forward', 'backward'] as const).map((direction) =>
    boundsOf(pairs, direction, delta, epsilonError, deltaError, step))
  return {
    lower: Math.max(0, a.lower, b.lower),
    estimate: Math.max(0, a.estimate, b.estimate),
    upper: Math.max(0, a.upper, b.upper),
  }
}
