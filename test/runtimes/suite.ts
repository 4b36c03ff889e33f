/**
 * What every runtime's host must do, as a function of the host: it runs in each from a file of about ten lines. Nothing
 * here knows where it runs.
 */
import { sha256 } from '@noble/hashes/sha2.js'
import { bytesToHex } from '@noble/hashes/utils.js'
import { hashArray, hashBytes } from '../../src/canonical.ts'
import type { FileSource } from '../../src/checkpoint/source.ts'
import type { Example } from '../../src/data/example.ts'
import { Graph } from '../../src/graph/graph.ts'
import type { Host } from '../../src/host.ts'
import { loadModel } from '../../src/model/load.ts'
import { Pass } from '../../src/ops/pass.ts'
import { sgd } from '../../src/optim/optimizer.ts'
import { attachLora } from '../../src/peft/lora.ts'
import { readSlice } from '../../src/peft/slice.ts'
import { chooseLattice, encode } from '../../src/privacy/mechanism/index.ts'
import { simulate } from '../../src/simulation/index.ts'
import { sliceOf, textClassifier } from '../../src/train/classifier.ts'
import { trainStep } from '../../src/train/step.ts'
import { createEngine } from '../../src/wasm/engine.ts'
import type { Engine } from '../../src/wasm/engine.ts'

/** How a check went; `detail` says what is worth comparing or why it failed. */
export interface Check {
  readonly name: string
  readonly ok: boolean
  readonly detail: string
  readonly seconds: number
}

/** What the suite is told. */
export interface SuiteOptions {
  /** The folder of test/fixtures/tiny-bert, as the host calls it. */
  readonly model: string
  /** A folder that may be written, where the host can save. */
  readonly scratch?: string
}

const TEXTS = ['win free money now', 'meeting tomorrow', 'click for a free prize, win money', 'reply to the mailing list']
const LABELS = ['ham', 'spam']

/** Runs all checks, one after another. */
export async function suite(host: Host, { model, scratch }: SuiteOptions): Promise<Check[]> {
  const checks: Check[] = []
  const check = async (name: string, body: () => string | Promise<string>) => {
    const start = host.now()
    const outcome = await Promise.resolve().then(body).then(detail => ({ ok: true, detail }), (error: unknown) => (
      { ok: false, detail: error instanceof Error ? `${error.name}: ${error.message}\n${error.stack ?? ''}` : String(error) }))
    checks.push({ name, ...outcome, seconds: (host.now() - start) / 1000 })
  }
  await check('is named', () => `${same('string', typeof host.name)} ${same('string', typeof host.version)}`)
  await check('random bytes of any length differ from call to call', () => randomness(host))
  await check('time does not run backwards', async () => {
    const start = host.now()
    await host.pause?.()
    return String(host.now() >= start || fail(`${host.now()} after ${start}`))
  })
  await check('SHA-256 is the library\'s', () => {
    const bytes = Uint8Array.from({ length: 1000 }, (_, i) => i)
    return same(bytesToHex(sha256(bytes)), hashBytes(bytes, host.sha256))
  })
  const source = host.folder(model)
  await check('files are read whole, by parts and by size', () => files(source))
  await check('a file that is not there is named', async () => {
    same(false, await source.has('nothing.json'))
    return rejected('read', source.read('nothing.json'), /nothing\.json/)
  })
  await check('names do not lead out of the folder', () => stays(source))
  await check('a folder without a model is refused by what it lacks', () =>
    rejected('load', loadModel(host, `${model}/nothing`), /config\.json/))
  await check('tokens', async () => (await loadModel(host, model)).tokenizer.encode(TEXTS[2], 16).join(' '))
  await check('embedding', () => embedding(host, model))
  await check('training', () => training(host, model))
  await check('training, scalar build', async () => training(host, model, await createEngine(host, { variant: 'scalar' })))
  await check('contribution', () => contribution(host))
  await check('simulation', () => simulation(host, model, 1))
  if (host.threads) {
    await check('training, 2 threads a step', () => onTeam(host, model))
    await check('simulation, 2 threads', () => simulation(host, model, 2))
  }
  await check('a build that does not exist is refused by its name', () =>
    rejected('module', Promise.resolve().then(() => host.module('../wasm/sotto.simd' as 'simd')), /"variant" expected one of|"wasm" expected the build/))
  if (host.save) {
    await check('a folder is saved whole', () => saving(host, scratch!))
    await check('what cannot be saved is refused, and nothing is touched', () => savingRefused(host, scratch!))
  }
  return checks
}

function randomness(host: Host): string {
  const [one, two] = [new Uint8Array(200_000), new Uint8Array(200_000)]
  host.random(one)
  host.random(two)
  // 2^-256 for each pair of 32 bytes
  for (const at of [0, 65_520, 131_060, 199_968]) {
    same(false, bytesToHex(one.slice(at, at + 32)) === bytesToHex(two.slice(at, at + 32)))
    same(true, one.slice(at, at + 32).some(byte => byte !== 0))
  }
  // of 200,000 bytes each value comes 781 times, give or take 28
  const counts = new Uint32Array(256)
  for (const byte of one) counts[byte]++
  return String(counts.every(count => count > 500 && count < 1100) || fail(`counts ${counts.join(' ')}`))
}

async function files(source: FileSource): Promise<string> {
  const name = 'model.safetensors', whole = await source.read(name)
  same(true, await source.has(name))
  if (source.size && source.readRange) {
    same(whole.length, await source.size(name))
    for (const [from, to] of [[0, 8], [100, 5000], [whole.length - 3, whole.length], [7, 7]]) {
      same(bytesToHex(whole.slice(from, to)), bytesToHex(await source.readRange(name, from, to)))
    }
    await rejected('read past the end', source.readRange(name, whole.length - 2, whole.length + 2), /expected|range/i)
  }
  return `${whole.length} ${bytesToHex(sha256(whole))}`
}

async function stays(source: FileSource): Promise<string> {
  for (const name of ['../tiny-roberta/config.json', 'a/../../tiny-bert-f16/config.json', '/etc/hostname', '..']) {
    for (const work of [() => source.read(name), () => source.has(name).then(has => has ? fail(`${name} is there`) : fail(`${name}: has answered`))]) {
      // a leading slash may also be taken as a name within the folder, which is not there
      await rejected(name, Promise.resolve().then(work), name.startsWith('/') ? /within|got status 404|has answered|not found|ENOENT/i : /within/)
    }
  }
  return 'refused'
}

async function embedding(host: Host, model: string): Promise<string> {
  const { encoder, tokenizer } = await loadModel(host, model)
  const graph = new Graph(encoder.engine)
  const batch = textClassifier({ encoder, labels: LABELS }).pack(TEXTS.map(text => Int32Array.from(tokenizer.encode(text, 16))))
  const y = graph.keep(encoder.embed(new Pass({ graph }), batch))
  return hashArray(graph.run(read => read(y)))
}

/** Ten steps of LoRA with dropout; the hash of all that they trained. */
async function training(host: Host, model: string, engine?: Engine): Promise<string> {
  const { encoder, tokenizer } = await loadModel(host, model, engine ? { engine } : {})
  const adapter = attachLora(encoder, { rank: 4, alpha: 8, sites: ['query', 'value', 'intermediate.dense'], seed: 3 })
  const task = textClassifier({ encoder, labels: LABELS, adapter })
  const slice = sliceOf(task, { rank: 3 }), optimizer = sgd({ learningRate: 0.1, momentum: 0.9 })
  const batch = task.pack(TEXTS.map(text => Int32Array.from(tokenizer.encode(text, 16)))), targets = Int32Array.of(1, 0, 1, 0)
  for (let step = 0; step < 10; step++) trainStep(task, batch, targets, slice, optimizer, { dropout: { rate: 0.1, key: [5, step] } })
  return hashArray(readSlice(task.parameters, slice))
}

async function onTeam(host: Host, model: string): Promise<string> {
  const engine = await createEngine(host, { threads: 2 })
  try {
    same(2, engine.team?.threads ?? 1)
    return await training(host, model, engine)
  } finally {
    engine.close?.()
  }
}

async function contribution(host: Host): Promise<string> {
  const engine = await createEngine(host)
  const update = Float32Array.from({ length: 500 }, (_, i) => ((i * 37) % 101 - 50) / 512)
  const lattice = chooseLattice({ dimension: 500, clip: 0.5, cohort: 20, noiseMultiplier: 1 })
  const publicSeed = Uint8Array.from({ length: 32 }, (_, i) => i)
  return hashArray(encode(engine, lattice, update, { publicSeed, round: 3, client: 5 }).values)
}

/** Two rounds with privacy; the hash of the released state. */
async function simulation(host: Host, model: string, threads: number): Promise<string> {
  const example = (i: number): Example => ({ text: TEXTS[i % 4], label: LABELS[1 - i % 2] })
  const clients = Array.from({ length: 6 }, (_, i) => ({ id: `person ${i}`, examples: [example(i), example(i + 1), example(3 * i)] }))
  const result = await simulate({
    host, clients, threads, test: [0, 1, 2, 3].map(example), method: { kind: 'dylora' }, rounds: 2, cohort: 4, seed: 3,
    task: { model, labels: LABELS, lora: { rank: 4, alpha: 8, sites: ['query', 'value'], seed: 7 } },
    local: { epochs: 1, batchSize: 2, learningRate: 0.1, dropout: 0.1 }, server: { optimizer: 'adam', learningRate: 0.02 },
    privacy: { unit: 'client', adjacency: 'add-remove', noiseMultiplier: 0.8, delta: 1e-6, population: 1_000_000, noiseCohort: 5000, clip: 0.3 },
  }).result()
  same(threads, result.threads)
  return result.finalHash
}

async function saving(host: Host, scratch: string): Promise<string> {
  const folder = `${scratch}/a run`
  await host.save!(folder, { 'old.txt': 'old', 'a/b/c.bin': Uint8Array.of(1, 2, 3) })
  await host.save!(folder, { 'new.txt': 'é', 'a/b.bin': Uint8Array.of(4) })
  const saved = host.folder(folder)
  same('c3,a9', [...await saved.read('new.txt')].map(byte => byte.toString(16)).join())
  same('4', (await saved.read('a/b.bin')).join())
  same(false, await saved.has('old.txt') || await saved.has('a/b/c.bin') || await saved.has('a'))
  return 'saved'
}

/** Names that lead out, what is no content, and places that are not a folder's: refused before anything is written. */
async function savingRefused(host: Host, scratch: string): Promise<string> {
  const folder = `${scratch}/kept`, source = host.folder(folder)
  await host.save!(folder, { 'a.txt': 'a', 'b/c.txt': 'c' })
  for (const name of ['../out.txt', '/out.txt', 'x/../../out.txt', '.', '', 'x//y', 'x\\y']) {
    await rejected(`save ${name}`, host.save!(folder, { 'new.txt': 'new', [name]: 'out' }), /"files" expected names within the folder/)
  }
  await rejected('save 7', host.save!(folder, { 'new.txt': 7 as never }), /"files" expected text or bytes as "new.txt", got 7/)
  await rejected('save nothing', host.save!(folder, {}), /"files" expected at least one file/)
  await rejected('save null', host.save!(folder, null as never), /"files" expected an object/)
  await rejected('save over a file', host.save!(`${folder}/a.txt`, { 'a.txt': 'new' }), /"path" expected a folder or nothing, got the file/)
  // a name that is a file and a folder: the disk refuses, and what was there stays
  await rejected('save', host.save!(folder, { 'x': 'x', 'x/y': 'y' }), /./)
  await rejected('save .', host.save!('.', { 'a.txt': 'a' }), /which holds the working directory/)
  for (const path of ['', undefined as never]) await rejected('save nowhere', host.save!(path, { 'a.txt': 'a' }), /"path" expected a string/)
  const address = 'https://example.org/models/tiny'
  await rejected('save to the web', host.save!(address, { 'a.txt': 'a' }), /"path" expected a path of this machine/)
  for (const path of [address, '', 7 as never, undefined as never]) {
    await rejected('folder', Promise.resolve().then(() => host.folder(path)), /"folder" expected a (path of this machine|string)/)
  }
  for (const name of ['', '.', 7 as never]) await rejected('read', Promise.resolve().then(() => source.read(name)), /"name" expected/)
  for (const [from, to] of [[-1, 1], [1, 0], [0.5, 1]] as const) {
    await rejected('range', Promise.resolve().then(() => source.readRange!('a.txt', from, to)), /"(start|end)" expected an integer/)
  }
  same(false, await source.has('a.txt/b') || await source.has('b') || await source.has('new.txt') || await source.has('x'))
  same('a c', `${String.fromCharCode(...await source.read('a.txt'))} ${String.fromCharCode(...await source.read('b/c.txt'))}`)
  return 'refused'
}

function fail(what: string): never { throw new Error(what) }

function same<T>(expected: T, got: T): T {
  return Object.is(expected, got) ? got : fail(`expected ${String(expected)}, got ${String(got)}`)
}

async function rejected(what: string, work: Promise<unknown>, message: RegExp): Promise<string> {
  const error = await work.then(() => fail(`${what} expected an error, got none`), (reason: Error) => reason)
  if (!message.test(error.message)) fail(`${what} expected an error like ${String(message)}, got ${error.message}`)
  return 'refused'
}
