/**
 * `sotto budget --ledger FILE`: every ε of a ledger, computed again from its events alone.
 * @module
 */
import { stat } from 'node:fs/promises'
import { show } from '../assert.ts'
import { auditLedger } from '../privacy/ledger/index.ts'
import { readLedgerFile } from '../runtime/node-ledger.ts'
import { FAILED, InputError } from './failure.ts'
import { wrap } from './text-table.ts'

/** Flags that belong to an audit. */
export interface LedgerFlags {
  readonly ledger: string
  readonly head?: string
  readonly json?: boolean
}

/**
 * Audits a ledger, a folder or its file of lines. Nothing is written. Exit code 1 where a problem was found, or the
 * budget was passed.
 *
 * @throws InputError where there is no ledger, FormatError where its head does not fit
 */
export async function auditAction({ ledger, head: expected, json }: LedgerFlags): Promise<void> {
  if (!await stat(ledger).then(() => true, () => false)) {
    throw new InputError(`"--ledger" expected a ledger's folder or file, got none at ${show(ledger)}; check the path`)
  }
  const { lines, head } = readLedgerFile(ledger)
  const anchor = expected ?? head
  const { text, ...audit } = auditLedger(lines, anchor === undefined ? {} : { head: anchor })
  const shown = text.split('\n').map(line => wrap(line)).join('\n')
  process.stdout.write(json ? `${JSON.stringify(audit, null, 2)}\n` : `${shown}\n`)
  if (!audit.valid || audit.withinBudget === false) process.exitCode = FAILED
}
