import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { Graph } from '../../src/graph/graph.ts'
import { crossEntropy } from '../../src/ops/cross-entropy.ts'
import { sliceOf } from '../../src/train/classifier.ts'
import type { Classifier } from '../../src/train/classifier.ts'
import { tensorOf, trainedRows } from '../../src/peft/slice.ts'
import type { Slice } from '../../src/peft/slice.ts'
import { withGradients } from '../../src/train/gradients.ts'
import { predict } from '../../src/train/step.ts'
import type { StepOptions } from '../../src/train/gradients.ts'
import { sameBits } from '../support/close.ts'
import { rng } from '../support/rng.ts'
import { tinyTask } from '../support/tasks.ts'

/** Sequences of 1 to 40 tokens, about 900 in all: four pieces. */
const random = rng(5)
const SEQUENCES = Array.from({ length: 45 }, (_, i) => Array.from({ length: i === 7 ? 1 : random.int(1, 40) }, () => random.int(0, 29)))
const TARGETS = Int32Array.from(SEQUENCES, () => random.int(0, 2))

function inPieces(task: Classifier, slice: Slice, options: StepOptions) {
  const { arena } = task.encoder.engine
  return withGradients(task, task.pack(SEQUENCES), TARGETS, slice, options, (addresses, { loss }) => ({
    loss, values: slice.parts.map(part => arena.f32(addresses.get(part)!, (part.to - part.from) * part.columns).slice()),
  }))
}

/** The same in one graph. */
function whole(task: Classifier, slice: Slice, { dropout }: StepOptions, fit?: (graph: Graph) => void) {
  const { pass, logits } = task.forward(task.pack(SEQUENCES), { trained: trainedRows(task.parameters, slice), rank: slice.rank, dropout })
  const { losses } = crossEntropy(pass, 'loss', logits, pass.graph.input(TARGETS), 1 / SEQUENCES.length)
  pass.graph.keep(losses)
  const gradients = slice.parts.map(part => pass.gradient(tensorOf(task.parameters, part)))
  for (const gradient of gradients) if (gradient) pass.graph.keep(gradient)
  fit?.(pass.graph)
  return pass.graph.run(read => ({
    loss: read(losses).reduce((sum, loss) => sum + loss, 0) / SEQUENCES.length,
    values: slice.parts.map((part, i) => {
      const length = (part.to - part.from) * part.columns, all = gradients[i]
      if (all === undefined) return new Float32Array(length)
      return all.length === length ? read(all) : read(all).slice(part.from * part.columns, part.to * part.columns)
    }),
  }))
}

for (const [title, options] of [['LoRA', {}], ['full fine-tuning', { base: true, trainable: true }]] as const) {
  for (const dropout of [undefined, { rate: 0.2, key: [3, 4] as const }]) {
    test(`${title}${dropout ? ' with dropout' : ''}: a batch in pieces gives loss and gradients with the bits of one graph`, async () => {
      const task = await tinyTask(options), slice = sliceOf(task)
      const got = inPieces(task, slice, { dropout }), expected = whole(task, slice, { dropout })
      assert.is(got.loss, expected.loss)
      slice.parts.forEach((part, i) => sameBits(got.values[i], expected.values[i], part.tensor))
      assert.ok(expected.values.every(values => values.length > 0) && expected.values.some(values => values.some(value => value !== 0)))
    })
  }
}

test('the memory of a step does not grow with the batch', async () => {
  const peak = async (count: number) => {
    const task = await tinyTask(), batch = task.pack(Array.from({ length: count }, () => Array.from({ length: 43 }, (_, i) => i % 30)))
    const before = task.encoder.engine.arena.peak
    withGradients(task, batch, new Int32Array(count), sliceOf(task), {}, () => 0)
    return task.encoder.engine.arena.peak - before
  }
  assert.is(await peak(640), await peak(80))
})

test('where the memory is short, pieces are halved down to a sequence: same bits; then the step is refused, with the need', async () => {
  const task = await tinyTask(), slice = sliceOf(task), { arena } = task.encoder.engine
  const { top } = arena
  const expected = inPieces(task, slice, {}), logits = predict(task, task.pack(SEQUENCES)), need = arena.peak - top
  let least = need
  for (let budget = need; ; budget = Math.floor(budget * 0.8)) {
    arena.continueAt(top, top + budget)
    try {
      const got = inPieces(task, slice, {})
      sameBits(predict(task, task.pack(SEQUENCES)), logits, 'logits')
      slice.parts.forEach((part, i) => sameBits(got.values[i], expected.values[i], `${part.tensor} within ${budget} bytes`))
      least = budget
    } catch (error) {
      assert.match((error as Error).message, /memory expected at most .* in all, got a need of [\d.]+ MiB; use shorter texts/)
      break
    }
  }
  // what a product packs into does not shrink with the piece
  assert.ok(least < 0.85 * need, `least ${least} of ${need} bytes`)
})

for (const [title, options] of [['LoRA', { sites: ['query', 'value'] }], ['full fine-tuning', { base: true, trainable: true }]] as const) {
  test(`${title} with dropout: activations computed again on the way back give the same bits in less memory`, async () => {
    const task = await tinyTask(options), slice = sliceOf(task), dropout = { rate: 0.3, key: [7, 8] as const }
    const expected = whole(task, slice, { dropout })
    const sizes: number[] = []
    for (const share of [1, 0.95, 0.9, 0.8, 0.7, 0]) {
      let before = 0, after = 0
      const got = whole(task, slice, { dropout }, graph => {
        before = graph.bytes
        graph.fit(before * share)
        after = graph.bytes
      })
      assert.ok(after <= before && (after <= before * share || share < 0.9), `${after} of ${before} bytes, wanted ${share}`)
      sizes.push(after)
      assert.is(got.loss, expected.loss)
      slice.parts.forEach((part, i) => sameBits(got.values[i], expected.values[i], `${part.tensor} at ${share}`))
    }
    assert.equal(sizes, [...sizes].sort((a, b) => b - a))
  })
}

test('a parameter that is used twice is refused where gradients are collected', async () => {
  const { encoder } = await tinyTask(), graph = new Graph(encoder.engine)
  const shared = graph.fixed(0, [4], true)
  graph.collect(shared, { ptr: 0, started: false })
  graph.addGradient(shared, () => undefined)
  assert.throws(() => graph.addGradient(shared, () => undefined), /expected a collected gradient to be added to once/)
})

test.run()
