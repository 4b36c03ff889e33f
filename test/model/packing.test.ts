import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { openHubModel } from '../../src/checkpoint/hub.ts'
import { loadBert } from '../../src/model/bert.ts'
import { adamw } from '../../src/optim/optimizer.ts'
import { attachLora } from '../../src/peft/lora.ts'
import { node } from '../../src/runtime/node.ts'
import { headSlice, sliceOf, textClassifier } from '../../src/train/classifier.ts'
import { predict, trainStep } from '../../src/train/step.ts'
import { createEngine } from '../../src/wasm/engine.ts'
import { sameBits } from '../support/close.ts'
import { encoderOf } from '../support/golden.ts'
import { rng } from '../support/rng.ts'
import { LABELS, SEQUENCES, snapshot, TARGETS, tinyTask } from '../support/tasks.ts'

for (const folder of ['tiny-bert', 'tiny-bert-f16', 'tiny-distilbert', 'tiny-roberta']) {
  test(`${folder}: a text's logits are the same bits alone, among others and in any order`, async () => {
    const task = await tinyTask({ folder, sites: [folder === 'tiny-distilbert' ? 'q_lin' : 'query'] }), random = rng(1)
    const sequences = [...SEQUENCES, ...Array.from({ length: 9 }, () => Array.from({ length: random.int(1, 40) }, () => random.int(0, 30)))]
    const alone = sequences.map(sequence => predict(task, task.pack([sequence])))
    for (let round = 0; round < 5; round++) {
      const order = sequences.map((_, i) => i).sort(() => random.uniform() - 0.5).slice(0, random.int(2, sequences.length))
      const together = predict(task, task.pack(order.map(i => sequences[i])))
      order.forEach((i, row) => sameBits(together.subarray(row * 3, row * 3 + 3), alone[i], `text ${i} at ${row}`))
    }
  })
}

test('the simd, shared and scalar builds train to the same bits, dropout and momentum included', async () => {
  const states = await Promise.all((['simd', 'shared', 'scalar'] as const).map(async variant => {
    const encoder = await encoderOf('test/fixtures/tiny-bert', { variant }), adapter = attachLora(encoder, { rank: 3, alpha: 6, sites: ['query', 'dense'] })
    const task = textClassifier({ encoder, labels: LABELS, adapter }), optimizer = adamw({ learningRate: 0.02 }), losses: number[] = []
    for (let i = 0; i < 5; i++) {
      const slice = sliceOf(task, { rank: i % 3 + 1 })
      losses.push(trainStep(task, task.pack(SEQUENCES), TARGETS, slice, optimizer, { dropout: { rate: 0.2, key: [i, 3] }, maxGradientNorm: 0.5 }).loss)
    }
    return { losses, values: snapshot(task) }
  }))
  assert.ok(states[0].losses.every((loss, i) => i === 0 || loss !== states[0].losses[0]))
  for (const other of states.slice(1)) {
    assert.equal(other.losses, states[0].losses)
    for (const [name, values] of other.values) sameBits(values, states[0].values.get(name)!, name)
  }
})

test('nothing below the lowest trained site is differentiated, and training a head takes the memory of a prediction', async () => {
  const engine = await createEngine(node()), calls = new Map<string, number>()
  const kernels = Object.fromEntries(Object.entries(engine.kernels).map(([name, kernel]) => [name, (...args: number[]) => {
    calls.set(name, (calls.get(name) ?? 0) + 1)
    return kernel(...args)
  }]))
  const encoder = await loadBert({ ...engine, kernels }, await openHubModel(node().folder('test/fixtures/tiny-bert')))
  // one piece
  const batch = (task: ReturnType<typeof textClassifier>) => task.pack(Array.from({ length: 8 }, () => Array.from({ length: 15 }, (_, i) => i % 30)))
  const backward = (site: string) => {
    const adapter = attachLora(encoder, { rank: 2, alpha: 2, sites: [site] }), task = textClassifier({ encoder, labels: LABELS, adapter })
    calls.clear()
    trainStep(task, batch(task), new Int32Array(8), sliceOf(task), adamw({ learningRate: 0.1 }))
    return ['attention_backward', 'layer_norm_backward', 'multiply', 'linear_backward_input', 'layer_norm_backward_params', 'embedding_backward'].map(name => calls.get(name) ?? 0)
  }
  // of both layers all but the inputs of the first query, key and value; then of the second alone; then its last norm
  assert.equal(backward('encoder.layer.0.attention.self.query'), [2, 4, 2, 9, 0, 0])
  assert.equal(backward('encoder.layer.1.attention.self.query'), [1, 2, 1, 3, 0, 0])
  assert.equal(backward('encoder.layer.1.output.dense'), [0, 1, 0, 0, 0, 0])
  const task = textClassifier({ encoder, labels: LABELS }), { arena } = engine, packed = batch(task)
  const frames: number[] = [], frame = arena.frame
  arena.frame = (bytes, body) => {
    frames.push(bytes)
    return frame.call(arena, bytes, body) as never
  }
  calls.clear()
  predict(task, packed)
  trainStep(task, packed, new Int32Array(8), headSlice(task), adamw({ learningRate: 0.1 }))
  assert.is([...calls.keys()].filter(name => name.includes('backward')).join(), 'cross_entropy_backward')
  assert.ok(frames.slice(1).reduce((sum, bytes) => sum + bytes) - frames[0] < 20_000, `a prediction takes ${frames[0]} bytes, a step of the head ${frames.slice(1).join(' and ')}`)
})

test.run()
