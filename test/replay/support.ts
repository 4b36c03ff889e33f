/** A small training with its transcript, in memory, and ways to damage it. */
import { memorySource } from '../../src/checkpoint/source.ts'
import type { FileSource } from '../../src/checkpoint/source.ts'
import type { Plain } from '../../src/canonical.ts'
import { entryText } from '../../src/privacy/ledger/index.ts'
import { Chain } from '../../src/replay/format.ts'
import type { EndLine, HeaderLine, RoundLine } from '../../src/replay/format.ts'
import { BLOCK_HEADER, packFloats, packIntegers, readHeader, unpackFloats, unpackIntegers } from '../../src/replay/pack.ts'
import { transcriptRecorder, verifyRun } from '../../src/replay/index.ts'
import type { TranscriptOptions, Verification, VerifyOptions } from '../../src/replay/index.ts'
import { node } from '../../src/runtime/node.ts'
import { simulate } from '../../src/simulation/index.ts'
import type { SimulationOptions } from '../../src/simulation/index.ts'
import { trainedFiles } from '../../src/simulation/trained-files.ts'
import type { Client, Example } from '../../src/data/example.ts'
import { rng } from '../support/rng.ts'

export const MODEL = 'test/fixtures/tiny-bert'
export const host = node()

const WORDS = { ham: ['meeting', 'tomorrow', 'reply', 'list'], spam: ['win', 'free', 'money', 'click'] }

function examples(seed: number, count: number): Example[] {
  const source = rng(seed)
  return Array.from({ length: count }, (_, i) => {
    const label = i % 2 === 0 ? 'ham' : 'spam'
    return { label, text: Array.from({ length: 5 }, () => WORDS[label][source.int(0, 3)]).join(' ') }
  })
}

export const clients: Client[] = Array.from({ length: 8 }, (_, i) => ({ id: `person ${i}`, examples: examples(i + 1, 3) }))
export const test = examples(99, 10)

/** Settings of a private run whose ε is quickly computed: without sampling. */
export function settings(changes: Partial<SimulationOptions> = {}): SimulationOptions {
  return {
    host, clients, test, rounds: 3, cohort: 4, method: { kind: 'dylora' }, seed: 3, threads: 1, evaluateEvery: 2, evaluateExamples: 6, maxTokens: 16,
    task: { model: MODEL, labels: ['ham', 'spam'], lora: { rank: 4, alpha: 8, sites: ['query', 'value'], seed: 7 } },
    local: { epochs: 1, batchSize: 2, learningRate: 0.1 },
    server: { optimizer: 'adam', learningRate: 0.02 },
    privacy: { unit: 'client', adjacency: 'add-remove', noiseMultiplier: 5, delta: 1e-6, population: 5000, noiseCohort: 5000, clip: 0.3 },
    ...changes,
  }
}

export type Files = Record<string, Uint8Array | string>

/** Trains, and gives the files of the run's folder. */
export async function train(changes: Partial<SimulationOptions> = {}, options: TranscriptOptions = {}, rounds = Infinity): Promise<Files> {
  const recorder = transcriptRecorder(options)
  const simulation = simulate(settings({ ...changes, recorder }))
  for await (const { round } of simulation) if (round >= rounds) simulation.stop()
  const { classifier, ledger } = await simulation.result()
  const model = trainedFiles(classifier)
  return {
    ...model, ...recorder.files(model), 'ledger.jsonl': ledger.map(entry => `${entryText(entry)}\n`).join(''),
    'privacy.json': JSON.stringify({ ledger: { head: ledger[ledger.length - 1].hash }, transcript: { head: recorder.head } }),
  }
}

/** Verifies files: with the data, or from the contributions on. */
export function verify(files: Files, options: Partial<VerifyOptions> = {}): Promise<Verification> {
  return verifyRun({ host, run: memorySource(files), ...options })
}

export const withData = { model: MODEL, data: { clients, test }, threads: 1 }

/** A transcript's lines, to be changed. */
export interface Lines { header: Json<HeaderLine>, rounds: Json<RoundLine>[], end: Json<EndLine> }

/** As read, without the promise not to be changed. */
export type Json<T> = T extends readonly (infer E)[] ? Json<E>[] : T extends object ? { -readonly [K in keyof T]: Json<T[K]> } : T

/** Changes lines and chains them anew, as somebody would who hides a change; nothing is anchored by privacy.json any more. */
export function forge(files: Files, change: (lines: Lines) => void): Files {
  const lines = String(files['transcript.jsonl']).trimEnd().split('\n').map(line => JSON.parse(line))
  const all: Lines = { header: lines[0], rounds: lines.slice(1, -1), end: lines[lines.length - 1] }
  change(all)
  const chain = new Chain()
  const text = [all.header, ...all.rounds, all.end].map(line => {
    const { number: _, previous: __, hash: ___, ...rest } = line as unknown as Record<string, Plain>
    return chain.add(rest as never)
  })
  const { 'privacy.json': _, ...others } = files
  return { ...others, 'transcript.jsonl': text.join('') }
}

/** All lines, read. */
export function linesOf(files: Files): Lines {
  let found: Lines | undefined
  forge(files, lines => { found = lines })
  return found!
}

/** The arrays of a run, to be changed: start, then of each round its contributions and its release. */
export interface Arrays { start: Float32Array, rounds: { contributions: Int32Array[], release: Int32Array }[] }

/** Reads all blocks. */
export function arraysOf(files: Files): Arrays {
  const bytes = files['transcript.bin'] as Uint8Array
  let at = 0
  const next = () => {
    const header = readHeader(bytes.subarray(at, at + BLOCK_HEADER), 'block')
    const payload = bytes.subarray(at + BLOCK_HEADER, at + BLOCK_HEADER + header.bytes)
    at += BLOCK_HEADER + header.bytes
    return { header, payload }
  }
  const first = next()
  const integers = () => {
    const { header, payload } = next()
    return unpackIntegers(payload, header, 'block')
  }
  return {
    start: unpackFloats(first.payload, first.header, 'block'),
    rounds: linesOf(files).rounds.map(({ clients: who }) => ({ contributions: who.map(integers), release: integers() })),
  }
}

/** Changes arrays and writes them again. */
export function withArrays(files: Files, change: (arrays: Arrays) => void): Files {
  const arrays = arraysOf(files)
  change(arrays)
  const blocks = [packFloats(arrays.start), ...arrays.rounds.flatMap(({ contributions, release }) => [...contributions, release].map(packIntegers))]
  return { ...files, 'transcript.bin': new Uint8Array(Buffer.concat(blocks)) }
}

/** A host on which one folder is another. */
export function hostWith(folder: string, source: FileSource): typeof host {
  return { ...host, folder: path => (path === folder ? source : host.folder(path)) }
}
