import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { NumericError } from '../../src/errors.ts'
import type { Channel, Host } from '../../src/host.ts'
import { loadModel } from '../../src/model/load.ts'
import { adamw } from '../../src/optim/optimizer.ts'
import { attachLora } from '../../src/peft/lora.ts'
import { HEAD_WEIGHT, sliceOf, textClassifier } from '../../src/train/classifier.ts'
import type { Classifier, SliceOptions } from '../../src/train/classifier.ts'
import { predict, trainStep } from '../../src/train/step.ts'
import type { StepOptions } from '../../src/train/gradients.ts'
import { createEngine } from '../../src/wasm/engine.ts'
import type { Engine } from '../../src/wasm/engine.ts'
import type { Kernels } from '../../src/wasm/instantiate.ts'
import { GATE, newProgramBuffer, programOf, TICKET } from '../../src/wasm/program.ts'
import { KINDS } from '../../src/wasm/split.ts'
import { lead, openTeam } from '../../src/wasm/team.ts'
import { sameBits } from '../support/close.ts'
import { rng } from '../support/rng.ts'

// threads start from a file of the built package
const { node } = await import(new URL('../../dist/runtime/node.js', import.meta.url).href) as { node: () => Host }
const host = node()

/** An engine whose calls are cut however small they are. */
async function engineOf(threads: number): Promise<Engine> {
  const engine = await createEngine(host, { threads })
  return engine.team ? { ...engine, team: { ...engine.team, least: 1 } } : engine
}

const engines = await Promise.all([1, 2, 3, 8].map(engineOf))

/** Sequences of 1 to 40 tokens, several pieces; one token and two among them. */
const random = rng(11)
const SEQUENCES = Array.from({ length: 21 }, (_, i) => Array.from({ length: i % 7 === 0 ? 1 : i % 7 === 1 ? 2 : random.int(3, 40) }, () => random.int(0, 29)))
const TARGETS = Int32Array.from(SEQUENCES, () => random.int(0, 2))

interface Options {
  readonly folder?: string
  readonly format?: 'f32' | 'f16' | 'bf16' | 'int8'
  readonly trainable?: boolean
  readonly slice?: SliceOptions
  readonly step?: StepOptions
}

async function taskOn(engine: Engine, { folder = 'tiny-bert', format, trainable = false }: Options): Promise<Classifier> {
  const { encoder } = await loadModel(host, `test/fixtures/${folder}`, { engine, trainable, ...(format && { format }) })
  const adapter = trainable ? undefined : attachLora(encoder, { rank: 4, alpha: 8, sites: ['query', 'value', 'intermediate.dense'], seed: 3 })
  const task = textClassifier({ encoder, labels: ['a', 'b', 'c'], adapter }), values = rng(77)
  task.parameters.get(HEAD_WEIGHT)!.write(values.f32(3 * encoder.embeddingWidth, 0.2))
  for (const { Bt } of adapter?.pairs ?? []) Bt.write(values.f32(Bt.length, 0.2))
  return task
}

/** Everything that three steps and a prediction give. */
async function trained(engine: Engine, options: Options) {
  const task = await taskOn(engine, options), slice = sliceOf(task, options.slice), optimizer = adamw({ learningRate: 0.01 })
  const batch = task.pack(SEQUENCES)
  const steps = [0, 1, 2].map(() => trainStep(task, batch, TARGETS, slice, optimizer, options.step))
  return { steps, logits: predict(task, batch), parameters: new Map([...task.parameters].map(([name, tensor]) => [name, tensor.read()])) }
}

const dropout = { rate: 0.3, key: [5, 6] as const }
const CASES: readonly (readonly [string, Options])[] = [
  ['LoRA on f32', { format: 'f32' }],
  ['LoRA on f16', { format: 'f16' }],
  ['LoRA on int8', { format: 'int8' }],
  ['a rank prefix (DyLoRA) with dropout on int8', { format: 'int8', slice: { rank: 2 }, step: { dropout } }],
  ['one rank (DyLoRA), factor B alone', { slice: { rank: 3, variant: 'row', factors: 'B' } }],
  ['full fine-tuning with dropout and clipping', { trainable: true, step: { dropout, maxGradientNorm: 0.1 } }],
  ['full fine-tuning of DistilBERT', { folder: 'tiny-distilbert', trainable: true }],
]
for (const [title, options] of CASES) {
  test(`${title}, sequences of 1 to 40 tokens: 2, 3 and 8 threads give the bits of one`, async () => {
    const [alone, ...shared] = await Promise.all(engines.map(engine => trained(engine, options)))
    assert.ok(alone.steps.every(({ loss, gradientNorm }) => loss > 0 && gradientNorm > 0))
    assert.is.not(alone.steps[0].loss, alone.steps[2].loss)
    for (const other of shared) {
      assert.equal(other.steps, alone.steps)
      sameBits(other.logits, alone.logits, 'logits')
      for (const [name, values] of alone.parameters) sameBits(other.parameters.get(name)!, values, name)
    }
  })
}

test('the engines have the threads that were asked for, and every kernel of a step is known to them', async () => {
  assert.equal(engines.map(({ team }) => team?.threads ?? 1), [1, 2, 3, 8])
  const called = new Set<string>(), [engine] = engines
  const kernels = Object.fromEntries(Object.entries(engine.kernels).map(([name, kernel]) =>
    [name, typeof kernel === 'function' ? (...args: number[]) => { called.add(name); return kernel(...args) } : kernel]))
  for (const [, options] of CASES) await trained({ ...engine, kernels }, options)
  // optimiser and norm run between the steps
  const between = /^(adamw|sgd|sum|sum_squares|dot_f64|pack_weight|.*_scratch|.*_bytes|.*_length|int8_pack|int8_quantize|f(32|16)_to_.*|bf16_to_.*|axpy|max_abs)/
  assert.equal([...called].filter(name => !Object.hasOwn(KINDS, name) && !between.test(name)), [])
})

test('a number that is not finite stops the step on all threads, names operation and layer as one thread does, and the next step is right', async () => {
  const errors: NumericError[] = []
  for (const engine of engines) {
    const task = await taskOn(engine, {}), slice = sliceOf(task), optimizer = adamw({ learningRate: 0.01 }), batch = task.pack(SEQUENCES)
    const { Bt } = task.adapter!.pairs[1], values = Bt.read(), head = task.parameters.get(HEAD_WEIGHT)!.read()
    Bt.write(values.map((value, i) => i === 7 ? Infinity : value))
    try {
      trainStep(task, batch, TARGETS, slice, optimizer)
      assert.unreachable()
    } catch (error) {
      assert.instance(error, NumericError)
      errors.push(error as NumericError)
    }
    sameBits(task.parameters.get(HEAD_WEIGHT)!.read(), head, 'head')
    Bt.write(values)
    assert.ok(trainStep(task, batch, TARGETS, slice, optimizer).loss > 0)
  }
  for (const { message, operation, layer } of errors) assert.equal([message, operation, layer], [errors[0].message, errors[0].operation, errors[0].layer])
})

test('a kernel that fails on any thread stops the step with its reason; later steps say that too', async () => {
  const engine = await engineOf(3), team = engine.team!, zero = team.kernel.get('zero')!
  const calls = (bad: boolean) => Array.from({ length: 200 }, (_, i) => ({ kernel: zero, args: [bad && i === 150 ? 0xfffffff0 : 1024, 4096], scratch: false, check: false }))
  const run = (bad: boolean) => team.run([calls(false), calls(bad)], { base: 0, bytes: 0 })
  engine.arena.reserve(65536)
  assert.ok(run(false))
  assert.throws(() => run(true), /expected all kernels to run, but one failed: .*(bounds|memory|range)/i)
  assert.throws(() => run(false), /one failed/)
})

test('a closed engine, and threads of a number that cannot be, are refused', async () => {
  const engine = await engineOf(2), task = await taskOn(engine, {})
  engine.close!()
  assert.throws(() => predict(task, task.pack(SEQUENCES)), /closed; create a new engine/)
  for (const threads of [0, 1.5, 65]) {
    try {
      await createEngine(host, { threads })
      assert.unreachable()
    } catch (error) {
      assert.instance(error, RangeError)
    }
  }
})

test('where the runtime has no threads there is one, with the same bits', async () => {
  const { threads, ...without } = host
  const engine = await createEngine(without, { threads: 4 })
  assert.is(engine.team, undefined)
  assert.equal((await trained(engine, {})).steps, (await trained(engines[1], {})).steps)
})

/** A host whose threads run `code` in place of ours. */
const hostOf = (spawned: (channel: Channel) => Channel): Host => ({ ...host, threads: { count: 2, spawn: () => spawned(host.threads!.spawn()) } })

test('a thread that ended between two steps: the next step says so', async () => {
  let fail: (error: Error) => void = () => {}
  const { kernels, arena } = await createEngine(host, { variant: 'shared' })
  const team = await openTeam(hostOf(channel => ({ ...channel, onError(listener) { fail = listener } })), kernels, arena.memory, 2)
  const calls = [[{ kernel: team.kernel.get('zero')!, args: [1024, 16], scratch: false, check: false }]]
  assert.ok(team.run(calls, { base: 0, bytes: 0 }))
  fail(new Error('out of memory'))
  assert.throws(() => team.run(calls, { base: 0, bytes: 0 }), /one has ended: out of memory; create a new engine/)
  team.close()
})

test('a thread that ended in the middle of a step: the others give up after a while', () => {
  // the other thread joins while the first call runs, takes the second, and is never heard of again
  const buffer = newProgramBuffer(), { words } = programOf(buffer), ran: string[] = []
  const kernels = {
    first() {
      ran.push('first')
      Atomics.add(words, GATE, 2)
      Atomics.add(words, TICKET, 1)
    },
    taken() { ran.push('taken') },
    last() { ran.push('last') },
  } as unknown as Kernels
  let ended = 0
  const team = lead(buffer, Object.keys(kernels), kernels, 2, 500, () => { ended++ })
  const call = (name: string) => ({ kernel: team.kernel.get(name)!, args: [], scratch: false, check: false })
  const run = () => team.run(['first', 'taken', 'last'].map(name => [call(name)]), { base: 0, bytes: 0 })
  assert.throws(run, /nothing moved for 500 ms: a thread has ended; create a new engine/)
  assert.equal([ran, ended], [['first'], 1])
  assert.throws(run, /nothing moved for 500 ms/)
  assert.equal(ran, ['first'])
})

test('if a thread cannot start, none is left and the reason is told', async () => {
  const { kernels, arena } = await createEngine(host, { variant: 'shared' })
  let started = 0, closed = 0
  const failing = hostOf(channel => {
    const number = started++
    return {
      ...channel,
      post(message) { if (number === 0) channel.post(message) },
      onError(listener) { if (number === 1) listener(new Error('no more threads')) },
      close() { closed++; channel.close() },
    }
  })
  try {
    await openTeam(failing, kernels, arena.memory, 3)
    assert.unreachable()
  } catch (error) {
    assert.match((error as Error).message, /no more threads/)
  }
  assert.is(closed, started)
})

test('seven threads that wait for a step use less than a tenth of a core, and a program that forgets them ends', async () => {
  // the engine may still compile what ran before, in threads of its own: threads that do not sleep are busy in every second
  let least = Infinity
  for (let second = 0; second < 20 && least >= 100_000; second++) {
    const before = process.cpuUsage()
    await new Promise(resolve => setTimeout(resolve, 1000))
    const { user, system } = process.cpuUsage(before)
    least = Math.min(least, user + system)
  }
  assert.ok(least < 100_000, `${least} microseconds`)
  const code = `Promise.all([import('./dist/wasm/engine.js'), import('./dist/runtime/node.js')])
    .then(([{ createEngine }, { node }]) => createEngine(node(), { threads: 3 }))`
  const child = spawn(process.execPath, ['-e', code], { stdio: ['ignore', 'pipe', 'inherit'], timeout: 300_000 })
  const [exit] = await once(child, 'exit')
  assert.is(exit, 0)
})

test.after(() => { for (const engine of engines) engine.close?.() })

test.run()
