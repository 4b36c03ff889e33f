/**
 * What is promised, to whom, under which assumptions, and what is not: the content of privacy.json. Every number is
 * computed from the events alone.
 * @module
 */
import { NUMERICS_VERSION } from '../numerics.ts'
import { pldAccountant, rdpAccountant, summarise } from '../privacy/accountant/index.ts'
import type { Adjacency, AttackRate, PrivacyEvent, PrivacyUnit } from '../privacy/accountant/index.ts'
import { count } from './format.ts'

/** A run's settings as far as its privacy goes. */
export interface PrivacyPlan {
  readonly unit: PrivacyUnit
  readonly adjacency: Adjacency
  readonly delta: number
  readonly population: number
  readonly noiseCohort: number
  readonly samplingRate: number
  readonly noiseMultiplier: number
  readonly clip: number
  readonly clipRule?: string | undefined
  /** The ε asked for, where one was. */
  readonly epsilon?: number | undefined
  readonly plannedEpsilon: number
}

/** A privacy statement. Numbers are those of the deployment that the simulation imitates. */
export interface PrivacyStatement {
  readonly format: 'sotto-privacy/1'
  /** Version of the numerics that the run computed with (docs/numerics.md). */
  readonly numerics: number
  readonly status: 'simulation, no guarantee'
  readonly unit: PrivacyUnit
  readonly adjacency: Adjacency
  readonly population: number
  /** Clients a round of the imitated deployment, and of the simulation. */
  readonly noiseCohort: number
  readonly simulatedCohort: number
  readonly sampling: { readonly scheme: 'Poisson', readonly rate: number, readonly enforcedBy: string }
  readonly rounds: number
  readonly plannedRounds: number
  readonly mechanism: {
    readonly name: 'discrete Gaussian on an integer lattice'
    /** Standard deviation of the noise on the sum, over the clip norm: planned, and the least that was reached. */
    readonly noiseMultiplier: number
    readonly achievedNoiseMultiplier: number
    readonly clip: number
    readonly clipRule: string
    /** Rounding to integers costs less than this share of the noise's variance. */
    readonly roundingVarianceShare: number
  }
  readonly delta: number
  /** Rounded up. */
  readonly epsilon: number
  readonly epsilonAsked: number | null
  readonly accountant: { readonly name: 'PLD', readonly bound: 'upper', readonly discretisation: number }
  /** The same events by Rényi DP: an independent and looser upper bound. */
  readonly crossCheck: { readonly name: 'RDP', readonly epsilon: number }
  /** As hard to tell apart as two normal distributions this many standard deviations apart. */
  readonly mu: number
  /** Largest true-positive rate of a membership attacker at some false-positive rates. */
  readonly attacker: readonly AttackRate[]
  readonly noiseSource: 'seeded' | 'system'
  readonly notCovered: readonly string[]
}

/** Bound of the lattice's own share of the variance. */
const ROUNDING_SHARE = 0.01

/** Makes a statement from the events that took place. */
export function privacyStatement(options: {
  plan: PrivacyPlan, events: readonly PrivacyEvent[], plannedRounds: number, cohort: number, noise: 'seeded' | 'system'
}): PrivacyStatement {
  const { plan, events, plannedRounds, cohort, noise } = options
  const { unit, adjacency, delta } = plan
  const counted = grouped(events)
  const compose = (empty: ReturnType<typeof pldAccountant>) => counted.reduce((sum, [event, times]) => sum.compose(event, times), empty)
  const { epsilon, mu, attacker, discretisation } = summarise(compose(pldAccountant({ unit, adjacency })), delta)
  return Object.freeze<PrivacyStatement>({
    format: 'sotto-privacy/1',
    numerics: NUMERICS_VERSION,
    status: 'simulation, no guarantee',
    unit, adjacency,
    population: plan.population, noiseCohort: plan.noiseCohort, simulatedCohort: cohort,
    sampling: {
      scheme: 'Poisson', rate: plan.samplingRate,
      enforcedBy: 'the simulation; in a deployment the coordinator would have to, and clients could not check it',
    },
    rounds: events.length, plannedRounds,
    mechanism: {
      name: 'discrete Gaussian on an integer lattice',
      noiseMultiplier: plan.noiseMultiplier, achievedNoiseMultiplier: leastNoise(events) ?? plan.noiseMultiplier,
      clip: plan.clip, clipRule: plan.clipRule ?? 'flat', roundingVarianceShare: ROUNDING_SHARE,
    },
    delta, epsilon, epsilonAsked: plan.epsilon ?? null,
    accountant: { name: 'PLD', bound: 'upper', discretisation },
    crossCheck: { name: 'RDP', epsilon: compose(rdpAccountant({ unit, adjacency })).epsilon(delta) },
    mu, attacker, noiseSource: noise,
    notCovered: notCovered(plan, cohort, noise),
  })
}

function grouped(events: readonly PrivacyEvent[]): [PrivacyEvent, number][] {
  const counts = new Map<string, [PrivacyEvent, number]>()
  for (const event of events) {
    const key = JSON.stringify(event)
    const known = counts.get(key)
    if (known) known[1]++
    else counts.set(key, [event, 1])
  }
  return [...counts.values()]
}

function leastNoise(events: readonly PrivacyEvent[]): number | undefined {
  const multipliers = events.flatMap(event => event.kind === 'poisson-sampled' && event.event.kind === 'gaussian' ? [event.event.noiseMultiplier] : [])
  return multipliers.length === 0 ? undefined : Math.min(...multipliers)
}

/** What nobody should read into the numbers. */
function notCovered(plan: PrivacyPlan, cohort: number, noise: 'seeded' | 'system'): string[] {
  return [
    'This was a simulation: whoever ran it had all the data, and nothing here protects the data that it used.',
    ...(plan.noiseCohort === cohort ? [] : [`The noise imitates a deployment that averages ${count(plan.noiseCohort)} clients a round out of ` +
      `${count(plan.population)}; the simulation averaged about ${count(cohort)}, with the noise of the larger mean. ε is that deployment's.`]),
    ...(noise === 'seeded' ? ['The noise came from a seed so that the run can be repeated: who knows the seed can remove it.'] : []),
    'ε counts the released models only. Losses, update norms and the accuracy curve in this report come from raw data; a deployment does not see them.',
    'Choosing settings by looking at results (rank, clip norm, learning rates, this comparison) is not accounted for.',
    `ε holds for one ${plan.unit}, whose whole contribution to a round is clipped. People who share a ${plan.unit}, or have several, get less.`,
    'Sampling must be random and secret. Devices that come when they please are not a Poisson sample; for them noise that needs no sampling is used.',
  ]
}
