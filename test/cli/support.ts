/** Runs the built command line as a process, in a folder of its own, on the small BERT. */
import { spawn } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { random } from '../../src/random.ts'

const MAIN = resolve('dist/cli/main.js')

/** What a process left. */
export interface Finished {
  readonly code: number | null
  readonly out: string
  readonly err: string
}

/** A process under way. */
export interface Running {
  readonly done: Promise<Finished>
  kill(signal: NodeJS.Signals): void
  /** Resolves when standard error matches; rejects when the process ends first. */
  until(pattern: RegExp): Promise<void>
}

/** Starts `sotto ARGS` in a folder. */
export function start(args: readonly string[], cwd: string): Running {
  if (!existsSync(MAIN)) throw new Error('test expected dist/cli/main.js, got none; build first')
  const child = spawn(process.execPath, [MAIN, ...args], { cwd, stdio: ['ignore', 'pipe', 'pipe'] })
  let out = '', err = ''
  let check = () => {}
  child.stdout.on('data', part => { out += String(part) })
  child.stderr.on('data', part => {
    err += String(part)
    check()
  })
  const done = new Promise<Finished>(resolve => child.on('close', code => resolve({ code, out, err })))
  return {
    done,
    kill: signal => { child.kill(signal) },
    until: pattern => new Promise((resolve, reject) => {
      check = () => { if (pattern.test(err)) resolve() }
      check()
      void done.then(() => reject(new Error(`expected ${pattern} on standard error, got the end: ${err}`)))
    }),
  }
}

/** Runs `sotto ARGS` to its end. */
export function sotto(args: readonly string[], cwd: string = process.cwd()): Promise<Finished> { return start(args, cwd).done }

/** A folder that is removed when the test process ends. */
export function tempFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'sotto-cli-'))
  process.on('exit', () => rmSync(folder, { recursive: true, force: true }))
  return folder
}

export const listed = (folder: string): string[] => readdirSync(folder).sort()

const WORDS = {
  ham: ['meeting', 'lunch', 'report', 'friday', 'team', 'notes', 'plan', 'thanks', 'family'],
  spam: ['free', 'money', 'win', 'prize', 'offer', 'cheap', 'pills', 'click', 'credit'],
}

/** Rows of short texts that tell their label. */
export function mailRows(clients: number, each: number, prefix = 'person'): { client: string, text: string, label: string }[] {
  const draw = random('mail', prefix)
  return Array.from({ length: clients * each }, (_, i) => {
    const label = i % 3 === 0 ? 'spam' : 'ham'
    return { client: `${prefix} ${Math.floor(i / each)}`, label, text: `${Array.from({ length: 6 }, () => WORDS[label][draw.below(9)]).join(' ')} ${i}` }
  })
}

export const jsonl = (rows: readonly object[]): string => rows.map(row => `${JSON.stringify(row)}\n`).join('')

/** Settings of a small private run. */
export function settings(changes: object = {}): object {
  return {
    model: resolve('test/fixtures/tiny-bert'),
    data: { train: 'train.jsonl', test: 'test.jsonl' },
    lora: { rank: 4, alpha: 8, sites: ['query', 'value'] },
    method: 'dylora', rounds: 4, cohort: 4, maxTokens: 16, threads: 1, evaluateEvery: 2,
    local: { epochs: 1, batchSize: 4, learningRate: 0.5 },
    server: { optimizer: 'adam', learningRate: 0.02 },
    privacy: { unit: 'client', adjacency: 'add-remove', noiseMultiplier: 0.8, delta: 1e-6, population: 1_000_000, noiseCohort: 5000, clip: 0.5 },
    ...changes,
  }
}

/** A folder with data and a settings file `mail.json`. */
export function workspace(changes: object = {}): string {
  const folder = tempFolder()
  writeFileSync(join(folder, 'train.jsonl'), jsonl(mailRows(8, 6)))
  writeFileSync(join(folder, 'test.jsonl'), jsonl(mailRows(4, 6, 'other')))
  writeFileSync(join(folder, 'mail.json'), JSON.stringify(settings(changes)))
  return folder
}
