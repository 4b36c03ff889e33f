/**
 * Verifies a training from its transcript: executes it again, as far as what is at hand allows, and says where it differs
 * and what was not checked.
 * @module
 */
import { anInteger, anObjectWith, anOptions } from '../assert.ts'
import { hashArray, hashBytes } from '../canonical.ts'
import type { FileSource } from '../checkpoint/source.ts'
import type { Client, Example } from '../data/example.ts'
import { FormatError } from '../errors.ts'
import { aHost } from '../host.ts'
import type { Host } from '../host.ts'
import { sameNumerics } from '../numerics.ts'
import { readSlice } from '../peft/slice.ts'
import { confusionOf, rightShare } from '../simulation/evaluate.ts'
import type { RoundSettings } from '../simulation/round.ts'
import { trainedFiles } from '../simulation/trained-files.ts'
import { ArrayReader } from './arrays.ts'
import { plainDifference } from './compare.ts'
import { Findings } from './findings.ts'
import type { Check, Difference } from './findings.ts'
import { ARRAYS_FILE, TRANSCRIPT_FILE } from './format.ts'
import type { HeaderLine } from './format.ts'
import { openGround, startValues } from './ground.ts'
import type { Opened } from './ground.ts'
import { checkLedger } from './ledger.ts'
import { readTranscript } from './read.ts'
import type { Transcript } from './read.ts'
import { hashFiles } from './record.ts'
import { Replay } from './replay.ts'
import type { Trained } from './replay.ts'
import { settingsOf } from './settings.ts'

/** What there is to verify, and with what. */
export interface VerifyOptions {
  readonly host: Host
  /** The run's folder. */
  readonly run: FileSource
  /** Folder of the model that was fine-tuned, as the host knows it: its files, the start and the trained model's files are checked too. */
  readonly model?: string
  /** The clients' data and the test set, as the run had them: clients are trained again. Needs `model`. */
  readonly data?: { readonly clients: readonly Client[], readonly test: readonly Example[] }
  /** Trains one client of one round alone, and ends there. Needs `data`. */
  readonly only?: { readonly client: number, readonly round: number }
  /** Of training; the result does not depend on it. */
  readonly threads?: number
  readonly onRound?: (done: number, rounds: number) => void
  /** Asked after each round. */
  readonly stopped?: () => boolean
}

/** What a verification found; plain data. */
export interface Verification {
  readonly format: 'sotto-verification/1'
  readonly run: string
  /** `stopped`: nothing differs as far as it went. */
  readonly verdict: 'equal' | 'differs' | 'stopped'
  /** The difference that comes first in the training; null where there is none. */
  readonly first: Difference | null
  readonly differences: readonly Difference[]
  readonly checks: readonly Check[]
  /** Rounds in the transcript, and those that were gone through. */
  readonly rounds: number
  readonly done: number
  /** Hash of all trained values at the end, recorded and reached; null where it was not reached. */
  readonly finalHash: string | null
  readonly reached: string | null
  /** Hash of the transcript's last line. */
  readonly head: string
}

/**
 * Verifies a run.
 *
 * @throws FormatError where there is no transcript, or its first line cannot be read; RangeError where it is of another
 *   version of the numerics, or `only` names a client that did not take part
 */
export async function verifyRun(options: VerifyOptions): Promise<Verification> {
  anOptions('verify', options, ['host', 'run', 'model', 'data', 'only', 'threads', 'onRound', 'stopped'])
  const { host, run, only, model, data } = options
  aHost(host)
  anObjectWith('run', run, ['read', 'has'], "pass the run's folder as the host opened it: host.folder(path)")
  if (data && model === undefined) throw new RangeError('"model" expected a folder beside "data", got none; clients are trained with it')
  if (only && !data) throw new RangeError('"data" expected the clients\' data to audit one of them, got none; pass those that the run was given')
  if (!await run.has(TRANSCRIPT_FILE)) throw new FormatError(`run expected ${TRANSCRIPT_FILE}, got none; check the folder's path, and that the run kept a transcript`)
  const transcript = readTranscript(new TextDecoder('utf-8', { ignoreBOM: true }).decode(await run.read(TRANSCRIPT_FILE)))
  const { header, rounds } = transcript
  sameNumerics('transcript.numerics', header.numerics)
  if (only) checkOnly(only, transcript)
  const findings = new Findings()
  transcript.problems.forEach(problem => findings.differs(problem))
  findings.equal('transcript', transcript.problems.length === 0 ? transcript.lines : 0)
  const settings = readable(() => settingsOf(header, findings), transcript, findings)
  if (settings === undefined) return verificationOf(transcript, findings, 0, false, null)
  const arrays = await checkFiles(host, run, transcript, findings)
  const ledger = await checkLedger(run, transcript, findings)
  const opened = await openGround(options, header, settings, findings)
  const { engine, parameters, training, pool } = opened
  let done = 0, stopped = false
  try {
    const started = startValues(host, header, settings, parameters, arrays, opened.modelFits, findings)
    const replay = new Replay({
      host, header, settings, engine, parameters, training, ledger, started: started !== 'nowhere', arrays: started === 'arrays' ? arrays : undefined,
    }, findings)
    note(header, options, replay, findings)
    for (const line of rounds) {
      const trained: Trained = only === undefined ? (training ? 'all' : 'none')
        : line.round === only.round ? { client: only.client } : arrays ? 'none' : 'all'
      if (!await replay.round(line, trained)) break
      done = line.round
      options.onRound?.(done, only?.round ?? rounds.length)
      await host.pause?.()
      stopped = options.stopped?.() === true && done < rounds.length
      if (stopped || line.round === only?.round) break
    }
    const whole = done === rounds.length && only === undefined && transcript.end !== undefined
    const reached = whole && replay.follows ? hashArray(readSlice(parameters, settings.whole), host.sha256) : null
    if (whole) await checkEnd(options, transcript, settings, reached, opened, arrays, findings)
    else unfinished(done, rounds.length, only, findings)
    return verificationOf(transcript, findings, done, stopped, reached)
  } finally {
    pool?.close()
  }
}

function verificationOf({ header, rounds, end, head }: Transcript, findings: Findings, done: number, stopped: boolean, reached: string | null): Verification {
  const { differences } = findings
  return Object.freeze({
    format: 'sotto-verification/1', run: String(header.about.run), verdict: differences.length > 0 ? 'differs' : stopped ? 'stopped' : 'equal',
    first: findings.first() ?? null, differences, checks: findings.checks(), rounds: rounds.length, done, finalHash: end?.state ?? null, reached, head,
  })
}

/** What a damaged transcript makes impossible is one of its damages; of a sound one it is the caller's to know. */
function readable<T>(read: () => T, { problems }: Transcript, findings: Findings): T | undefined {
  try {
    return read()
  } catch (error) {
    if (problems.length === 0) throw error
    findings.differs({ check: 'transcript', message: (error as Error).message })
    return undefined
  }
}

function checkOnly({ client, round }: NonNullable<VerifyOptions['only']>, { rounds }: Transcript): void {
  anInteger('round', round, 1, rounds.length)
  const { clients } = rounds[round - 1]
  if (!clients.includes(client)) {
    throw new RangeError(`"client" expected one that took part in round ${round} (${clients.join(', ')}), got ${client}; name one of these`)
  }
}

/** Files against the hashes of the last line. @returns the arrays, where they are there */
async function checkFiles(host: Host, run: FileSource, { header, end }: Transcript, findings: Findings): Promise<ArrayReader | undefined> {
  let arrays: ArrayReader | undefined
  for (const [name, hash] of Object.entries(end?.files ?? {})) {
    if (name !== ARRAYS_FILE && !await run.has(name)) findings.left('files', `${name} is not there`)
    else if (name !== ARRAYS_FILE) {
      const same = hashBytes(await run.read(name), host.sha256) === hash
      findings.expect(same, { check: 'files', message: `${name} expected the hash that the transcript's end names, got another` })
    }
  }
  if (header.arrays === 'full') {
    if (!await run.has(ARRAYS_FILE)) findings.differs({ check: 'files', message: `${ARRAYS_FILE} expected beside the transcript, got no such file` })
    else {
      const bytes = await run.read(ARRAYS_FILE)
      arrays = new ArrayReader(bytes)
      const same = end === undefined || hashBytes(bytes, host.sha256) === end.files[ARRAYS_FILE]
      findings.expect(same, { check: 'files', message: `${ARRAYS_FILE} expected the hash that the transcript's end names, got another` })
    }
  }
  return arrays
}

/** What cannot be checked, said before it is missed. */
function note({ arrays, noise }: HeaderLine, { data, only }: VerifyOptions, { follows }: Replay, findings: Findings): void {
  if (!data) {
    for (const name of ['data', 'training', 'accuracy'] as const) findings.left(name, 'the clients\' data was not given')
  } else if (only) {
    findings.left('training', `only client ${only.client} in round ${only.round}, as asked`)
  }
  if (arrays === 'hashes' && !data) findings.left('contributions', 'the transcript holds their hashes alone, and the data was not given')
  if (!follows) for (const name of ['releases', 'states', 'trained model'] as const) findings.left(name, 'what they follow from is not in the transcript')
  if (noise === 'system') findings.left('noise', 'its keys are never written: that keys differ and that sizes fit is all that can be checked')
  if (noise === 'none') findings.left('noise', 'the run added none')
}

function unfinished(done: number, rounds: number, only: VerifyOptions['only'], findings: Findings): void {
  const why = only ? 'a spot audit ends at its round' : `ended after round ${done} of ${rounds}`
  for (const name of ['releases', 'states', 'trained model', 'accuracy'] as const) findings.left(name, why)
}

async function checkEnd(
  { host, only }: VerifyOptions, { end }: Transcript, { whole }: RoundSettings, reached: string | null, { pool, training, modelFits }: Opened,
  arrays: ArrayReader | undefined, findings: Findings,
): Promise<void> {
  if (findings.differences.some(({ check }) => check !== 'files' && check !== 'transcript' && check !== 'ledger') || only) return
  if (arrays?.ended === false) findings.differs({ check: 'files', message: `${ARRAYS_FILE} expected its end after the last release, got more bytes` })
  if (reached === null) return
  findings.require(reached === end!.state, { check: 'states', message: 'final state expected the values that were reached, got the hash of others' })
  if (!modelFits) findings.left('trained model', 'no model was given')
  else {
    const files = hashFiles(trainedFiles(pool!.task.classifier), host.sha256)
    for (const [name, hash] of Object.entries(files)) {
      findings.expect(end!.files[name] === hash, { check: 'trained model', message: `${name} expected the file that follows from the values that were reached, got another` })
    }
  }
  if (training) {
    const confusion = await confusionOf(training.pool, training.people.store, whole, training.people.test)
    const same = plainDifference(confusion, end!.confusion) === undefined && rightShare(confusion) === end!.accuracy
    findings.expect(same, { check: 'accuracy', message: `accuracy expected ${rightShare(confusion)}, got ${end!.accuracy} or another confusion matrix` })
  }
}
