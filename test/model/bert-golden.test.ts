/**
 * The whole model against PyTorch and transformers (double precision): hidden states, logits, loss, every gradient, ten
 * optimiser steps. Bounds are relative to the largest value of a tensor; f32 PyTorch itself deviates by 1e-7 to 1e-6.
 */
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { Graph } from '../../src/graph/graph.ts'
import type { Encoder } from '../../src/model/encoder.ts'
import { Pass } from '../../src/ops/pass.ts'
import { adamw, sgd } from '../../src/optim/optimizer.ts'
import type { Optimizer } from '../../src/optim/optimizer.ts'
import { attachLora } from '../../src/peft/lora.ts'
import type { LoraAdapter } from '../../src/peft/lora.ts'
import type { Slice, SlicePart } from '../../src/peft/slice.ts'
import { HEAD_BIAS, HEAD_WEIGHT, headSlice, sliceOf, textClassifier } from '../../src/train/classifier.ts'
import type { Classifier } from '../../src/train/classifier.ts'
import { withGradients } from '../../src/train/gradients.ts'
import { predict, trainStep } from '../../src/train/step.ts'
import { close } from '../support/close.ts'
import { encoderOf, golden, transpose } from '../support/golden.ts'
import type { Golden } from '../support/golden.ts'

const LABELS = ['a', 'b', 'c']
/** Relative to the largest value: a few hundred f32 roundings on the longest path through two layers. */
const FORWARD = 4e-6, GRADIENT = 1e-5

function near(got: Float32Array, expected: Float32Array, tolerance: number, title: string): void {
  const largest = expected.reduce((most, x) => Math.max(most, Math.abs(x)), 0)
  close(got, expected, tolerance * Math.max(largest, 1e-3), title)
}

/** HF's name of a tensor of ours, and whether B is transposed. */
function goldenName(name: string): string {
  return /\.lora_[AB]$/.test(name) ? `base_model.model.${name}.weight` : name
}

function goldenValue(values: Float32Array, part: SlicePart): Float32Array {
  return part.tensor.endsWith('.lora_B') ? transpose(values, part.columns, part.to - part.from) : values
}

async function startFrom(g: Golden, task: Classifier): Promise<void> {
  for (const pair of task.adapter?.pairs ?? []) {
    pair.A.write(await g.tensor(`init/${goldenName(pair.A.name)}`))
    pair.Bt.write(transpose(await g.tensor(`init/${goldenName(pair.Bt.name)}`), pair.Bt.columns, pair.Bt.rows))
  }
  task.parameters.get(HEAD_WEIGHT)!.write(await g.tensor(`init/${HEAD_WEIGHT}`))
  task.parameters.get(HEAD_BIAS)!.write(await g.tensor(`init/${HEAD_BIAS}`))
}

function hidden(encoder: Encoder, sequences: number[][], adapter?: LoraAdapter, rank = 0): Float32Array {
  const graph = new Graph(encoder.engine)
  const pass = new Pass({ graph, ...(adapter && { lowRank: adapter.at(rank) }) })
  const x = graph.keep(encoder.tokens(pass, textClassifier({ encoder, labels: LABELS }).pack(sequences)))
  return graph.run(read => read(x))
}

interface Case {
  readonly folder: string
  readonly name: string
  readonly adapter: boolean
  readonly rank?: number
  readonly full?: boolean
  readonly pooling?: 'mean' | 'cls'
}

const cases: Case[] = [
  { folder: 'tiny-bert', name: 'base', adapter: false },
  { folder: 'tiny-bert', name: 'lora', adapter: true, rank: 4 },
  { folder: 'tiny-bert', name: 'prefix', adapter: true, rank: 2 },
  { folder: 'tiny-bert', name: 'cls', adapter: true, rank: 4, pooling: 'cls' },
  { folder: 'tiny-bert', name: 'full', adapter: false, full: true },
  { folder: 'tiny-bert-f16', name: 'base', adapter: false },
  { folder: 'tiny-bert-bf16', name: 'base', adapter: false },
  { folder: 'tiny-distilbert', name: 'lora', adapter: true, rank: 4 },
  { folder: 'tiny-roberta', name: 'lora', adapter: true, rank: 4 },
]

async function taskOf({ folder, adapter, full, pooling }: Case, g: Golden, variant: 'simd' | 'scalar'): Promise<Classifier> {
  const encoder = await encoderOf(`test/fixtures/${folder}`, { variant, trainable: full === true, ...(pooling && { pooling }) })
  const sites = folder === 'tiny-distilbert' ? ['q_lin', 'v_lin'] : ['query', 'value']
  const lora = adapter ? attachLora(encoder, { rank: g.json.lora.rank, alpha: g.json.lora.alpha, sites }) : undefined
  const task = textClassifier({ encoder, labels: LABELS, adapter: lora })
  await startFrom(g, task)
  return task
}

function sliceFor(task: Classifier, { rank, adapter, full }: Case): Slice {
  if (adapter) return sliceOf(task, { rank: rank! })
  return full ? sliceOf(task) : headSlice(task)
}

function gradientsOf(task: Classifier, g: Golden, slice: Slice): { loss: number, gradients: Map<SlicePart, Float32Array> } {
  const { arena } = task.encoder.engine
  return withGradients(task, task.pack(g.json.sequences), Int32Array.from(g.json.labels), slice, {}, (addresses, { loss }) => ({
    loss,
    gradients: new Map(slice.parts.map(part =>
      [part, arena.f32(addresses.get(part)!, (part.to - part.from) * part.columns).slice()])),
  }))
}

for (const c of cases) {
  test(`${c.folder}, ${c.name}: hidden states, logits, loss and every gradient as PyTorch, the same bits without SIMD`, async () => {
    const g = golden(c.folder)
    const task = await taskOf(c, g, 'simd'), scalar = await taskOf(c, g, 'scalar')
    const batch = task.pack(g.json.sequences)
    const states = hidden(task.encoder, g.json.sequences, task.adapter, c.rank)
    near(states, await g.tensor(`${c.name}/hidden`), FORWARD, 'hidden')
    assert.equal(Array.from(hidden(scalar.encoder, g.json.sequences, scalar.adapter, c.rank)), Array.from(states), 'scalar: hidden')
    near(predict(task, batch, c.rank), await g.tensor(`${c.name}/logits`), FORWARD, 'logits')
    const slice = sliceFor(task, c)
    const { loss, gradients } = gradientsOf(task, g, slice)
    close([loss], [g.json.cases[c.name].loss], 1e-6, 'loss')
    let compared = 0
    for (const [part, values] of gradients) {
      const name = `${c.name}/grad/${goldenName(part.tensor)}`
      if (!g.has(name)) continue
      compared++
      near(values, goldenValue(await g.tensor(name), part), GRADIENT, name)
    }
    assert.ok(compared >= 2 && (c.full ? compared >= 35 : compared === slice.parts.length), `${compared} gradients compared`)
    const again = gradientsOf(scalar, g, sliceFor(scalar, c))
    assert.is(again.loss, loss)
    slice.parts.forEach((part, i) => {
      assert.equal(Array.from([...again.gradients.values()][i]), Array.from(gradients.get(part)!), `scalar: ${part.tensor}`)
    })
  })

  const steps = (kind: 'sgd' | 'adamw') => test(`${c.folder}, ${c.name}: ten steps of ${kind} as PyTorch`, async () => {
    const g = golden(c.folder)
    const task = await taskOf(c, g, 'simd')
    const { json } = g
    const optimizer: Optimizer = kind === 'sgd'
      ? sgd({ learningRate: json.sgd.lr, momentum: json.sgd.momentum })
      : adamw({ learningRate: json.adamw.lr, beta1: json.adamw.betas[0], beta2: json.adamw.betas[1], eps: json.adamw.eps, weightDecay: json.adamw.weight_decay })
    const slice = sliceFor(task, c)
    const targets = Int32Array.from(json.labels)
    const losses: number[] = []
    for (let i = 0; i < json.stepCount; i++) losses.push(trainStep(task, task.pack(json.sequences), targets, slice, optimizer).loss)
    close(losses, json.cases[c.name].steps[kind].losses.slice(0, json.stepCount), 1e-4, 'losses')
    for (const part of slice.parts) {
      const name = `${c.name}/${kind}/${goldenName(part.tensor)}`
      if (!g.has(name)) continue
      // AdamW divides the rounding noise of a gradient that is zero by its own size (a key's bias)
      const bound = kind === 'adamw' && /key\.bias|k_lin\.bias/.test(name) ? 2e-2 : 1e-4
      near(task.parameters.get(part.tensor)!.read(part.from, part.to), goldenValue(await g.tensor(name), part), bound, name)
    }
  })
  if (golden(c.folder).json.cases[c.name].steps) {
    steps('sgd')
    steps('adamw')
  }
}

test.run()
