/**
 * What privacy.json says of a run: the heads that anchor ledger and transcript, and the promise, held against both.
 * @module
 */
import type { FileSource } from '../checkpoint/source.ts'
import type { Findings } from './findings.ts'
import type { Transcript } from './read.ts'

const PRIVACY_FILE = 'privacy.json'

type Statement = { readonly [key: string]: unknown }

/** Checks the published statement, where there is one. */
export async function checkPublished(run: FileSource, ledger: string | undefined, transcript: Transcript, findings: Findings): Promise<void> {
  const statement = await run.has(PRIVACY_FILE) ? statementOf(new TextDecoder().decode(await run.read(PRIVACY_FILE))) : undefined
  const heads = { ledger: at(statement, 'ledger.head'), transcript: at(statement, 'transcript.head') }
  if (heads.ledger === undefined) findings.left('ledger', `${PRIVACY_FILE} names no head to hold against it`)
  else findings.require(heads.ledger === ledger, { check: 'ledger', message: `${PRIVACY_FILE} expected the head of the ledger, got another` })
  if (heads.transcript !== undefined) {
    findings.require(heads.transcript === transcript.head, { check: 'transcript', message: `${PRIVACY_FILE} expected the head of the transcript, got another` })
  }
  for (const [path, expected] of promisesOf(transcript)) {
    const got = at(statement, path)
    if (got === undefined) continue
    findings.require(got === expected, { check: 'ledger', message: `${PRIVACY_FILE} expected ${path} ${told(expected)}, got ${told(got)}` })
  }
}

/** The numbers of the promise, by their places in the statement, as settings and ledger have them. */
function promisesOf({ header, rounds, end }: Transcript): [string, unknown][] {
  const { privacy, numerics, cohort, noise } = header
  if (privacy === null) return [['numerics', numerics], ['epsilon', null]]
  return [
    ['numerics', numerics], ['delta', privacy.delta], ['unit', privacy.unit], ['adjacency', privacy.adjacency],
    ['population', privacy.population], ['noiseCohort', privacy.noiseCohort], ['simulatedCohort', cohort], ['plannedRounds', header.rounds],
    ['sampling.rate', privacy.samplingRate], ['mechanism.noiseMultiplier', privacy.noiseMultiplier],
    ['mechanism.clip', privacy.clip], ['mechanism.clipRule', privacy.clipRule ?? 'flat'], ['noiseSource', noise],
    // of a transcript that was cut nobody knows how many rounds there were
    ...end ? [['rounds', rounds.length], ['epsilon', rounds.at(-1)?.epsilon]] satisfies [string, unknown][] : [],
  ]
}

/** A value by its place, such as `ledger.head`; undefined where there is none. */
function at(value: unknown, path: string): unknown {
  return path.split('.').reduce((each: unknown, key) => typeof each === 'object' && each !== null ? (each as Statement)[key] : undefined, value)
}

function told(value: unknown): string { return JSON.stringify(value) ?? 'none' }

function statementOf(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
