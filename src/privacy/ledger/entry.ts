/**
 * Entries of a ledger: what they hold, their one text, and the hash that chains them.
 *
 * An entry's text is the canonical JSON of all its fields, on one line; `hash` is the SHA-256 of the canonical JSON of
 * the others; `previous` is the hash of the entry before. A text that differs from the canonical one in so much as a
 * space is refused, so no byte of a ledger can change unseen.
 * @module
 */
import { aNumber, anInteger, anOptions, aString, oneOf } from '../../assert.ts'
import { canonicalJson, hashOf, type Plain } from '../../canonical.ts'
import { FormatError } from '../../errors.ts'
import type { PrivacyEvent } from '../accountant/event.ts'
import { anEvent } from '../accountant/make-event.ts'
import { aBudget, ACCOUNTANT_NAMES, type AccountantName, type Budget } from './budget.ts'

/** What every entry has. */
interface Link {
  /** Position in the ledger, from 0. */
  readonly number: number
  /** Hash of the entry before; 64 zeros in the first. */
  readonly previous: string
  readonly hash: string
}

/** The first entry: what may be spent, how it is counted, on what. */
export interface OpeningEntry extends Link {
  readonly kind: 'budget'
  readonly version: 1
  /** Null: no privacy is promised; for simulations only. */
  readonly budget: Budget | null
  readonly accountant: AccountantName
  /** Hash of what is trained. */
  readonly task: string
  /** Hash of the model that the first round starts from. */
  readonly model: string
  /** True: no release of this ledger carries a promise. */
  readonly simulation: boolean
}

/** Kind of noise: `none` is for runs without privacy. */
export type LedgerNoise = 'system' | 'seeded' | 'none'

/** What a round costs. */
export interface RoundCost {
  /** Higher than any before: a number is never used twice. */
  readonly round: number
  readonly planHash: string
  /** What is released, sampling included. `none` in a round that an earlier event covers. */
  readonly event: PrivacyEvent
  /** Number of the reservation whose event covers this round: correlated noise is paid for once. */
  readonly covered?: number
  readonly noise: LedgerNoise
}

/** Written before noise is drawn. From here on the round is spent, whether a release follows or not. */
export interface ReserveEntry extends Link, RoundCost {
  readonly kind: 'reserve'
  readonly modelBefore: string
  /** ε at the budget's δ of all events up to this one; null: infinite, or no budget. */
  readonly epsilon: number | null
}

/** Written in one transaction with the model it pays for, right after its reservation, whose fields it repeats. */
export interface ReleaseEntry extends Link, RoundCost {
  readonly kind: 'release'
  readonly modelBefore: string
  /** Hash of the released model's bytes. */
  readonly modelAfter: string
  /** Hash of the other bytes that a resumed run needs. */
  readonly stateAfter?: string
  readonly epsilon: number | null
}

/** A line of a ledger. */
export type LedgerEntry = OpeningEntry | ReserveEntry | ReleaseEntry

/** An entry that has no hash yet. */
export type Unsealed<E extends LedgerEntry> = E extends LedgerEntry ? Omit<E, 'hash'> : never

/** `previous` of the first entry. */
export const GENESIS = '0'.repeat(64)

/** Adds the hash. */
export function seal<E extends LedgerEntry>(entry: Unsealed<E>): E {
  return Object.freeze({ ...entry, hash: hashOf(entry as unknown as Plain) }) as unknown as E
}

/** The one text of an entry, without a line break. */
export function entryText(entry: LedgerEntry): string { return canonicalJson(entry as unknown as Plain) }

/**
 * Reads an entry's text.
 * @throws {FormatError} when it is not the canonical text of an entry with its right hash
 */
export function parseEntry(text: string, number: number): LedgerEntry {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    throw damaged(number, 'is no JSON')
  }
  try {
    const entry = anEntry(value as LedgerEntry)
    if (entryText(entry) !== text) throw new RangeError('its text is not the canonical one')
    const { hash, ...rest } = entry
    if (hashOf(rest as unknown as Plain) !== hash) throw new RangeError('its hash is not that of its content')
    return entry
  } catch (error) {
    throw damaged(number, (error as Error).message)
  }
}

/** The error for an entry that is not as it was written. */
export function damaged(number: number, what: string): FormatError {
  return new FormatError(`entry ${number} of the ledger was changed or damaged: ${what}; ` +
    'restore the ledger and its models from one copy; do not go on with it')
}

const LINK = ['kind', 'number', 'previous', 'hash']
const COST = [...LINK, 'round', 'planHash', 'event', 'covered', 'noise', 'modelBefore', 'epsilon']

function anEntry(value: LedgerEntry): LedgerEntry {
  const kind = oneOf('kind', (value as LedgerEntry | null)?.kind, ['budget', 'reserve', 'release'])
  anInteger('number', value.number)
  aHash('previous', value.previous)
  aHash('hash', value.hash)
  if (value.kind === 'budget') return Object.freeze({ ...value, ...anOpening(value) })
  anOptions(kind, value, value.kind === 'release' ? [...COST, 'modelAfter', 'stateAfter'] : COST)
  const cost = aRoundCost(value)
  aHash('modelBefore', value.modelBefore)
  if (value.epsilon !== null) aNumber('epsilon', value.epsilon, 0)
  if (value.kind === 'release') {
    aHash('modelAfter', value.modelAfter)
    if (value.stateAfter !== undefined) aHash('stateAfter', value.stateAfter)
  }
  return Object.freeze({ ...value, ...cost })
}

/** Checks what an opening entry says. */
export function anOpening(value: Omit<OpeningEntry, keyof Link>): Omit<OpeningEntry, keyof Link> {
  anOptions('budget', value, [...LINK, 'version', 'budget', 'accountant', 'task', 'model', 'simulation'])
  if (value.version !== 1) throw new RangeError(`"version" expected 1, got ${String(value.version)}; use a newer release of this library`)
  if (typeof value.simulation !== 'boolean') throw new TypeError('"simulation" expected true or false')
  const budget = value.budget === null ? null : aBudget(value.budget)
  if (!value.simulation && (budget === null || budget.epsilon === null)) {
    throw new RangeError('"budget.epsilon" expected a number, got null; only a simulation may be without')
  }
  return {
    kind: 'budget', version: 1, budget, simulation: value.simulation,
    accountant: oneOf('accountant', value.accountant, ACCOUNTANT_NAMES),
    task: aString('task', value.task), model: aHash('model', value.model),
  }
}

/** Checks what a round says about its cost. */
export function aRoundCost(value: RoundCost): RoundCost {
  const { covered } = value
  return {
    round: anInteger('round', value.round, 1), planHash: aHash('planHash', value.planHash), event: anEvent(value.event),
    ...(covered !== undefined && { covered: anInteger('covered', covered, 1) }),
    noise: oneOf('noise', value.noise, ['system', 'seeded', 'none']),
  }
}

/** A SHA-256 in hexadecimal. */
export function aHash(title: string, value: unknown): string {
  if (typeof value !== 'string') throw new TypeError(`"${title}" expected a SHA-256 in hexadecimal, got ${typeof value}`)
  if (!/^[0-9a-f]{64}$/.test(value)) throw new RangeError(`"${title}" expected 64 hexadecimal digits, got ${JSON.stringify(value.slice(0, 80))}`)
  return value
}
