/**
 * The auditor's view: reads a ledger's text, checks the chain, and computes every ε again from the events alone. It
 * needs no store, no model and no clock, and writes nothing.
 * @module
 */
import { anInteger, anOptions } from '../../assert.ts'
import { PrivacyError } from '../../errors.ts'
import type { Accountant } from '../accountant/accountant.ts'
import { accountantNamed, upTo, type AccountantName, type Budget } from './budget.ts'
import { follow, type LedgerState } from './chain.ts'
import { aHash, parseEntry, type LedgerEntry, type LedgerNoise, type OpeningEntry } from './entry.ts'
import { finite, SAME_EPSILON } from './ledger.ts'

/** One reserved round, as recorded and as computed again. */
export interface AuditedRound {
  /** Number of the reservation. */
  readonly number: number
  readonly round: number
  readonly noise: LedgerNoise
  /** False: reserved, hence spent, but nothing was released: the process died in between, or the release failed. */
  readonly released: boolean
  /** Null: infinite, or no budget. */
  readonly recorded: number | null
  /** Undefined where `every` left it out. */
  readonly recomputed: number | null | undefined
}

/** What an audit found; plain data. */
export interface LedgerAudit {
  /** No problem was found. */
  readonly valid: boolean
  /** What is wrong, in words. Entries after a broken link are not read. */
  readonly problems: readonly string[]
  readonly entries: number
  /** Hash of the last entry that could be read; compare it with the one published with a model. */
  readonly head: string | undefined
  /** Whether the end of the ledger is proved, by a head that was given. */
  readonly anchored: boolean
  readonly task: string | undefined
  readonly accountant: AccountantName | undefined
  readonly budget: Budget | null | undefined
  readonly rounds: readonly AuditedRound[]
  readonly reserved: number
  readonly released: number
  /** ε of all events at the budget's δ, computed again; null: infinite or no budget. */
  readonly epsilon: number | null
  readonly recordedEpsilon: number | null
  /** Within the budget; null without one. */
  readonly withinBudget: boolean | null
  /** Hash of the last released model. */
  readonly model: string | undefined
  /** True: the ledger of a simulation, or one with seeded or missing noise: no guarantee. */
  readonly simulation: boolean
  /** The promise in a sentence, or that there is none. */
  readonly statement: string
  /** All of this for people. */
  readonly text: string
}

export interface AuditOptions {
  /** Hash of the last entry, from where a model was published or from the store; without it a cut end cannot be seen. */
  readonly head?: string
  /** Compute ε again at every so many reservations and at the last; default 1: at every one. */
  readonly every?: number
  /** Called after each reservation, since long ledgers take a while. */
  readonly onProgress?: (done: number, total: number) => void
}

/**
 * Audits a ledger.
 * @param ledger - its text (one entry a line) or the lines
 */
export function auditLedger(ledger: string | readonly string[], options: AuditOptions = {}): LedgerAudit {
  anOptions('auditLedger', options, ['head', 'every', 'onProgress'])
  const every = anInteger('every', options.every ?? 1, 1)
  const head = options.head === undefined ? undefined : aHash('head', options.head)
  const problems: string[] = []
  const { entries, state } = readChain(typeof ledger === 'string' ? linesOf(ledger, problems) : ledger, problems)
  const rounds = state === undefined ? [] : recompute(state, entries, every, problems, options.onProgress)
  if (head !== undefined && state !== undefined && state.last.hash !== head) {
    problems.push(entries.some(entry => entry.hash === head)
      ? `the ledger goes on after the entry ${head} that was given as its last`
      : `the ledger expected to end with the entry ${head}, but it is not there: the end was cut off, or it is another ledger`)
  }
  const last = rounds[rounds.length - 1]
  const epsilon = last === undefined ? state?.opening.budget ? 0 : null : last.recomputed ?? null
  const limit = state?.opening.budget?.epsilon ?? null
  const withinBudget = limit === null ? null : epsilon !== null && epsilon <= limit * (1 + SAME_EPSILON)
  if (withinBudget === false) problems.push(`ε = ${epsilon ?? 'infinite'} expected to be within the budget of ${limit}`)
  const simulation = state === undefined || state.opening.simulation || state.insecure
  const valid = problems.length === 0
  const report = {
    valid, problems: Object.freeze(problems), entries: entries.length, head: state?.last.hash,
    anchored: head !== undefined && state?.last.hash === head,
    task: state?.opening.task, accountant: state?.opening.accountant, budget: state?.opening.budget,
    rounds: Object.freeze(rounds), reserved: state?.reserved ?? 0, released: state?.released ?? 0,
    epsilon, recordedEpsilon: state?.epsilon ?? null, withinBudget, model: state?.model, simulation,
    statement: statementOf(valid, simulation, state?.opening, epsilon),
  }
  return Object.freeze({ ...report, text: textOf(report) })
}

/**
 * Refuses a ledger that promises nothing: for whatever exports or serves a model as private.
 * @throws {PrivacyError} when the audit found a problem, or the ledger is one of a simulation
 */
export function requireGuarantee(audit: LedgerAudit): void {
  if (!audit.valid) throw new PrivacyError(`"ledger" expected no problem, got: ${audit.problems[0]}`)
  if (audit.simulation) throw new PrivacyError('"ledger" expected a production, got a simulation, no guarantee: its model is not to be released as private')
}

function linesOf(text: string, problems: string[]): string[] {
  const lines = text.split('\n')
  if (lines.pop() !== '') problems.push('the last line is not ended: a commit was cut off, or something was added')
  return lines
}

function readChain(lines: readonly string[], problems: string[]): { entries: LedgerEntry[], state: LedgerState | undefined } {
  const entries: LedgerEntry[] = []
  let state: LedgerState | undefined
  try {
    for (const line of lines) {
      const entry = parseEntry(line, entries.length)
      state = follow(state, entry)
      entries.push(entry)
    }
    if (entries.length === 0) problems.push('the ledger expected a budget in its first entry, got no entry')
  } catch (error) {
    problems.push((error as Error).message)
  }
  return { entries, state }
}

function recompute(
  { opening, reserved }: LedgerState, entries: readonly LedgerEntry[], every: number, problems: string[], onProgress: AuditOptions['onProgress'],
): AuditedRound[] {
  const { budget } = opening
  let accountant: Accountant | undefined = budget === null ? undefined : accountantNamed(opening.accountant, budget)
  let highest = 0
  const rounds: AuditedRound[] = []
  entries.forEach((entry, i) => {
    if (entry.kind !== 'reserve') return
    accountant = accountant?.compose(entry.event)
    const due = rounds.length % every === every - 1 || rounds.length === reserved - 1
    let recomputed: number | null | undefined = budget === null ? null : undefined
    if (budget !== null && due) {
      // what the writer records is never below what it recorded before
      highest = Math.max(highest, accountant!.epsilon(budget.delta))
      recomputed = finite(highest)
      if (!sameEpsilon(entry.epsilon, recomputed)) {
        problems.push(`entry ${entry.number} records ε = ${entry.epsilon ?? 'infinite'}, its events cost ${recomputed ?? 'infinite'}`)
      }
    }
    rounds.push(Object.freeze({
      number: entry.number, round: entry.round, noise: entry.noise, released: entries[i + 1]?.kind === 'release', recorded: entry.epsilon, recomputed,
    }))
    onProgress?.(rounds.length, reserved)
  })
  return rounds
}

/** With `every` above 1 an ε that fell by a rounding error is recorded a trifle higher than it is computed again. */
function sameEpsilon(a: number | null, b: number | null): boolean {
  return a === b || (a !== null && b !== null && Math.abs(a - b) <= 1e-5 * Math.max(a, b) && a >= b * (1 - SAME_EPSILON))
}

function statementOf(valid: boolean, simulation: boolean, opening: OpeningEntry | undefined, epsilon: number | null): string {
  if (!valid || opening === undefined) return 'This ledger proves nothing: it is not as it was written.'
  if (simulation) return 'Simulation, no guarantee.'
  const { unit, adjacency, delta } = opening.budget!
  return `All models released under this ledger together are (ε = ${upTo(epsilon!)}, δ = ${delta})-differentially private for each ${unit} ` +
    `(adjacency: ${adjacency}), provided that sampling was done as the events say.`
}

function textOf(report: Omit<LedgerAudit, 'text'>): string {
  const { budget, rounds } = report
  const shown = (epsilon: number | null | undefined): string => epsilon === undefined ? '-' : epsilon === null ? 'infinite' : String(upTo(epsilon))
  const lines = [report.statement]
  for (const problem of report.problems) lines.push(`Problem: ${problem}`)
  if (budget !== undefined) {
    lines.push('', budget === null ? 'Budget: none, no privacy was asked for.'
      : `Budget: ε = ${budget.epsilon ?? 'no limit'} at δ = ${budget.delta} for each ${budget.unit}, adjacency ${budget.adjacency}; accountant ${report.accountant}.`)
    lines.push(`Spent: ε = ${shown(report.epsilon)} (recorded: ${shown(report.recordedEpsilon)}). ` +
      `${report.reserved} rounds were reserved, ${report.released} of them released.`)
    lines.push(`Entries: ${report.entries}, the last is ${report.head}${report.anchored ? ', as expected' : '; compare it with the one published'}.`)
  }
  if (rounds.length > 0) {
    lines.push('', 'entry  round  noise   released     recorded ε   recomputed ε')
    const part = rounds.length > 24 ? [...rounds.slice(0, 12), undefined, ...rounds.slice(-11)] : rounds
    for (const row of part) {
      lines.push(row === undefined ? `  ... ${rounds.length - 23} more ...` : [
        String(row.number).padStart(5), String(row.round).padStart(6), ` ${row.noise.padEnd(6)}`, (row.released ? 'yes' : 'no').padEnd(8),
        shown(row.recorded).padStart(14), shown(row.recomputed).padStart(14),
      ].join(' '))
    }
  }
  return lines.join('\n')
}
