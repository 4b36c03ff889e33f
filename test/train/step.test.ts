import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { NumericError } from '../../src/errors.ts'
import { adamw, sgd } from '../../src/optim/optimizer.ts'
import { makeSlice } from '../../src/peft/slice.ts'
import type { Slice, SlicePart } from '../../src/peft/slice.ts'
import { HEAD_BIAS, HEAD_WEIGHT, headSlice, sliceOf, textClassifier } from '../../src/train/classifier.ts'
import type { Classifier } from '../../src/train/classifier.ts'
import { argmaxRows } from '../../src/train/argmax.ts'
import { withGradients } from '../../src/train/gradients.ts'
import { predict, trainStep } from '../../src/train/step.ts'
import type { StepOptions } from '../../src/train/gradients.ts'
import { close, EPS, sameBits } from '../support/close.ts'
import { rng } from '../support/rng.ts'
import { LABELS, SEQUENCES, snapshot, TARGETS, tinyTask } from '../support/tasks.ts'

function unchanged(task: Classifier, before: Map<string, Float32Array>, title: string): void {
  for (const [name, values] of snapshot(task)) sameBits(values, before.get(name)!, `${title}: ${name}`)
}

function gradients(task: Classifier, slice: Slice, options: StepOptions = {}, sequences = SEQUENCES, targets = TARGETS) {
  const { arena } = task.encoder.engine
  return withGradients(task, task.pack(sequences), targets, slice, options, (addresses, result) => ({
    ...result, values: slice.parts.map(part => arena.f32(addresses.get(part)!, (part.to - part.from) * part.columns).slice()),
  }))
}

/** Where a bad number is planted, and what the error must name. */
const plants: { title: string, plant: (task: Classifier, bad: number) => void, operation: string, layer: string }[] = [
  {
    title: 'a row of the word table', operation: 'embedding_forward', layer: 'embeddings',
    plant: (task, bad) => { task.parameters.get('embeddings.word_embeddings.weight')!.write(new Float32Array(48).fill(bad), 9) },
  },
  {
    title: 'the frozen weight of a key', operation: 'linear_forward', layer: 'encoder.layer.1.attention.self.key',
    plant: (task, bad) => {
      const { weight } = task.encoder.sites.find(site => site.name === 'encoder.layer.1.attention.self.key')!
      weight.write(weight.read().fill(bad, 100, 101))
    },
  },
  {
    title: 'the bias of a layer norm', operation: 'add_layer_norm_forward', layer: 'encoder.layer.0.output.LayerNorm',
    plant: (task, bad) => { task.parameters.get('encoder.layer.0.output.LayerNorm.bias')!.write([bad, ...new Float32Array(47)]) },
  },
  {
    title: 'a factor A', operation: 'low_rank_down', layer: 'encoder.layer.1.attention.self.value.lora',
    plant: (task, bad) => { task.parameters.get('encoder.layer.1.attention.self.value.lora_A')!.write(new Float32Array(48).fill(bad), 3) },
  },
  {
    title: 'a factor B', operation: 'low_rank_up', layer: 'encoder.layer.0.attention.self.query.lora',
    plant: (task, bad) => { task.parameters.get('encoder.layer.0.attention.self.query.lora_B')!.write(new Float32Array(48).fill(bad), 0) },
  },
  {
    title: 'the head', operation: 'linear_forward', layer: 'head',
    plant: (task, bad) => { task.parameters.get(HEAD_WEIGHT)!.write(new Float32Array(48).fill(bad), 2) },
  },
]

for (const { title, plant, operation, layer } of plants) {
  test(`NaN and infinities in ${title} stop the step: NumericError names ${operation} of ${layer}, not one bit changes, the mended model steps as if nothing had been`, async () => {
    for (const bad of [NaN, Infinity, -Infinity]) {
      const task = await tinyTask(), slice = sliceOf(task, { rank: 4 }), optimizer = adamw({ learningRate: 0.01 }), batch = task.pack(SEQUENCES)
      trainStep(task, batch, TARGETS, slice, optimizer)
      const good = snapshot(task)
      plant(task, bad)
      const before = snapshot(task), { top } = task.encoder.engine.arena
      for (const run of [() => trainStep(task, batch, TARGETS, slice, optimizer), () => predict(task, batch)]) {
        try {
          run()
          assert.unreachable('expected a NumericError')
        } catch (error) {
          assert.instance(error, NumericError)
          assert.is((error as NumericError).operation, operation)
          assert.is((error as NumericError).layer, layer)
        }
      }
      unchanged(task, before, String(bad))
      assert.is(task.encoder.engine.arena.top, top, 'memory of the step is given back')
      for (const [name, tensor] of task.parameters) tensor.write(good.get(name)!)
      for (const site of task.encoder.sites) site.weight.write(good.get(`${site.name} (frozen)`)!)
      const untouched = await tinyTask(), other = adamw({ learningRate: 0.01 })
      trainStep(untouched, batch, TARGETS, slice, other)
      assert.is(trainStep(task, batch, TARGETS, slice, optimizer).loss, trainStep(untouched, batch, TARGETS, slice, other).loss)
      unchanged(task, snapshot(untouched), 'after mending, momentum included')
    }
  })
}

test('activations that overflow, and gradients that do while the loss is finite, stop the step where they arise', async () => {
  const task = await tinyTask({ base: true, trainable: true }), slice = sliceOf(task), optimizer = sgd({ learningRate: 0.1 })
  const run = () => trainStep(task, task.pack(SEQUENCES), TARGETS, slice, optimizer)
  const head = task.parameters.get(HEAD_WEIGHT)!, weight = head.read()
  head.write(weight.map(x => x * 1e39))
  assert.throws(run, (error: Error) => error instanceof NumericError && error.operation === 'linear_forward' && error.layer === 'head')
  // logits near 1e36: the loss is finite; the way back multiplies by weights near 1e36 and by those of the table's norm
  head.write(weight.map(x => x * 1e36))
  task.parameters.get('embeddings.LayerNorm.weight')!.write(new Float32Array(48).fill(1e6))
  const before = snapshot(task)
  assert.throws(run, (error: Error) => error instanceof NumericError && /backward|gradient|weight/.test(error.operation))
  unchanged(task, before, 'gradient overflow')
})

test('wrong targets, ids and batches are errors before anything runs, and change nothing', async () => {
  const task = await tinyTask(), slice = sliceOf(task), optimizer = sgd({ learningRate: 0.1 }), batch = task.pack(SEQUENCES)
  const before = snapshot(task)
  const step = (b = batch, targets = TARGETS, options: StepOptions = {}, part = slice) => () => trainStep(task, b, targets, part, optimizer, options)
  assert.throws(step(batch, Int32Array.of(1, 0)), /"targets" expected 4 classes, got 2/)
  assert.throws(step(batch, Int32Array.of(1, 0, 3, 1)), /"targets" expected classes from 0 to 2, got 3/)
  assert.throws(step(batch, Int32Array.of(1, 0, -1, 1)), /"targets" expected classes from 0 to 2, got -1/)
  assert.throws(step(batch, [1, 0, 2, 1] as never), /"targets" expected an Int32Array/)
  assert.throws(() => task.pack([[2, 100000, 3]]), /"sequences\[0\]\[1\]" expected a token from 0 to/)
  assert.throws(() => task.pack([new Array(65).fill(5)]), /expected at most 64 tokens, got 65/)
  assert.throws(step({ ...batch, ids: batch.ids.map(() => 99999) }), /"embeddings.word_embeddings.weight" expected ids from 0 to/)
  for (const offsets of [[0, 5, 7, 14, 18], [0, 7, 5, 14, 17], [1, 5, 7, 14, 17], [0, 5, 17]]) {
    assert.throws(step({ ...batch, offsets: Int32Array.from(offsets) }), /"batch" expected offsets that rise/)
  }
  assert.throws(step({ ...batch, longest: 2 }), /"batch" expected offsets/)
  assert.throws(step(batch, TARGETS, { maxGradientNorm: 0 }), /"maxGradientNorm" expected a finite number/)
  assert.throws(step(batch, TARGETS, { maxGradientNorm: NaN }), /"maxGradientNorm"/)
  assert.throws(step(batch, TARGETS, { dropout: { rate: 0.5 } as never }), /"dropout.key" expected two integers, got undefined; the same key/)
  assert.throws(step(batch, TARGETS, { dropout: { rate: 1, key: [1, 2] } }), /"dropout rate" expected/)
  assert.throws(step(batch, TARGETS, {}, makeSlice([{ tensor: 'nowhere', from: 0, to: 1, columns: 4 }])), /expected a trainable tensor "nowhere"/)
  assert.throws(step(batch, TARGETS, {}, { ...slice, rank: 2 }), /expected trained rows below the rank 2, got 0 to 4/)
  assert.throws(() => task.labelIndex('d'), /"label" expected one of "a", "b", "c", got "d"/)
  assert.throws(() => textClassifier({ encoder: task.encoder, labels: ['one'] }), /"labels" expected at least two names/)
  assert.throws(() => textClassifier({ encoder: task.encoder, labels: ['x', 'x'] }), /"labels" expected different names/)
  unchanged(task, before, 'errors')
  assert.throws(() => sliceOf(task, { rank: 5 }), /"rank" expected an integer from 1 to 4, got 5/)
  assert.throws(() => sliceOf(task, { variant: 'rows' as never }), /"variant" expected one of "prefix", "row", got "rows"/)
  assert.throws(() => sliceOf(task, { factors: 'C' as never }), /"factors" expected one of "both", "A", "B"/)
  const frozen = textClassifier({ encoder: task.encoder, labels: LABELS })
  assert.throws(() => sliceOf(frozen), /got the frozen weight of "encoder\.layer\.0\.attention\.self\.query"; attach an adapter, load the model with trainable: true/)
  assert.equal(headSlice(frozen).parts.map(part => part.tensor), [HEAD_WEIGHT, HEAD_BIAS])
})

test('rows of a dense tensor train alone: their gradient is that part of the whole one, and nothing else moves', async () => {
  const task = await tinyTask({ base: true, trainable: true }), whole = sliceOf(task), all = gradients(task, whole)
  const of = (part: SlicePart) => {
    const i = whole.parts.findIndex(each => each.tensor === part.tensor)
    return all.values[i].subarray(part.from * part.columns, part.to * part.columns)
  }
  const rows = makeSlice([
    { tensor: HEAD_WEIGHT, from: 1, to: 3, columns: 48 }, { tensor: HEAD_BIAS, from: 2, to: 3, columns: 1 },
    { tensor: 'embeddings.word_embeddings.weight', from: 7, to: 9, columns: 48 },
    { tensor: 'encoder.layer.1.output.dense.weight', from: 3, to: 5, columns: 72 },
  ])
  const some = gradients(task, rows)
  rows.parts.forEach((part, i) => sameBits(some.values[i], of(part), part.tensor))
  close([some.gradientNorm], [Math.hypot(...some.values.flatMap(each => [...each]))], 1e-9, 'norm of the slice alone')
  const clipped = gradients(task, rows, { maxGradientNorm: some.gradientNorm / 4 })
  rows.parts.forEach((part, i) => close(clipped.values[i], of(part).map(x => x / 4), j => 3 * EPS * Math.abs(of(part)[j]), `clipped ${part.tensor}`))
  const before = snapshot(task)
  trainStep(task, task.pack(SEQUENCES), TARGETS, rows, sgd({ learningRate: 0.5, momentum: 0.9, weightDecay: 0.1 }))
  for (const [name, tensor] of task.parameters) {
    const part = rows.parts.find(each => each.tensor === name), now = tensor.read(), then = before.get(name)!
    now.forEach((x, i) => {
      const inside = part !== undefined && i >= part.from * part.columns && i < part.to * part.columns
      if (!inside && !Object.is(x, then[i])) assert.unreachable(`${name}[${i}] moved`)
    })
    if (part) assert.not.equal(now, then, `${name} moves`)
  }
})

test('two hundred steps and predictions reserve no memory after the first', async () => {
  const task = await tinyTask(), slice = sliceOf(task), optimizer = adamw({ learningRate: 0.01 }), batch = task.pack(SEQUENCES), { arena } = task.encoder.engine
  const { loss: first } = trainStep(task, batch, TARGETS, slice, optimizer)
  predict(task, batch)
  const { top, peak } = arena, pages = arena.memory.buffer.byteLength
  let last = first
  for (let i = 0; i < 200; i++) {
    last = trainStep(task, batch, TARGETS, slice, optimizer).loss
    predict(task, batch)
  }
  assert.equal([arena.top, arena.peak, arena.memory.buffer.byteLength], [top, peak, pages])
  assert.ok(last < 0.05 * first, `the loss falls: ${first} to ${last}`)
})

test('a step that cannot have its memory throws, gives back what it took, and changes nothing', async () => {
  const task = await tinyTask(), before = snapshot(task), { arena } = task.encoder.engine, { memory } = arena
  const { top } = arena, grow = memory.grow
  memory.grow = () => { throw new RangeError('refused') }
  try {
    const long = Array.from({ length: 500 }, () => new Array(60).fill(5))
    assert.throws(() => trainStep(task, task.pack(long), new Int32Array(500), sliceOf(task), sgd({ learningRate: 1 })), /but the runtime refused; use shorter texts/)
  } finally {
    memory.grow = grow
  }
  assert.is(arena.top, top)
  unchanged(task, before, 'refused')
})

test('loss, correct and argmax: of equal logits the first class, loss log(3) of a head of zeros', async () => {
  const task = await tinyTask({ base: true })
  for (const name of [HEAD_WEIGHT, HEAD_BIAS]) task.parameters.get(name)!.write(new Float32Array(task.parameters.get(name)!.length))
  const result = gradients(task, headSlice(task))
  close([result.loss], [Math.log(3)], 4 * EPS, 'loss')
  assert.is(result.correct, TARGETS.filter(target => target === 0).length)
  assert.equal(argmaxRows(Float32Array.of(1, 3, 3, -2, -5, -1), LABELS.length), Int32Array.of(1, 2))
})

test('a graph that is used again gives what a new one gives: other tokens, classes, slices, in any order', async () => {
  const task = await tinyTask(), random = rng(12)
  const batches = Array.from({ length: 12 }, () => {
    const lengths = [[5, 3], [3, 5], [5, 3, 1], [8]][random.int(0, 3)]
    return {
      sequences: lengths.map(length => Array.from({ length }, () => random.int(0, 29))), targets: Int32Array.from(lengths, () => random.int(0, 2)),
      slice: random.int(0, 1) === 0 ? headSlice(task) : sliceOf(task, { rank: random.int(1, 4) }),
    }
  })
  for (let again = 0; again < 3; again++) {
    for (const { sequences, targets, slice } of batches) {
      const got = gradients(task, slice, {}, sequences, targets), fresh = gradients(await tinyTask(), slice, {}, sequences, targets)
      assert.is(got.loss, fresh.loss)
      slice.parts.forEach((part, i) => sameBits(got.values[i], fresh.values[i], part.tensor))
    }
  }
})

test('a token that is none is refused, also where a graph of the same shape is at hand', async () => {
  const task = await tinyTask(), slice = sliceOf(task), batch = task.pack([[1, 2, 3]]), optimizer = sgd({ learningRate: 0.1 })
  trainStep(task, batch, Int32Array.of(0), slice, optimizer)
  for (const bad of [-1, 1000]) {
    assert.throws(() => trainStep(task, { ...batch, ids: Int32Array.of(1, bad, 3) }, Int32Array.of(0), slice, optimizer), /expected ids from 0 to/)
  }
  assert.type(trainStep(task, batch, Int32Array.of(0), slice, optimizer).loss, 'number')
})

test.run()
