/**
 * The rules that make a list of entries a ledger, and what follows from it. The writer checks an entry by these rules
 * before it is stored, a reader when it is read, and an auditor: there is no second set of rules.
 * @module
 */
import { canonicalJson, type Plain } from '../../canonical.ts'
import { atoms, type Accountant } from '../accountant/accountant.ts'
import type { PrivacyEvent } from '../accountant/event.ts'
import { accountantNamed } from './budget.ts'
import { damaged, GENESIS, type LedgerEntry, type OpeningEntry, type ReserveEntry, type ReleaseEntry } from './entry.ts'

/** What a ledger says after its last entry. */
export interface LedgerState {
  readonly opening: OpeningEntry
  readonly last: LedgerEntry
  /** Of all events; undefined without a budget. */
  readonly accountant: Accountant | undefined
  /** Hash of the last released model, or of the one that the run started from. */
  readonly model: string
  readonly release: ReleaseEntry | undefined
  /** Highest round number reserved. */
  readonly round: number
  /** ε recorded last. */
  readonly epsilon: number | null
  /** Reservations and releases so far. */
  readonly reserved: number
  readonly released: number
  /** True when any draw was seeded or without noise. */
  readonly insecure: boolean
  /** Event of several rounds under way. */
  readonly coverage: Coverage | undefined
}

/** Rounds that one event pays for. */
interface Coverage {
  /** The reservation with the event. */
  readonly number: number
  readonly noise: string
  /** Rounds that it still covers. */
  readonly left: number
}

/**
 * The state after one more entry.
 * @throws {FormatError} when the entry cannot follow
 */
export function follow(state: LedgerState | undefined, entry: LedgerEntry): LedgerState {
  const number = state === undefined ? 0 : state.last.number + 1
  const expected = state === undefined ? GENESIS : state.last.hash
  if (entry.number !== number) throw damaged(number, `it says it is entry ${entry.number}: entries are missing, repeated or in another order`)
  if (entry.previous !== expected) throw damaged(number, 'it does not follow the entry before: one of the two was exchanged')
  if (state === undefined) {
    if (entry.kind !== 'budget') throw damaged(0, `expected the budget first, got a ${entry.kind}`)
    return Object.freeze({
      opening: entry, last: entry, accountant: entry.budget === null ? undefined : accountantNamed(entry.accountant, entry.budget),
      model: entry.model, release: undefined, round: 0, epsilon: entry.budget === null ? null : 0,
      reserved: 0, released: 0, insecure: false, coverage: undefined,
    })
  }
  if (entry.kind === 'budget') throw damaged(number, 'it is a second budget')
  if (entry.modelBefore !== state.model) throw damaged(number, `it starts from model ${entry.modelBefore}, the last one released is ${state.model}`)
  return entry.kind === 'reserve' ? afterReserve(state, entry) : afterRelease(state, entry)
}

function afterReserve(state: LedgerState, entry: ReserveEntry): LedgerState {
  const { number, event, covered, round, noise, epsilon } = entry
  if (round <= state.round) throw damaged(number, `round ${round} comes after round ${state.round}: a round number is used once`)
  const insecure = state.insecure || noise !== 'system'
  if (insecure && !state.opening.simulation) throw damaged(number, `its noise is ${noise}, and the ledger is not of a simulation`)
  if (covered === undefined && atoms(event).length === 0) throw damaged(number, 'its event is nothing, and no earlier one covers it')
  const coverage = covered === undefined ? startOf(entry) : continued(state, entry, covered)
  const before = state.epsilon
  if (before === null ? epsilon !== null : epsilon !== null && epsilon < before) {
    throw damaged(number, `ε is ${epsilon} after ${before}: it cannot fall`)
  }
  return Object.freeze({
    ...state, last: entry, accountant: state.accountant?.compose(event), round, epsilon,
    reserved: state.reserved + 1, insecure, coverage,
  })
}

function afterRelease(state: LedgerState, entry: ReleaseEntry): LedgerState {
  const { last } = state
  if (last.kind !== 'reserve') throw damaged(entry.number, 'it is a release without a reservation right before it')
  for (const key of ['round', 'planHash', 'event', 'covered', 'noise', 'epsilon'] as const) {
    if (!same(entry[key], last[key])) throw damaged(entry.number, `its ${key} is not that of its reservation`)
  }
  return Object.freeze({ ...state, last: entry, model: entry.modelAfter, release: entry, released: state.released + 1 })
}

function startOf({ number, event, noise }: ReserveEntry): Coverage | undefined {
  const left = roundsCovered(event) - 1
  return left > 0 ? { number, noise, left } : undefined
}

function continued(state: LedgerState, entry: ReserveEntry, covered: number): Coverage | undefined {
  const { coverage, last } = state
  if (coverage === undefined || coverage.number !== covered) throw damaged(entry.number, `entry ${covered} covers no further round`)
  // noise drawn for a round that was not released is lost, and with it the rest of the run that it correlates with
  if (last.kind === 'reserve') throw damaged(entry.number, `round ${last.round} was not released: correlated noise cannot go on after it`)
  if (entry.event.kind !== 'none') throw damaged(entry.number, 'a covered round has an event of its own')
  if (entry.noise !== coverage.noise) throw damaged(entry.number, `its noise is ${entry.noise}, that of the run ${coverage.noise}`)
  return coverage.left > 1 ? { ...coverage, left: coverage.left - 1 } : undefined
}

/** How many rounds an event pays for: 1, or those of a tree or matrix factorisation. */
export function roundsCovered(event: PrivacyEvent): number {
  switch (event.kind) {
    case 'tree': case 'matrix-factorisation': return event.rounds
    case 'composed': return event.events.length === 0 ? 1 : Math.min(...event.events.map(roundsCovered))
    default: return 1
  }
}

function same(a: unknown, b: unknown): boolean {
  return a === b || (a !== undefined && b !== undefined && canonicalJson(a as Plain) === canonicalJson(b as Plain))
}
