/**
 * The ledger: the one who says whether a round may start, and who lets a model out.
 *
 * A round goes: `authorise` (would it pass the budget?), then the clients train, then `spend`: a reservation is made
 * durable, the noise is drawn, and the model is committed in one transaction with the entry that pays for it. So
 * - a model is stored under its released name only after its entry is durable: the ledger is never behind the models;
 * - noise is drawn only after its round is charged: a process that dies in between has spent the round, and nobody has
 *   to argue about what was seen;
 * - a round number is used once: the run that goes on takes the next number, hence other streams.
 * @module
 */
import { anOptions, aString } from '../../assert.ts'
import { canonicalJson, hashBytes, type Plain } from '../../canonical.ts'
import { FormatError, PrivacyError } from '../../errors.ts'
import type { Accountant } from '../accountant/accountant.ts'
import type { PrivacyEvent } from '../accountant/event.ts'
import { anEvent, noEvent } from '../accountant/make-event.ts'
import { BudgetError, budgetLeft, type AccountantName, type Budget, type BudgetLeft } from './budget.ts'
import { follow, type LedgerState } from './chain.ts'
import {
  aHash, anOpening, aRoundCost, entryText, GENESIS, parseEntry, seal,
  type LedgerEntry, type OpeningEntry, type ReleaseEntry, type ReserveEntry, type RoundCost, type Unsealed,
} from './entry.ts'
import type { LedgerBlob, LedgerStore } from './store.ts'

/** What a new ledger is about. */
export interface LedgerOptions {
  /** Null: a simulation without privacy. */
  readonly budget: Budget | null
  /** Default `pld`. */
  readonly accountant?: AccountantName
  /** Hash of what is trained. */
  readonly task: string
  /** SHA-256 of the bytes of the model that the first round starts from. */
  readonly model: string
  /** True: seeded noise and no noise are allowed, and nothing is promised. Default false. */
  readonly simulation?: boolean
}

/** What a round released. */
export interface RoundOutput {
  readonly model: Uint8Array
  /** Whatever else the next round needs, e.g. the server optimiser's moments. Private. */
  readonly state?: Uint8Array
  /** What was done, as the mechanism says. Where it is given it must be what was reserved. */
  readonly event?: PrivacyEvent
  readonly noise?: RoundCost['noise']
}

/** What a run that is resumed starts from. */
export interface LatestRelease {
  readonly entry: ReleaseEntry
  readonly model: Uint8Array
  readonly state: Uint8Array | undefined
}

/**
 * Starts a ledger in an empty store: the budget is its first entry and never changes.
 * @throws {Error} when the store has one already, or is open for reading only
 */
export async function createLedger(store: LedgerStore, options: LedgerOptions): Promise<Ledger> {
  anOptions('ledger', options, ['budget', 'accountant', 'task', 'model', 'simulation'])
  const { budget, accountant = 'pld', task, model, simulation = false } = options
  if ((await store.read()).length > 0) throw new Error('"store" expected to be empty, got a ledger; open it with openLedger, or take another place')
  const what = anOpening({ kind: 'budget', version: 1, budget, accountant, task: aString('task', task), model: aHash('model', model), simulation })
  const opening = seal<OpeningEntry>({ ...what, number: 0, previous: GENESIS })
  const state = follow(undefined, opening)
  await store.commit(0, entryText(opening), [])
  return new Ledger(store, [opening], state, TOKEN)
}

/**
 * Opens a ledger to go on with it: every entry is checked, and ε of the last one computed again.
 *
 * @param options.simulation - must be true for a ledger of a simulation: it cannot be gone on with as a production
 * @throws {FormatError} when an entry was changed, dropped, exchanged or cut off, or its ε is not what its events cost
 * @throws {PrivacyError} for a simulation's ledger, unless asked for
 */
export async function openLedger(store: LedgerStore, options: { readonly simulation?: boolean } = {}): Promise<Ledger> {
  anOptions('openLedger', options, ['simulation'])
  const texts = await store.read()
  if (texts.length === 0) throw new Error('"store" expected a ledger, got none; start one with createLedger')
  const entries: LedgerEntry[] = []
  let state: LedgerState | undefined
  for (const text of texts) {
    const entry = parseEntry(text, entries.length)
    state = follow(state, entry)
    entries.push(entry)
  }
  const ledger = new Ledger(store, entries, state!, TOKEN)
  if (!options.simulation) requireProduction(state!)
  const { accountant, opening, epsilon } = state!
  const now = accountant === undefined ? null : finite(accountant.epsilon(opening.budget!.delta))
  if (now === null ? epsilon !== null : epsilon !== null && epsilon < now * (1 - SAME_EPSILON)) {
    throw new FormatError(`the ledger expected ε = ${now} in its last entry, as its events cost, got ${epsilon}; do not go on with it`)
  }
  return ledger
}

/** Relative difference within which two ε are the same. */
export const SAME_EPSILON = 1e-9

const TOKEN = Symbol('ledger')

/** A ledger open for writing, or for reading where its store is; made by `createLedger` and `openLedger`. */
export class Ledger {
  #store: LedgerStore
  #entries: LedgerEntry[]
  #state: LedgerState
  #busy = false
  #broken = false
  /** The last answer: the question comes twice a round, before and after the clients have trained. */
  #cost: { state: Accountant, event: string, epsilon: number } | undefined

  /** @internal */
  constructor(store: LedgerStore, entries: LedgerEntry[], state: LedgerState, token: symbol) {
    if (token !== TOKEN) throw new TypeError('"Ledger" expected createLedger or openLedger to make it')
    this.#store = store
    this.#entries = entries
    this.#state = state
  }

  get entries(): readonly LedgerEntry[] { return [...this.#entries] }
  get opening(): OpeningEntry { return this.#state.opening }
  get budget(): Budget | null { return this.#state.opening.budget }
  /** ε spent so far at the budget's δ; null without a budget or where it is infinite. */
  get epsilon(): number | null { return this.#state.epsilon }
  /** Hash of the last entry: published with a model, it is the anchor that a ledger cannot be cut back behind. */
  get head(): string { return this.#state.last.hash }
  /** The number that the next round has to have, or a higher one. */
  get nextRound(): number { return this.#state.round + 1 }
  /** Hash of the model that the next round starts from. */
  get model(): string { return this.#state.model }
  /** Reservation that further rounds may be covered by, with correlated noise; undefined where a new event is due. */
  get covering(): number | undefined { return this.#state.last.kind === 'release' ? this.#state.coverage?.number : undefined }

  /**
   * Says whether a round may start. Nothing is written.
   *
   * @returns ε at the budget's δ after it; null where there is no budget
   * @throws {BudgetError} when it would pass the budget: what is left, and how many rounds with which noise still fit
   * @throws {UnsupportedEventError} when the accountant has no bound for the event
   */
  authorise(event: PrivacyEvent, round = this.nextRound): number | null {
    const epsilon = this.#epsilonAfter(event)
    const { budget } = this
    if (budget === null || budget.epsilon === null) return finite(epsilon)
    // also an ε below by a rounding error must not fall: the ledger records the highest so far
    const total = Math.max(epsilon, this.epsilon ?? Infinity)
    if (!(total <= budget.epsilon)) throw new BudgetError(round, total, budgetLeft(budget, this.#state.accountant!, event))
    return total
  }

  /** How many rounds like this one still fit, and with which noise one and ten would; takes seconds with sampling. */
  left(event: PrivacyEvent): BudgetLeft {
    const { budget } = this
    if (budget === null) throw new PrivacyError('"left" expected a ledger with a budget, got one of a run without privacy')
    return budgetLeft(budget, this.#state.accountant!, anEvent(event))
  }

  /**
   * Reserves a round, lets its noise be drawn, and commits what comes of it.
   *
   * @param cost - round, plan, event, noise
   * @param draw - draws the noise and makes the model; called when the reservation is durable, once
   * @returns the release's entry; from here on the model is released
   * @throws {BudgetError} before anything is written; whatever `draw` throws: then the round is spent and nothing released
   */
  async spend(cost: RoundCost, draw: () => RoundOutput | Promise<RoundOutput>): Promise<ReleaseEntry> {
    return this.#alone(async () => {
      const reserved = await this.#reserve(cost)
      const output = await draw()
      if (!(output?.model instanceof Uint8Array)) throw new TypeError('"draw" expected to give { model: Uint8Array }')
      this.#asReserved(reserved, output)
      return this.#release(reserved, output)
    })
  }

  /**
   * The last released model, or undefined before the first.
   * @throws {FormatError} when its bytes are missing or not those of its hash
   */
  async latest(): Promise<LatestRelease | undefined> {
    const entry = this.#state.release
    if (entry === undefined) return undefined
    const model = await this.#bytes('model', entry.modelAfter)
    const state = entry.stateAfter === undefined ? undefined : await this.#bytes('state', entry.stateAfter)
    return Object.freeze({ entry, model, state })
  }

  /** Lets the next writer in. The ledger is of no use afterwards. */
  async close(): Promise<void> {
    this.#broken = true
    await this.#store.close()
  }

  #epsilonAfter(event: PrivacyEvent): number {
    const checked = anEvent(event)
    const { accountant, opening } = this.#state
    if (accountant === undefined) return Infinity
    const key = canonicalJson(checked as unknown as Plain)
    if (this.#cost?.state !== accountant || this.#cost.event !== key) {
      const epsilon = accountant.compose(checked).epsilon(opening.budget!.delta)
      this.#cost = { state: accountant, event: key, epsilon }
    }
    return this.#cost.epsilon
  }

  async #reserve(cost: RoundCost): Promise<ReserveEntry> {
    anOptions('cost', cost, ['round', 'planHash', 'event', 'covered', 'noise'])
    const { noise } = cost
    if (!this.opening.simulation && noise !== 'system') {
      throw new PrivacyError(`"noise" expected system noise, got ${String(noise)}; a ledger that is made with simulation: true allows it, and promises nothing`)
    }
    const given = aRoundCost(cost.covered === undefined ? cost : { ...cost, event: cost.event ?? noEvent() })
    const epsilon = this.authorise(given.event, given.round)
    const { last, model } = this.#state
    return this.#append<ReserveEntry>({
      kind: 'reserve', number: last.number + 1, previous: last.hash, ...given, modelBefore: model,
      epsilon: epsilon === null ? null : Math.max(epsilon, this.epsilon ?? 0),
    }, [])
  }

  #asReserved({ event, noise, covered }: ReserveEntry, output: RoundOutput): void {
    if (output.noise !== undefined && output.noise !== noise) {
      throw new PrivacyError(`"noise" expected ${noise}, as was reserved, got ${output.noise}; nothing was released, and the round is spent`)
    }
    if (covered === undefined && output.event !== undefined &&
      canonicalJson(output.event as unknown as Plain) !== canonicalJson(event as unknown as Plain)) {
      throw new PrivacyError('"event" expected what was reserved, got another one; nothing was released, and the round is spent')
    }
  }

  async #release(reserved: ReserveEntry, { model, state }: RoundOutput): Promise<ReleaseEntry> {
    const blobs: LedgerBlob[] = [{ kind: 'model', hash: hashBytes(model), bytes: model }]
    if (state !== undefined) blobs.push({ kind: 'state', hash: hashBytes(state), bytes: state })
    const { hash, ...what } = reserved
    return this.#append<ReleaseEntry>({
      ...what, kind: 'release', number: reserved.number + 1, previous: hash, modelAfter: blobs[0].hash,
      ...(state !== undefined && { stateAfter: blobs[1].hash }),
    }, blobs)
  }

  async #append<E extends ReserveEntry | ReleaseEntry>(unsealed: Unsealed<E>, blobs: readonly LedgerBlob[]): Promise<E> {
    const entry = seal<E>(unsealed)
    let next: LedgerState
    try {
      next = follow(this.#state, entry)
    } catch (error) {
      // the same rule that refuses it when it is read: here it is the caller's mistake, and nothing was written
      throw new PrivacyError((error as Error).message.replace(/^entry (\d+) of the ledger was changed or damaged: (.*); restore.*$/, 'entry $1 of the ledger was refused: $2'))
    }
    this.#broken = true
    await this.#store.commit(entry.number, entryText(entry), blobs)
    this.#broken = false
    this.#entries.push(entry)
    this.#state = next
    return entry
  }

  async #alone<T>(work: () => Promise<T>): Promise<T> {
    if (!this.#store.writable) throw new Error('"ledger" expected to be open for writing, got one that is open for reading only')
    if (this.#busy) throw new Error('"ledger" expected one round at a time, got a second one before the first was released')
    if (this.#broken) throw new Error('"ledger" expected to be in a known state, got one that was closed or whose last commit failed; open it again')
    this.#busy = true
    try {
      return await work()
    } finally {
      this.#busy = false
    }
  }

  async #bytes(kind: LedgerBlob['kind'], hash: string): Promise<Uint8Array> {
    const bytes = await this.#store.blob(kind, hash)
    if (bytes === undefined) throw new FormatError(`the ${kind} ${hash} expected to be kept with the ledger, but it is missing`)
    if (hashBytes(bytes) !== hash) throw new FormatError(`the ${kind} ${hash} was changed or damaged: its bytes have another hash`)
    return bytes
  }
}

/** Refuses what carries no promise. */
function requireProduction({ opening, insecure }: LedgerState): void {
  if (!opening.simulation && !insecure) return
  throw new PrivacyError(`"ledger" expected one of a production, got a simulation, no guarantee${insecure ? ' (seeded or no noise)' : ''}; ` +
    'openLedger(store, { simulation: true }) goes on with it as one')
}

/** JSON has no infinity. */
export function finite(epsilon: number): number | null { return epsilon === Infinity ? null : epsilon }
