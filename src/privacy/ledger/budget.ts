/**
 * A budget: the ε at a δ that a ledger may spend, and what of it is left, in rounds and in noise.
 * @module
 */
import { aNumber, anOptions, oneOf } from '../../assert.ts'
import { PrivacyError } from '../../errors.ts'
import type { Accountant } from '../accountant/accountant.ts'
import { calibrateEvent, largestInteger } from '../accountant/calibrate.ts'
import type { PrivacyEvent } from '../accountant/event.ts'
import { selfComposed } from '../accountant/make-event.ts'
import { gaussianAccountant } from '../accountant/gaussian.ts'
import { aNeighbourhood, type Neighbourhood } from '../accountant/neighbourhood.ts'
import { pldAccountant } from '../accountant/pld/pld.ts'
import { rdpAccountant } from '../accountant/rdp.ts'
import { zcdpAccountant } from '../accountant/zcdp.ts'

/** What may be spent, on whom. */
export interface Budget extends Neighbourhood {
  /** Null: what is spent is recorded and nothing is refused; for simulations only. */
  readonly epsilon: number | null
  readonly delta: number
}

const ACCOUNTANTS = { pld: pldAccountant, rdp: rdpAccountant, zcdp: zcdpAccountant, gaussian: gaussianAccountant } as const

/** Accountants by the name that a ledger records. */
export type AccountantName = keyof typeof ACCOUNTANTS
export const ACCOUNTANT_NAMES = Object.keys(ACCOUNTANTS) as readonly AccountantName[]

/** An accountant to which nothing has happened yet. */
export function accountantNamed(name: AccountantName, { unit, adjacency }: Neighbourhood): Accountant {
  return ACCOUNTANTS[oneOf('accountant', name, ACCOUNTANT_NAMES)]({ unit, adjacency })
}

/** Checks and freezes a budget. */
export function aBudget(value: Budget): Budget {
  anOptions('budget', value, ['epsilon', 'delta', 'unit', 'adjacency'])
  return Object.freeze({
    epsilon: value.epsilon === null ? null : aNumber('budget.epsilon', value.epsilon, 0),
    delta: aNumber('budget.delta', value.delta, 0, 1),
    ...aNeighbourhood({ unit: value.unit, adjacency: value.adjacency }),
  })
}

/** What still fits into a budget. ε of different rounds does not add up: hence rounds and noise, not a difference. */
export interface BudgetLeft {
  /** ε spent so far at the budget's δ; Infinity when something was released without noise. */
  readonly spent: number
  readonly budget: Budget
  /** How many more rounds like the one asked about fit; at most a million. */
  readonly rounds: number
  /** Noise multiplier of the round asked about; undefined where its event has none. */
  readonly noiseMultiplier: number | undefined
  /** Smallest noise multipliers, to a thousandth and rounded up, with which one and ten more such rounds fit. */
  readonly noiseForOne: number | undefined
  readonly noiseForTen: number | undefined
}

/** A round was refused because it would pass the budget. Nothing was released and nothing was spent. */
export class BudgetError extends PrivacyError {
  readonly left: BudgetLeft

  constructor(round: number, needed: number, left: BudgetLeft) {
    const { budget, spent } = left
    super(`round ${round} expected a budget of at least ε = ${upTo(needed)} at δ = ${budget.delta}, got ${budget.epsilon}, ` +
      `of which ${upTo(spent)} is spent; it was refused before it started. ${describeLeft(left)}`)
    this.left = left
  }
}

/** What is left, in words. */
export function describeLeft(left: BudgetLeft): string {
  const { rounds, noiseMultiplier, noiseForOne, noiseForTen } = left
  if (left.budget.epsilon === null) return 'The budget has no limit.'
  const own = noiseMultiplier === undefined ? 'such rounds' : `rounds with noise multiplier ${round4(noiseMultiplier)}`
  const fit = `${rounds === 0 ? 'No' : rounds === MOST ? `${MOST} or more` : rounds} ${own} still fit`
  if (noiseForOne === undefined) return `${fit}${noiseMultiplier === undefined ? '' : ', and none with any noise'}.`
  return `${fit}; one fits with noise multiplier ${noiseForOne}, ten with ${noiseForTen ?? 'none'}.`
}

/** More rounds than this are not looked for. */
const MOST = 1_000_000

/**
 * What of a budget is left for rounds like `event`, after what the accountant holds.
 * @param accountant - what was spent
 */
export function budgetLeft(budget: Budget, accountant: Accountant, event: PrivacyEvent): BudgetLeft {
  const { epsilon, delta, unit, adjacency } = budget
  const spent = accountant.epsilon(delta)
  const noiseMultiplier = noiseOf(event)
  const base = { spent, budget, noiseMultiplier }
  if (epsilon === null) return Object.freeze({ ...base, rounds: MOST, noiseForOne: undefined, noiseForTen: undefined })
  const cost = (n: number): number => accountant.compose(event, n).epsilon(delta)
  const rounds = cost(1) > epsilon ? 0 : largestInteger('rounds', 4, MOST, epsilon, cost)
  const noiseFor = (n: number): number | undefined => {
    if (noiseMultiplier === undefined || spent >= epsilon) return undefined
    try {
      const found = calibrateEvent({
        unit, adjacency, epsilon, delta, accountant: () => accountant, tolerance: 5e-4,
        events: (noise) => selfComposed(withNoise(event, noise)!, n),
      })
      // the answer that is shown is one that was tried: rounding up adds noise
      return round4(found * (1 + 5e-4))
    } catch (error) {
      if (error instanceof RangeError) return undefined
      throw error
    }
  }
  return Object.freeze({ ...base, rounds, noiseForOne: noiseFor(1), noiseForTen: noiseFor(10) })
}

/** Noise multiplier of an event: of the mechanism inside the sampling. */
export function noiseOf(event: PrivacyEvent): number | undefined {
  switch (event.kind) {
    case 'gaussian': case 'laplace': case 'truncated-poisson': case 'tree': case 'matrix-factorisation': case 'mixture-gaussian':
      return event.noiseMultiplier
    case 'discrete-gaussian': return event.sigma / event.sensitivity
    case 'poisson-sampled': case 'fixed-size-sampled': return noiseOf(event.event)
    default: return undefined
  }
}

/** The same event with another noise multiplier. */
export function withNoise(event: PrivacyEvent, noiseMultiplier: number): PrivacyEvent | undefined {
  switch (event.kind) {
    case 'gaussian': case 'laplace': case 'truncated-poisson': case 'tree': case 'matrix-factorisation': case 'mixture-gaussian':
      return { ...event, noiseMultiplier }
    case 'discrete-gaussian': return { ...event, sigma: noiseMultiplier * event.sensitivity }
    case 'poisson-sampled': case 'fixed-size-sampled': {
      const inner = withNoise(event.event, noiseMultiplier)
      return inner && { ...event, event: inner }
    }
    default: return undefined
  }
}

/** Four significant digits, for people. */
function round4(x: number): number { return Number(x.toPrecision(4)) }

/** Five significant digits, never below x. */
export function upTo(x: number): number {
  if (!Number.isFinite(x) || x === 0) return x
  const near = Number(x.toPrecision(5))
  return near >= x ? near : Number((x * (1 + 5e-5)).toPrecision(5))
}
