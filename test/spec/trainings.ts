/** Whole trainings for the specification's golden values: steps, a contribution and a simulation, computed by Sotto. */
import { hashArray } from '../../src/canonical.ts'
import { parseSafetensors, writeSafetensors } from '../../src/checkpoint/safetensors.ts'
import type { TensorFile } from '../../src/checkpoint/tensor-file.ts'
import { contribute } from '../../src/federated/client.ts'
import { makePlan, planHash } from '../../src/federated/plan.ts'
import type { Plan } from '../../src/federated/plan.ts'
import { loadUseLite } from '../../src/model/use-lite.ts'
import { adamw, sgd } from '../../src/optim/optimizer.ts'
import type { Optimizer } from '../../src/optim/optimizer.ts'
import { attachLora } from '../../src/peft/lora.ts'
import { readSlice } from '../../src/peft/slice.ts'
import { random } from '../../src/random.ts'
import { node } from '../../src/runtime/node.ts'
import { simulate } from '../../src/simulation/simulate.ts'
import type { SimulationOptions } from '../../src/simulation/options.ts'
import { buildTask } from '../../src/simulation/task.ts'
import { tokenize } from '../../src/simulation/tokens.ts'
import { sliceOf, textClassifier } from '../../src/train/classifier.ts'
import type { Classifier, SliceOptions } from '../../src/train/classifier.ts'
import { trainStep } from '../../src/train/step.ts'
import { createEngine } from '../../src/wasm/engine.ts'
import { encoderOf } from '../support/golden.ts'
import { printValue } from './format.ts'

const MODEL = 'test/fixtures/tiny-bert', LABELS = 3, STEPS = 5
const LORA = { rank: 4, alpha: 8, sites: ['query', 'value', 'intermediate.dense'], seed: 7 }

/** A training: plain data, for the other implementation. */
export interface Job {
  readonly name: string
  /** A folder of test/fixtures, or `use-lite`, made up. */
  readonly model: string
  readonly format: 'f32' | 'f16' | 'bf16' | 'int8'
  readonly pooling: 'mean' | 'cls'
  /** Null: the whole model is trained. */
  readonly lora: (typeof LORA & { readonly scaling?: 'alpha/r' | 'alpha/sqrt(r)' }) | null
  readonly slice: SliceOptions
  readonly optimizer: { readonly kind: 'sgd' | 'adamw', readonly settings: { readonly learningRate: number, readonly [key: string]: number } }
  readonly maxGradientNorm?: number
  readonly dropout?: { readonly rate: number, readonly key: readonly [number, number] }
}

const SGD = { kind: 'sgd', settings: { learningRate: 0.3, momentum: 0.9 } } as const
const ADAMW = { kind: 'adamw', settings: { learningRate: 0.01 } } as const

export const JOBS: readonly Job[] = [
  { name: 'LoRA, f32, SGD, clipped, dropout', model: 'tiny-bert', format: 'f32', pooling: 'mean', lora: LORA, slice: {}, optimizer: SGD, maxGradientNorm: 0.5, dropout: { rate: 0.1, key: [1, -2] } },
  { name: 'LoRA, int8, AdamW', model: 'tiny-bert', format: 'int8', pooling: 'mean', lora: LORA, slice: {}, optimizer: ADAMW },
  { name: 'LoRA, f16, B alone, rank-stabilised, first token', model: 'tiny-bert', format: 'f16', pooling: 'cls', lora: { ...LORA, scaling: 'alpha/sqrt(r)' }, slice: { factors: 'B' }, optimizer: SGD },
  { name: 'DyLoRA prefix of 2, bf16', model: 'tiny-bert', format: 'bf16', pooling: 'mean', lora: LORA, slice: { rank: 2 }, optimizer: ADAMW },
  { name: 'DyLoRA row 3, every site', model: 'tiny-bert', format: 'f32', pooling: 'mean', lora: { ...LORA, sites: ['dense', 'query', 'key', 'value'] }, slice: { rank: 3, variant: 'row' }, optimizer: SGD },
  { name: 'RoBERTa, LoRA, int8', model: 'tiny-roberta', format: 'int8', pooling: 'mean', lora: LORA, slice: {}, optimizer: SGD },
  { name: 'DistilBERT, LoRA, f32', model: 'tiny-distilbert', format: 'f32', pooling: 'mean', lora: { ...LORA, sites: ['q_lin', 'lin2'] }, slice: {}, optimizer: SGD },
  {
    name: 'Universal Sentence Encoder Lite, LoRA, int8, dropout', model: 'use-lite', format: 'int8', pooling: 'mean', lora: { ...LORA, sites: ['qkv', 'output', 'up', 'tanh'] },
    slice: {}, optimizer: SGD, dropout: { rate: 0.1, key: [5, 6] },
  },
  { name: 'Universal Sentence Encoder Lite, all weights', model: 'use-lite', format: 'f32', pooling: 'mean', lora: null, slice: {}, optimizer: SGD },
  { name: 'all weights', model: 'tiny-bert', format: 'f32', pooling: 'mean', lora: null, slice: {}, optimizer: { kind: 'sgd', settings: { learningRate: 0.1, weightDecay: 0.01 } }, dropout: { rate: 0.2, key: [7, 8] } },
]

/** Sequences and classes of a step: of five sequences, 2 to 11 tokens. */
export function batchOf(step: number): { sequences: number[][], targets: number[] } {
  const source = random('batch', step)
  return {
    sequences: Array.from({ length: 5 }, () => Array.from({ length: 2 + source.below(10) }, () => source.below(61))),
    targets: Array.from({ length: 5 }, () => source.below(LABELS)),
  }
}

/** A small Universal Sentence Encoder Lite, its tensors from the seeded generator. */
function madeUp(): TensorFile {
  const narrow = 16, wide = 24, inner = 40, shapes = new Map<string, readonly number[]>([['embeddings', [61, narrow]], ['timing.rates', [1, narrow / 2]]])
  const add = (name: string, ...shape: number[]) => shapes.set(`${name}.weight`, shape).set(`${name}.bias`, shape.slice(0, 1))
  for (const [i, inputs] of [narrow, wide].entries()) {
    add(`layer.${i}.norm`, inputs)
    add(`layer.${i}.qkv`, 3 * inputs, inputs)
    add(`layer.${i}.output`, wide, inputs)
    if (inputs !== wide) add(`layer.${i}.residual`, wide, inputs)
    add(`layer.${i}.inner_norm`, wide)
    add(`layer.${i}.up`, inner, wide)
    add(`layer.${i}.down`, wide, inner)
  }
  add('tanh', wide, wide)
  return parseSafetensors(writeSafetensors(new Map([...shapes].map(([name, shape]) => {
    const source = random('weights', name), length = shape.reduce((product, size) => product * size, 1)
    return [name, { dtype: 'F32', shape, data: Float32Array.from({ length }, () => (2 * source.uniform() - 1) * 0.5) }]
  }))), 'made up')
}

/** Values that B and the head start from, in place of zeros: so that every gradient is there from the first step. */
function startValues(name: string, length: number): Float32Array {
  const source = random('start', name)
  return Float32Array.from({ length }, () => (2 * source.uniform() - 1) * 0.2)
}

async function classifierOf({ model, format, pooling, lora }: Job, variant: 'simd' | 'scalar'): Promise<Classifier> {
  const options = lora ? { format } : { trainable: true }
  const encoder = model === 'use-lite' ? await loadUseLite(await createEngine(node(), { variant }), madeUp(), options)
    : await encoderOf(`test/fixtures/${model}`, { variant, pooling, ...options })
  const adapter = lora ? attachLora(encoder, lora) : undefined
  const task = textClassifier({ encoder, adapter, labels: Array.from({ length: LABELS }, (_, i) => `label ${i}`) })
  for (const [name, tensor] of task.parameters) if (name.startsWith('head.') || name.endsWith('.lora_B')) tensor.write(startValues(name, tensor.length))
  return task
}

const f64 = (value: number) => printValue(Float64Array.of(value))

/** Loss, norm and hash of all trained values of each step, and a hash of each tensor in the end. */
export async function train(job: Job, variant: 'simd' | 'scalar') {
  const task = await classifierOf(job, variant), slice = sliceOf(task, job.slice), whole = sliceOf(task)
  const optimizer: Optimizer = (job.optimizer.kind === 'sgd' ? sgd : adamw)(job.optimizer.settings)
  const steps = Array.from({ length: STEPS }, (_, i) => {
    const { sequences, targets } = batchOf(i)
    const { loss, gradientNorm } = trainStep(task, task.pack(sequences), Int32Array.from(targets), slice, optimizer, {
      maxGradientNorm: job.maxGradientNorm, dropout: job.dropout,
    })
    return { loss: f64(loss), norm: f64(gradientNorm), values: hashArray(readSlice(task.parameters, whole)) }
  })
  return { steps, tensors: Object.fromEntries(whole.parts.map(({ tensor }) => [tensor, hashArray(task.parameters.get(tensor)!.read())])) }
}

/** A plan, and the integers of two clients. */
export async function contributions(variant: 'simd' | 'scalar'): Promise<{ plan: Plan, planHash: string, integers: number[][] }> {
  const job = { ...JOBS[0], lora: { ...LORA, sites: ['encoder.layer.1.attention.self.value'], rank: 2 } }
  const task = await classifierOf(job, variant), slice = sliceOf(task), state = readSlice(task.parameters, slice)
  const plan = makePlan({
    round: 12, task: 'ab'.repeat(32), state: hashArray(state), slice, reads: slice, publicSeed: 'c3'.repeat(32), clip: 0.25, cohort: 10, capacity: 20, noiseMultiplier: 0.7,
    local: { epochs: 2, batchSize: 2, learningRate: 0.2, momentum: 0.5, maxGradientNorm: 0.9, maxExamples: 3, dropout: 0.1 },
  })
  const integers = [0, 7].map(client => {
    const { sequences, targets } = batchOf(100 + client)
    return [...contribute(task, plan, state, { sequences: sequences.map(ids => Int32Array.from(ids)), targets: Int32Array.from(targets) }, client).contribution]
  })
  return { plan, planHash: planHash(plan), integers }
}

const WORDS = 'meeting tomorrow reply mailing list win free money click'.split(' ')

function simulationOptions(): SimulationOptions {
  const example = (source: ReturnType<typeof random>) => ({
    label: source.below(2) === 0 ? 'ham' : 'spam', text: Array.from({ length: 2 + source.below(5) }, () => WORDS[source.below(WORDS.length)]).join(' '),
  })
  const examples = (client: number) => {
    const source = random('client', client)
    return Array.from({ length: 2 + client % 3 }, () => example(source))
  }
  return {
    host: node(), task: { model: MODEL, labels: ['ham', 'spam'], lora: { rank: 4, alpha: 8, sites: ['query'], seed: 3 }, format: 'int8' },
    method: { kind: 'dylora' }, clients: Array.from({ length: 9 }, (_, i) => ({ id: `client ${i}`, examples: examples(i) })), test: [example(random('test'))],
    rounds: 3, cohort: 3, local: { epochs: 1, batchSize: 2, learningRate: 0.1 }, server: { optimizer: 'adam', learningRate: 0.02 },
    privacy: { unit: 'client', adjacency: 'add-remove', noiseMultiplier: 0.6, delta: 1e-6, population: 1_000_000, noiseCohort: 3, clip: 0.3, clipRule: 'sqrt', adaptiveClip: {} },
    seed: 5, threads: 1, evaluateEvery: 100,
  }
}

/** A simulated federated training: what another implementation needs to repeat it, and its hashes. */
export async function simulated() {
  const options = simulationOptions(), { rounds, finalHash } = await simulate(options).result()
  const { host, task: description, clients, test, ledger: _, ...settings } = options
  const task = await buildTask(host, description), { store, clients: owned } = tokenize(task, clients, test, 128)
  return {
    settings: { ...settings, task: { ...description, hash: task.hash } },
    clients: owned.map(examples => examples.map(e => ({ tokens: [...store.ids.subarray(store.offsets[e], store.offsets[e + 1])], target: store.targets[e] }))),
    rounds: rounds.map(({ planHash, contributionHashes, stateHash }) => ({ plan: planHash, contributions: contributionHashes, state: stateHash })),
    finalHash,
  }
}
