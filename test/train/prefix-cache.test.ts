import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { openHubModel } from '../../src/checkpoint/hub.ts'
import { loadBert } from '../../src/model/bert.ts'
import { sgd } from '../../src/optim/optimizer.ts'
import { attachLora } from '../../src/peft/lora.ts'
import type { LoraConfig } from '../../src/peft/lora.ts'
import type { Slice } from '../../src/peft/slice.ts'
import { node } from '../../src/runtime/node.ts'
import { headSlice, sliceOf, textClassifier } from '../../src/train/classifier.ts'
import type { Classifier } from '../../src/train/classifier.ts'
import { PrefixCache } from '../../src/train/prefix-cache.ts'
import { trainStep } from '../../src/train/step.ts'
import type { StepOptions } from '../../src/train/gradients.ts'
import { createEngine } from '../../src/wasm/engine.ts'
import { sameBits } from '../support/close.ts'
import { rng } from '../support/rng.ts'
import { LABELS, snapshot } from '../support/tasks.ts'

const random = rng(9)
const EXAMPLES = Array.from({ length: 12 }, () => Array.from({ length: random.int(1, 50) }, () => random.int(0, 29)))
const CLASSES = EXAMPLES.map(() => random.int(0, 2))
/** Three epochs, each in another order and in other batches. */
const EPOCHS = [[[0, 1, 2, 3, 4], [5, 6, 7, 8, 9, 10, 11]], [[11, 3, 5, 7], [0, 2, 4, 6, 8, 10, 1, 9]], [[6, 6, 2], [9, 8, 7, 5, 4, 3, 1, 0, 10, 11]]]

/** A task whose attention_forward calls are counted. */
async function countingTask(lora: Partial<LoraConfig>): Promise<{ task: Classifier, calls: () => number }> {
  const engine = await createEngine(node())
  let count = 0
  const kernels = { ...engine.kernels, attention_forward: (...args: number[]) => {
    count++
    return engine.kernels['attention_forward'](...args)
  } }
  const encoder = await loadBert({ ...engine, kernels }, await openHubModel(node().folder('test/fixtures/tiny-bert')))
  const adapter = attachLora(encoder, { rank: 4, alpha: 8, sites: ['query'], ...lora })
  return { task: textClassifier({ encoder, labels: LABELS, adapter }), calls: () => count }
}

/** Trains; gives the calls of attention after each epoch, and all values in the end. */
async function train(lora: Partial<LoraConfig>, slice: (task: Classifier) => Slice, cache: PrefixCache | undefined, step: StepOptions = {}) {
  const { task, calls } = await countingTask(lora), optimizer = sgd({ learningRate: 0.1 }), part = slice(task)
  const attention = EPOCHS.map(batches => {
    const before = calls()
    for (const batch of batches) {
      trainStep(task, task.pack(batch.map(i => EXAMPLES[i])), Int32Array.from(batch, i => CLASSES[i]), part, optimizer, {
        ...step, prefix: cache && { cache, examples: batch },
      })
    }
    return calls() - before
  })
  return { attention, values: snapshot(task) }
}

const cases = [
  { title: 'the upper layer', options: { sites: ['layer.1.attention.self.query'] }, slice: (task: Classifier) => sliceOf(task), share: 0.5 },
  { title: 'the head behind the pooling', options: {}, slice: headSlice, share: 0 },
  { title: 'the lowest layer', options: { sites: ['layer.0.attention.self.value'] }, slice: (task: Classifier) => sliceOf(task), share: 1 },
]
for (const { title, options, slice, share } of cases) {
  test(`training ${title} with activations kept from the first epoch: same bits, and what lies below is not computed again`, async () => {
    const plain = await train(options, slice, undefined), cached = await train(options, slice, new PrefixCache())
    for (const [name, values] of plain.values) sameBits(cached.values.get(name)!, values, name)
    assert.equal(cached.attention, plain.attention.map((calls, epoch) => epoch === 0 ? calls : calls * share))
  })
}

test('with dropout nothing is kept; a full cache keeps what fits; both give the same bits', async () => {
  const options = { sites: ['layer.1.output.dense'] }, slice = (task: Classifier) => sliceOf(task)
  const dropout = { rate: 0.3, key: [1, 2] as const }, none = new PrefixCache(), small = new PrefixCache(20_000)
  const plain = await train(options, slice, undefined), limited = await train(options, slice, small)
  const wet = await train(options, slice, undefined, { dropout }), wetCached = await train(options, slice, none, { dropout })
  for (const [name, values] of plain.values) sameBits(limited.values.get(name)!, values, name)
  for (const [name, values] of wet.values) sameBits(wetCached.values.get(name)!, values, name)
  assert.is(none.size, 0)
  assert.ok(small.size > 0 && small.size < EXAMPLES.length, String(small.size))
})

test.run()
