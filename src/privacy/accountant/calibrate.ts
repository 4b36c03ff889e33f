/**
 * Calibration: with any one of noise, rounds, cohort and ε missing, find it. Each search brackets and bisects a
 * monotone function and returns the end of the bracket on the safe side.
 * @module
 */
import { aNumber, anInteger } from '../../assert.ts'
import type { Accountant } from './accountant.ts'
import { poissonGaussian, type PrivacyEvent } from './event.ts'
import type { Neighbourhood } from './neighbourhood.ts'
import { rdpAccountant } from './rdp.ts'

/** Makes an empty accountant for a neighbourhood. */
export type AccountantMaker = (neighbourhood: Neighbourhood) => Accountant

/** The promise to keep. */
export interface Target extends Neighbourhood {
  readonly epsilon: number
  readonly delta: number
  /** Default: the default accountant. */
  readonly accountant?: AccountantMaker
}

const DEFAULT_ACCOUNTANT: AccountantMaker = (neighbourhood) => rdpAccountant(neighbourhood)

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
 * The smallest x in [low, high] for which `holds` is true, `holds` being false up to some point and true from there
 * on; the value returned always satisfies it.
 * @throws {RangeError} when it does not hold even at `high`
 */
export function smallest(title: string, low: number, high: number, tolerance: number, holds: (x: number) => boolean): number {
  if (!holds(high)) throw new RangeError(`"${title}" expected a target that some value up to ${high} can meet; raise epsilon or delta`)
  if (holds(low)) return low
  while (high - low > tolerance) {
    const middle = low + (high - low) / 2
    if (middle <= low || middle >= high) break
    if (holds(middle)) high = middle
    else low = middle
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
  const holds = (sigma: number): boolean => start.compose(events(sigma)).epsilon(delta) <= epsilon
  // Doubling from 1 keeps the search away from tiny noise, where every accountant is slow.
  let high = 1
  let low = 1
  if (holds(high)) {
    do {
      high = low
      low /= 2
    } while (low > 1e-3 && holds(low))
  } else {
    do {
      low = high
      high *= 2
      if (high > 1e9) throw new RangeError(`"epsilon" expected a target that some noise can meet, got ${epsilon} at δ = ${delta}`)
    } while (!holds(high))
  }
  return smallest('noiseMultiplier', low, high, tolerance * high, holds)
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
