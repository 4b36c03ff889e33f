/**
 * Reads a transcript's lines: as far as they can be read, and what is wrong with them.
 * @module
 */
import { aNumber, anInteger, aString, oneOf, show } from '../assert.ts'
import { canonicalJson, hashOf } from '../canonical.ts'
import type { Plain } from '../canonical.ts'
import { FormatError } from '../errors.ts'
import { aHash } from '../privacy/ledger/entry.ts'
import type { Difference } from './findings.ts'
import { GENESIS, TRANSCRIPT_FILE, TRANSCRIPT_FORMAT } from './format.ts'
import type { EndLine, HeaderLine, RoundLine } from './format.ts'

/** A transcript, read. */
export interface Transcript {
  readonly header: HeaderLine
  /** Rounds 1, 2, 3 ... as far as they could be read. */
  readonly rounds: readonly RoundLine[]
  /** Undefined where the end is missing. */
  readonly end: EndLine['end'] | undefined
  readonly lines: number
  /** Hash of the last line that could be read. */
  readonly head: string
  readonly problems: readonly Difference[]
}

/** Reads a transcript. @throws FormatError where its first line is none that this release knows */
export function readTranscript(text: string): Transcript {
  const problems: Difference[] = []
  const texts = text.split('\n')
  const cut = texts.pop() !== ''
  let header: HeaderLine | undefined, end: EndLine['end'] | undefined, head = GENESIS
  const rounds: RoundLine[] = []
  const problem = (message: string, round?: number) => {
    problems.push({ check: 'transcript', round, message: `${TRANSCRIPT_FILE} ${message}` })
  }
  let number = 0
  for (const line of texts) {
    const value = parsed(line)
    if (number === 0) header = aHeader(value)
    const round = value !== undefined && typeof value['round'] === 'number' ? value['round'] : undefined
    const title = `line ${number + 1}${round === undefined ? '' : ` (round ${round})`}`
    const broken = value === undefined ? 'is no JSON object' : linkProblem(line, value, number, head)
    if (broken !== undefined) problem(`${title} ${broken}: it was changed, or lines are missing or exchanged`, round)
    if (value === undefined) break
    head = typeof value['hash'] === 'string' ? value['hash'] : head
    number++
    if (number === 1) continue
    try {
      if (end !== undefined) throw new RangeError('expected no line after the end')
      if ('end' in value) end = anEnd(value)
      else rounds.push(aRound(value, rounds.length + 1))
    } catch (error) {
      problem(`${title} cannot be read: ${(error as Error).message}`, rounds.length + 1)
      break
    }
  }
  if (header === undefined) throw new FormatError(`${TRANSCRIPT_FILE} expected a transcript, got an empty file; check the path`)
  if (cut) problem('expected its last line to be ended: it was cut off')
  if (end === undefined) problem(`expected a line for the end, got none after round ${rounds.length}: it was cut off`)
  else if (end.rounds !== rounds.length) problem(`expected ${end.rounds} rounds, as its end says, got ${rounds.length}`)
  return Object.freeze({ header, rounds, end, lines: number, head, problems })
}

type Json = Record<string, unknown>

function parsed(line: string): Json | undefined {
  try {
    const value: unknown = JSON.parse(line)
    return value !== null && typeof value === 'object' && !Array.isArray(value) ? value as Json : undefined
  } catch {
    return undefined
  }
}

function linkProblem(line: string, value: Json, number: number, previous: string): string | undefined {
  const { hash, ...rest } = value
  if (canonicalJson(value as Plain) !== line) return 'is not the canonical text of its content'
  if (hashOf(rest as Plain) !== hash) return 'has not the hash of its content'
  if (value['previous'] !== previous || value['number'] !== number) return 'does not follow the line before'
  return undefined
}

/** The first line, as far as anything is read from it before it is used. */
function aHeader(value: Json | undefined): HeaderLine {
  if (value?.['format'] !== TRANSCRIPT_FORMAT) {
    throw new FormatError(`${TRANSCRIPT_FILE} expected the format ${TRANSCRIPT_FORMAT}, got ${show(value?.['format'])}; verify it with the release that wrote it`)
  }
  try {
    const { about, arrays, task, rounds, cohort, noise, seed, maxTokens, data, whole, state, tensors, ledger } = value as unknown as HeaderLine
    anInteger('numerics', value['numerics'], 1)
    anObject('about', about)
    oneOf('arrays', arrays, ['full', 'hashes'])
    aHash('task.hash', anObject('task', task).hash)
    hashes('task.files', task.files)
    anObject('task.description', task.description)
    if ('model' in task.description) throw new RangeError('"task.description" expected no model, got one')
    for (const key of ['method', 'local', 'server']) anObject(key, value[key])
    if (value['privacy'] !== null) anObject('privacy', value['privacy'])
    anInteger('rounds', rounds, 1)
    anInteger('cohort', cohort, 1)
    oneOf('noise', noise, ['seeded', 'system', 'none'])
    anInteger('seed', seed)
    anInteger('maxTokens', maxTokens, 1)
    anInteger('evaluateEvery', value['evaluateEvery'], 1)
    anInteger('evaluateExamples', value['evaluateExamples'], 1)
    aList('data.clients', anObject('data', data).clients).forEach((hash, i) => aHash(`data.clients[${i}]`, hash))
    aHash('data.test', data.test)
    aList('whole.parts', anObject('whole', whole).parts).forEach((part, i) => anObject(`whole.parts[${i}]`, part))
    anInteger('whole.length', whole.length, 1)
    if (whole.rank !== null) anInteger('whole.rank', whole.rank, 1)
    aHash('state', state)
    hashes('tensors', tensors)
    aHash('ledger', ledger)
  } catch (error) {
    throw new FormatError(`${TRANSCRIPT_FILE}, line 1: ${(error as Error).message}`)
  }
  return value as unknown as HeaderLine
}

function aRound(value: Json, expected: number): RoundLine {
  const { round, rank, plan, planHash, clients, contributions, marks, noise, release, state, tensors, event, epsilon, ledger } = value as unknown as RoundLine
  if (anInteger('round', round, 1) !== expected) throw new RangeError(`"round" expected ${expected}, got ${round}`)
  if (rank !== null) anInteger('rank', rank, 1)
  aHash('plan.state', anObject('plan', plan).state)
  aHash('planHash', planHash)
  aList('clients', clients).forEach((client, i) => anInteger(`clients[${i}]`, client))
  aList('contributions', contributions).forEach((hash, i) => aHash(`contributions[${i}]`, hash))
  aList('marks', marks).forEach((mark, i) => aString(`marks[${i}]`, mark))
  if (noise !== null) aHash('noise', noise)
  aHash('release.hash', anObject('release', release).hash)
  aString('release.marks', release.marks)
  aHash('state', state)
  hashes('tensors', tensors)
  anObject('event', event)
  if (epsilon !== null) aNumber('epsilon', epsilon, 0)
  aHash('ledger', ledger)
  anObject('metrics', value['metrics'])
  return value as unknown as RoundLine
}

function anEnd(value: Json): EndLine['end'] {
  const end = anObject('end', (value as unknown as EndLine).end)
  anInteger('end.rounds', end.rounds, 0)
  aHash('end.state', end.state)
  aNumber('end.accuracy', end.accuracy, 0, 1)
  aList('end.confusion', end.confusion).forEach((row, i) => aList(`end.confusion[${i}]`, row))
  aHash('end.ledger', end.ledger)
  hashes('end.files', end.files)
  return end
}

function anObject<T>(title: string, value: T): T {
  if (value === null || typeof value !== 'object' || Array.isArray(value)) throw new TypeError(`"${title}" expected an object, got ${show(value)}`)
  return value
}

function aList<T>(title: string, value: readonly T[]): readonly T[] {
  if (!Array.isArray(value)) throw new TypeError(`"${title}" expected a list, got ${show(value)}`)
  return value
}

function hashes(title: string, value: Readonly<Record<string, string>>): void {
  for (const [name, hash] of Object.entries(anObject(title, value))) aHash(`${title}.${name}`, hash)
}

