/**
 * The ledger of a run: its chain, every ε again from the events alone, and its place in the transcript.
 * @module
 */
import type { FileSource } from '../checkpoint/source.ts'
import { auditLedger, parseEntry } from '../privacy/ledger/index.ts'
import type { LedgerEntry } from '../privacy/ledger/index.ts'
import type { Findings } from './findings.ts'
import { checkPublished } from './published.ts'
import type { Transcript } from './read.ts'

const LEDGER_FILE = 'ledger.jsonl'

/** ε is computed again at so many entries at most, and always at the last: with sampling it takes a while. */
const MOST_EPSILONS = 24

/** Checks the ledger. @returns its entries by number, as far as they can be read; undefined where there is none */
export async function checkLedger(run: FileSource, transcript: Transcript, findings: Findings): Promise<(LedgerEntry | undefined)[] | undefined> {
  const { header, end, rounds } = transcript
  if (!await run.has(LEDGER_FILE)) {
    findings.differs({ check: 'ledger', message: `${LEDGER_FILE} expected beside the transcript, got no such file` })
    return undefined
  }
  const text = new TextDecoder().decode(await run.read(LEDGER_FILE))
  const audit = auditLedger(text, { every: Math.max(1, Math.ceil(rounds.length / MOST_EPSILONS)), ...(end && { head: end.ledger }) })
  for (const message of audit.problems) {
    const entry = /^entry (\d+) /.exec(message)
    findings.differs({ check: 'ledger', round: entry === null || entry[1] === '0' ? undefined : Math.ceil(Number(entry[1]) / 2), message })
  }
  if (audit.valid) findings.equal('ledger', audit.entries)
  const entries = text.split('\n').slice(0, -1).map((line, i) => {
    try {
      return parseEntry(line, i)
    } catch {
      return undefined
    }
  })
  const [opening] = entries
  if (opening?.kind === 'budget') {
    const wrong = opening.hash !== header.ledger ? 'hash' : opening.task !== header.task.hash ? 'task' : opening.model !== header.state ? 'model' : undefined
    findings.require(wrong === undefined, { check: 'ledger', message: `entry 0 of the ledger expected the ${wrong} of the transcript, got another` })
  }
  await checkPublished(run, audit.head, transcript, findings)
  return entries
}
