/** A client's training in one kernel call gives the bits of its steps one by one, and where a step would fail, it does. */
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { hashArray } from '../../src/canonical.ts'
import { NumericError } from '../../src/errors.ts'
import { contribute } from '../../src/federated/client.ts'
import { makePlan } from '../../src/federated/plan.ts'
import type { LocalTraining } from '../../src/federated/plan.ts'
import { openTraining } from '../../src/federated/training.ts'
import { featureEncoder } from '../../src/model/features.ts'
import { readSlice } from '../../src/peft/slice.ts'
import { node } from '../../src/runtime/node.ts'
import { trainAtOnce, trainsAtOnce } from '../../src/train/at-once.ts'
import { headSlice, sliceOf, textClassifier } from '../../src/train/classifier.ts'
import { createEngine } from '../../src/wasm/engine.ts'
import { sameBits } from '../support/close.ts'
import { rng } from '../support/rng.ts'

interface Size { readonly rows: number, readonly width: number, readonly classes: number, readonly local?: Partial<LocalTraining> }

async function setting(variant: 'simd' | 'scalar', { rows, width, classes, local = {} }: Size) {
  const encoder = featureEncoder(await createEngine(node(), { variant }), rows, width), random = rng(rows * 1000 + width * 10 + classes)
  const labels = Array.from({ length: classes }, (_, i) => String(i)), task = textClassifier({ encoder, labels })
  const slice = sliceOf(task), x = random.f32(rows * width)
  // zeros of both signs among the numbers and the weights
  for (let i = 0; i < x.length; i += 7) x[i] = i % 2 === 0 ? 0 : -0
  const state = random.f32(slice.length)
  for (let i = 0; i < state.length; i += 5) state[i] = i % 2 === 0 ? 0 : -0
  const examples = { sequences: Array.from({ length: rows }, (_, i) => Int32Array.of(i)), targets: Int32Array.from({ length: rows }, () => random.int(0, classes - 1)) }
  const plan = makePlan({
    round: 2, task: '00', state: hashArray(state), slice, reads: slice, publicSeed: '2b'.repeat(32), clip: 1, cohort: 4, capacity: 8, noiseMultiplier: 1,
    local: { epochs: 1, batchSize: 10, learningRate: 0.3, ...local },
  })
  encoder.write(x)
  return { encoder, task, slice, plan, state, examples, x }
}

/** The same training by steps alone. */
function bySteps({ task, plan, state, examples }: Awaited<ReturnType<typeof setting>>) {
  const training = openTraining(task, plan, state, examples, 3)
  while (training.step());
  const { contribution, hash, local } = training.finish()
  training.close()
  return { contribution, hash, local, trained: readSlice(task.parameters, plan.slice) }
}

const SIZES: Record<string, Size> = {
  'a batch that divides': { rows: 20, width: 784, classes: 10 },
  'epochs, and a last batch of three': { rows: 13, width: 33, classes: 3, local: { epochs: 3, batchSize: 5 } },
  'some of the examples': { rows: 12, width: 5, classes: 2, local: { maxExamples: 7, batchSize: 4, epochs: 2 } },
  'one number, one example a batch': { rows: 4, width: 1, classes: 2, local: { batchSize: 1 } },
  'a batch larger than the client, and than a piece of a step': { rows: 150, width: 9, classes: 5, local: { batchSize: 4096, epochs: 2 } },
  'panels that are full': { rows: 9, width: 64, classes: 8, local: { batchSize: 4 } },
  'panels and a lane more': { rows: 9, width: 390, classes: 17, local: { batchSize: 6 } },
  'a panel of lanes alone': { rows: 6, width: 12, classes: 4, local: { batchSize: 5 } },
}

for (const variant of ['simd', 'scalar'] as const) {
  for (const [title, size] of Object.entries(SIZES)) {
    test(`${variant}, ${title}: contribution, loss and trained values have the bits of the steps one by one`, async () => {
      const made = await setting(variant, size), steps = bySteps(made), { task, plan, state, examples, slice } = made
      assert.ok(trainsAtOnce(task, slice))
      const into = new Int32Array(plan.lattice.length)
      const once = contribute(task, plan, state, examples, 3, undefined, into)
      assert.is(once.contribution, into)
      assert.is(once.hash, steps.hash)
      assert.equal(once.local, steps.local)
      assert.equal([...into], [...steps.contribution])
      sameBits(readSlice(task.parameters, slice), steps.trained, 'trained values')
      assert.ok(steps.trained.some((value, i) => value !== state[i]))
    })
  }
}

test('the kernel itself gives the loss of the steps: it is what contribute calls', async () => {
  const { task, slice, state } = await setting('simd', SIZES['a batch that divides'])
  task.parameters.forEach(tensor => { if (tensor.length === slice.length) tensor.write(state) })
  const loss = trainAtOnce(task, slice, Int32Array.of(0, 1, 2), Int32Array.of(0, 1, 2), { epochs: 1, batchSize: 3, learningRate: 0 })
  // a head of zeros: ln 10, to the precision of f32
  assert.ok(Math.abs(loss! - Math.log(10)) < 1e-6, `${loss}`)
})

for (const [what, spoil] of Object.entries({
  'NaN': (x: Float32Array) => { x[700] = NaN }, 'infinity': (x: Float32Array) => { x[3] = Infinity },
  'numbers whose gradient overflows': (x: Float32Array) => { x.fill(3e38) },
})) {
  test(`${what} among the vectors: the same error as by steps, from the same step`, async () => {
    const made = await setting('simd', SIZES['a batch that divides']), { encoder, task, plan, state, examples, x } = made
    spoil(x)
    encoder.write(x)
    const message = (run: () => unknown) => {
      try { run() } catch (error) { return [error instanceof NumericError, (error as Error).message, [...readSlice(task.parameters, plan.slice)].join()] }
      return undefined
    }
    const expected = message(() => bySteps(made))
    assert.is(expected?.[0], true)
    assert.equal(message(() => contribute(task, plan, state, examples, 3)), expected)
  })
}

test('gradients so large that the kernel leaves them to the steps, but that are none too large for these: the same bits', async () => {
  const made = await setting('simd', { rows: 8, width: 16, classes: 3, local: { batchSize: 4, learningRate: 1e-20 } }), { encoder, task, plan, state, examples, x } = made
  for (let i = 0; i < x.length; i++) x[i] *= 2 ** 42
  encoder.write(x)
  const steps = bySteps(made)
  assert.is(contribute(task, plan, state, examples, 3).hash, steps.hash)
})

test('momentum, clipping, dropout and texts go step by step; a row or class that is none is refused as there', async () => {
  for (const local of [{ momentum: 0.5 }, { maxGradientNorm: 0.1 }]) {
    const made = await setting('simd', { rows: 8, width: 16, classes: 3, local }), steps = bySteps(made)
    assert.is(contribute(made.task, made.plan, made.state, made.examples, 3).hash, steps.hash)
  }
  const { task, plan, state, examples } = await setting('simd', { rows: 8, width: 16, classes: 3 })
  assert.throws(() => contribute(task, plan, state, { ...examples, targets: new Int32Array(8).fill(3) }, 0), /"targets" expected classes from 0 to 2, got 3/)
  assert.throws(() => contribute(task, plan, state, { ...examples, sequences: examples.sequences.map(() => Int32Array.of(8)) }, 0), RangeError)
  assert.throws(() => contribute(task, plan, state, examples, 0, undefined, new Int32Array(3)), /"into" expected an Int32Array of 51/)
  assert.ok(trainsAtOnce(task, headSlice(task)))
})

test.run()
