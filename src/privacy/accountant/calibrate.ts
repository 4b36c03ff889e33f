/**
 * Calibration: with any one of noise, rounds, cohort and ε missing, find it. Each search brackets and bisects a
 * monotone function and returns the end of the bracket on the safe side.
 * @module
 */
import { aNumber, anInteger } from '../../assert.ts'
import type { Accountant } from './accountant.ts'
import type { PrivacyEvent } from './event.ts'
import { poissonGaussian } from './make-event.ts'
import type { Neighbourhood } from './neighbourhood.ts'
import { log, power } from './num/elementary.ts'
import { pldAccountant } from './pld/pld.ts'

/** Makes an empty accountant for a neighbourhood. */
export type AccountantMaker = (neighbourhood: Neighbourhood) => Accountant

/** The promise to keep. */
export interface Target extends Neighbourhood {
  readonly epsilon: number
  readonly delta: number
  /** Default: the default accountant. */
  readonly accountant?: AccountantMaker
}

const DEFAULT_ACCOUNTANT: AccountantMaker = (neighbourhood) => pldAccountant(neighbourhood)

function empty(target: Omit<Target, 'epsilon'>): Accountant {
  return (target.accountant ?? DEFAULT_ACCOUNTANT)({ unit: target.unit, adjacency: target.adjacency })
}

/** ε of `rounds` Poisson-sampled Gaussian rounds. */
export function epsilonOf(
  options: Omit<Target, 'epsilon'> & { readonly noiseMultiplier: number, readonly samplingRate: number, readonly rounds: number },
): number {
  const { noiseMultiplier, samplingRate, rounds } = options
  return empty(options).compose(poissonGaussian({ noiseMultiplier, samplingRate }), rounds).epsilon(options.delta)
}

/**
 * The smallest x in (low, high], to within `tolerance`, at which a decreasing positive function is at most `goal`. It is
 * known to be above the goal at `low` and at most the goal at `high`; so it is at the x returned, which was evaluated.
 * Illinois' method on logarithms: privacy curves are close to power laws.
 */
function smallestMeeting(
  low: number, high: number, atLow: number, atHigh: number, goal: number, tolerance: number, f: (x: number) => number,
): number {
  const height = (value: number): number => value === Infinity ? 10 : log(Math.max(value, 1e-12 * goal) / goal)
  let a = height(atLow)
  let b = height(atHigh)
  let side = 0
  for (let i = 0; i < 200 && high - low > tolerance; i++) {
    const share = a - b > 0 ? a / (a - b) : 0.5
    // Every fourth step halves: the bracket shrinks even where the curve is no power law.
    const guess = i % 4 === 3 ? Math.sqrt(low * high) : low * power(high / low, share)
    const x = Math.min(high - 0.4 * tolerance, Math.max(low + 0.4 * tolerance, guess))
    const value = f(x)
    const h = height(value)
    if (value <= goal) {
      high = x
      b = h
      if (side > 0) a /= 2
      side = 1
    } else {
      low = x
      a = h
      if (side < 0) b /= 2
      side = -1
    }
  }
  return high
}

/**
 * The smallest noise multiplier (to within `tolerance`, rounded up) for which the events keep the promise.
 * @param options.events - what will be released, as a function of the noise multiplier
 */
export function calibrateEvent(
  options: Target & { readonly events: (noiseMultiplier: number) => PrivacyEvent, readonly tolerance?: number },
): number {
  const { epsilon, delta, events, tolerance = 1e-6 } = options
  aNumber('epsilon', epsilon, 0)
  aNumber('delta', delta, 0, 1)
  const start = empty(options)
  const cost = (sigma: number): number => start.compose(events(sigma)).epsilon(delta)
  // Doubling from 1 keeps the search away from tiny noise, where every accountant is slow.
  let low = 1
  let high = 1
  let atLow = cost(1)
  let atHigh = atLow
  while (atHigh > epsilon) {
    low = high
    atLow = atHigh
    high *= 2
    if (high > 1e9) throw new RangeError(`"epsilon" expected a target that some noise can meet, got ${epsilon} at δ = ${delta}`)
    atHigh = cost(high)
  }
  while (atLow <= epsilon && low > 1e-2) {
    high = low
    atHigh = atLow
    low /= 1.5
    atLow = cost(low)
  }
  return atLow <= epsilon ? low : smallestMeeting(low, high, atLow, atHigh, epsilon, tolerance * high, cost)
}

/**
 * The smallest noise multiplier for `rounds` Poisson-sampled rounds.
 * @throws {RangeError} when no noise meets the target
 */
export function calibrateNoise(
  options: Target & { readonly rounds: number, readonly samplingRate: number, readonly tolerance?: number },
): number {
  const rounds = anInteger('rounds', options.rounds, 1)
  const samplingRate = aNumber('samplingRate', options.samplingRate, 0, 1)
  const { unit, adjacency, epsilon, delta, accountant, tolerance } = options
  return calibrateEvent({
    unit, adjacency, epsilon, delta, ...(accountant && { accountant }), ...(tolerance !== undefined && { tolerance }),
    events: (noiseMultiplier) => ({
      kind: 'self-composed', count: rounds, event: poissonGaussian({ noiseMultiplier, samplingRate }),
    }),
  })
}

/** What `solveBudget` needs; exactly one of noiseMultiplier, rounds, cohort and epsilon is left out. */
export interface BudgetQuestion extends Neighbourhood {
  readonly population: number
  readonly delta: number
  readonly noiseMultiplier?: number
  readonly rounds?: number
  readonly cohort?: number
  readonly epsilon?: number
  readonly accountant?: AccountantMaker
}

/** A complete plan, and which of its numbers was solved for. */
export interface BudgetAnswer {
  readonly solvedFor: 'noiseMultiplier' | 'rounds' | 'cohort' | 'epsilon'
  readonly population: number
  readonly cohort: number
  readonly samplingRate: number
  readonly rounds: number
  readonly noiseMultiplier: number
  readonly delta: number
  /** What the plan costs; at most the ε asked for. */
  readonly epsilon: number
}

const UNKNOWNS = ['noiseMultiplier', 'rounds', 'cohort', 'epsilon'] as const

/**
 * Completes a plan of Poisson-sampled Gaussian rounds: give three of noise multiplier, rounds, cohort and ε, and get the
 * fourth. The noise is the smallest that keeps ε, rounds and cohort the largest.
 * @throws {RangeError} when not exactly one is left out, or when no value keeps the promise
 */
export function solveBudget(question: BudgetQuestion): BudgetAnswer {
  const { unit, adjacency, accountant } = question
  const population = anInteger('population', question.population, 1)
  const delta = aNumber('delta', question.delta, 0, 1)
  const missing = UNKNOWNS.filter((name) => question[name] === undefined)
  if (missing.length !== 1) {
    throw new RangeError(`"budget" expected exactly one of ${UNKNOWNS.join(', ')} to be left out, got ` +
      `${missing.length === 0 ? 'none' : missing.join(', ')}`)
  }
  const solvedFor = missing[0]
  if (question.cohort !== undefined) aNumber('cohort', question.cohort, 0, population)
  if (question.rounds !== undefined) anInteger('rounds', question.rounds, 1)
  if (question.epsilon !== undefined) aNumber('epsilon', question.epsilon, 0)
  const base = { unit, adjacency, delta, ...(accountant && { accountant }) }
  const cost = (noiseMultiplier: number, cohort: number, rounds: number): number =>
    epsilonOf({ ...base, noiseMultiplier, samplingRate: cohort / population, rounds })
  const goal = question.epsilon ?? 0
  let { noiseMultiplier = 0, cohort = 0, rounds = 0 } = question
  if (solvedFor === 'noiseMultiplier') {
    noiseMultiplier = calibrateNoise({ ...base, epsilon: goal, rounds, samplingRate: cohort / population })
  } else if (solvedFor === 'rounds') {
    rounds = largestInteger('rounds', 100, 1e8, goal, (n) => cost(noiseMultiplier, cohort, n))
  } else if (solvedFor === 'cohort') {
    cohort = largestInteger('cohort', Math.ceil(population / 200), population, goal, (n) => cost(noiseMultiplier, n, rounds))
  }
  const epsilon = cost(noiseMultiplier, cohort, rounds)
  return Object.freeze({
    solvedFor, population, cohort, samplingRate: cohort / population, rounds, noiseMultiplier, delta, epsilon,
  })
}

/** The largest whole n from 1 to `most` at which an increasing cost is at most `goal`; the search begins at `start`. */
export function largestInteger(
  title: string, start: number, most: number, goal: number, cost: (n: number) => number,
): number {
  let low = Math.min(most, start)
  let high = low
  let atLow = cost(low)
  let atHigh = atLow
  while (atLow > goal) {
    if (low === 1) throw new RangeError(`"${title}" expected a budget that pays for at least 1, got ε = ${goal}`)
    high = low
    atHigh = atLow
    low = Math.max(1, Math.floor(low / 4))
    atLow = cost(low)
  }
  while (atHigh <= goal) {
    low = high
    atLow = atHigh
    if (high === most) return most
    high = Math.min(most, high * 4)
    atHigh = cost(high)
  }
  for (let i = 0; high - low > 1; i++) {
    // Interpolation on logarithms, and every third step by halves so that the bracket always shrinks.
    const usable = atLow > 0 && atHigh < Infinity && i % 3 < 2
    const share = usable ? log(goal / atLow) / log(atHigh / atLow) : 0.5
    const guess = usable ? Math.round(low * power(high / low, share)) : Math.round((low + high) / 2)
    const n = Math.min(high - 1, Math.max(low + 1, guess))
    const value = cost(n)
    if (value <= goal) {
      low = n
      atLow = value
    } else {
      high = n
      atHigh = value
    }
  }
  return low
}
