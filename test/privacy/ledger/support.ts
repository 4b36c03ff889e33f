/** What the tests of the ledger share: a run of rounds with models that are numbers. */
import { hashBytes, hashOf } from '../../../src/canonical.ts'
import { discreteGaussian, type PrivacyEvent } from '../../../src/privacy/accountant/index.ts'
import {
  auditLedger, createLedger, openLedger, type Budget, type Ledger, type LedgerOptions, type LedgerStore,
} from '../../../src/privacy/ledger/index.ts'

export const BUDGET: Budget = { epsilon: 3, delta: 1e-6, unit: 'client', adjacency: 'add-remove' }

/** Closed form, so that tests are quick: ε of n rounds is that of one Gaussian with noise multiplier σ/√n. */
export const event = (noiseMultiplier = 20): PrivacyEvent =>
  discreteGaussian({ sigma: noiseMultiplier * 1024, sensitivity: 1024, dimension: 8 })

export const START = modelOf(0, '')
export const OPTIONS: LedgerOptions = { budget: BUDGET, task: 'a task', model: hashBytes(START) }

/** The model after a round: tells the round and the model that it came from. */
export function modelOf(round: number, from: string): Uint8Array {
  return new TextEncoder().encode(`model of round ${round} from ${from} ${'x'.repeat(round % 7)}`)
}

export const planOf = (round: number): string => hashOf({ round })

/** One round. */
export async function spendOne(ledger: Ledger, noise: 'system' | 'seeded' = 'system', draw?: (round: number) => void): Promise<void> {
  const round = ledger.nextRound, from = ledger.model
  ledger.authorise(event())
  await ledger.spend({ round, planHash: planOf(round), event: event(), noise }, () => {
    draw?.(round)
    return { model: modelOf(round, from), state: new TextEncoder().encode(`state of ${round}`), event: event(), noise }
  })
}

/** Goes on with a ledger, or starts it, until `rounds` models were released. */
export async function runTo(store: LedgerStore, rounds: number, onRelease?: (hash: string) => void, draw?: (round: number) => void): Promise<Ledger> {
  const ledger = (await store.read()).length > 0 ? await openLedger(store) : await createLedger(store, OPTIONS)
  while (ledger.entries.filter(entry => entry.kind === 'release').length < rounds) {
    await spendOne(ledger, 'system', draw)
    onRelease?.(ledger.model)
  }
  return ledger
}

/** What must hold whenever a ledger is read: throws in words if it does not. Returns the audit. */
export function mustHold(lines: readonly string[], released: readonly string[]): ReturnType<typeof auditLedger> {
  const audit = auditLedger(lines)
  if (!audit.valid) throw new Error(`the chain expected to be valid, got ${audit.problems.join('; ')}`)
  const entries = lines.map(line => JSON.parse(line) as { kind: string, round: number, modelAfter: string })
  const known = new Set(entries.filter(entry => entry.kind === 'release').map(entry => entry.modelAfter))
  for (const hash of released) if (!known.has(hash)) throw new Error(`the ledger is behind the released model ${hash}`)
  const rounds = entries.filter(entry => entry.kind === 'reserve').map(entry => entry.round)
  if (new Set(rounds).size !== rounds.length) throw new Error(`rounds ${rounds.join(' ')}: one was reserved twice`)
  return audit
}
