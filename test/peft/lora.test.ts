import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { NumericError } from '../../src/errors.ts'
import type { WeightFormat } from '../../src/ops/weight.ts'
import { adamw, sgd } from '../../src/optim/optimizer.ts'
import { attachLora } from '../../src/peft/lora.ts'
import { mergeLora } from '../../src/peft/merge.ts'
import type { Slice } from '../../src/peft/slice.ts'
import { HEAD_WEIGHT, headSlice, sliceOf, textClassifier } from '../../src/train/classifier.ts'
import type { Classifier } from '../../src/train/classifier.ts'
import { withGradients } from '../../src/train/gradients.ts'
import { predict, trainStep } from '../../src/train/step.ts'
import type { StepOptions } from '../../src/train/gradients.ts'
import { close, EPS, sameBits } from '../support/close.ts'
import { encoderOf } from '../support/golden.ts'
import { rng } from '../support/rng.ts'
import { LABELS, SEQUENCES, snapshot, TARGETS, tinyTask } from '../support/tasks.ts'

const most = (x: ArrayLike<number>) => Array.from(x).reduce((top, v) => Math.max(top, Math.abs(v)), 0)

function gradients(task: Classifier, slice: Slice, options: StepOptions = {}, sequences = SEQUENCES, targets = TARGETS) {
  const { arena } = task.encoder.engine
  return withGradients(task, task.pack(sequences), targets, slice, options, (addresses, { loss }) => ({
    loss, values: slice.parts.map(part => arena.f32(addresses.get(part)!, (part.to - part.from) * part.columns).slice()),
  }))
}

test('initial values as PEFT: A uniform in +-1/sqrt(inputs) from seed and site, B zero', async () => {
  const task = await tinyTask({ zeroB: true, rank: 16, sites: ['query', 'output.dense'] })
  const again = await tinyTask({ zeroB: true, rank: 16, sites: ['query', 'output.dense'] })
  const other = await tinyTask({ zeroB: true, rank: 16, sites: ['query', 'output.dense'], seed: 4 })
  assert.is(task.adapter!.pairs.length, 6)
  task.adapter!.pairs.forEach(({ site, A, Bt }, i) => {
    const { inputs, outputs } = site.weight, values = A.read(), bound = 1 / Math.sqrt(inputs), n = values.length
    assert.equal([A.shape, Bt.shape], [[16, inputs], [16, outputs]])
    sameBits(Bt.read(), new Float32Array(16 * outputs), 'B')
    sameBits(values, again.adapter!.pairs[i].A.read(), 'same seed')
    assert.not.equal(values, other.adapter!.pairs[i].A.read(), 'other seed')
    if (i > 0) assert.not.equal(values.slice(0, 48), task.adapter!.pairs[0].A.read().slice(0, 48), 'other site')
    assert.ok(most(values) <= bound && most(values) > 0.98 * bound, 'range')
    // mean 0 and variance bound^2 / 3, five standard errors
    assert.ok(Math.abs(values.reduce((sum, x) => sum + x, 0) / n) < 5 * bound / Math.sqrt(3 * n), 'mean')
    assert.ok(Math.abs(values.reduce((sum, x) => sum + x * x, 0) / n - bound ** 2 / 3) < 5 * bound ** 2 * Math.sqrt(4 / 45 / n), 'variance')
  })
})

test('B = 0: the logits of the base model, bit for bit, at every rank; with B they differ', async () => {
  const base = await tinyTask({ base: true }), task = await tinyTask({ zeroB: true }), batch = base.pack(SEQUENCES)
  const expected = predict(base, batch)
  for (let b = 1; b <= 4; b++) sameBits(predict(task, batch, b), expected, `rank ${b}`)
  assert.not.equal(predict(await tinyTask(), batch), expected)
})

for (const scaling of ['alpha/r', 'alpha/sqrt(r)'] as const) {
  test(`${scaling}: a prefix b is plain LoRA of rank b with the first b rows, bit for bit, b = R included; rows from b on are not read`, async () => {
    const task = await tinyTask({ scaling }), batch = task.pack(SEQUENCES)
    for (let b = 1; b <= 4; b++) {
      const plain = await tinyTask({ rank: b, scaling, zeroB: true })
      plain.adapter!.pairs.forEach(({ A, Bt }, i) => {
        A.write(task.adapter!.pairs[i].A.read(0, b))
        Bt.write(task.adapter!.pairs[i].Bt.read(0, b))
      })
      sameBits(predict(plain, batch), predict(task, batch, b), `rank ${b}`)
      const [one, two] = [gradients(plain, sliceOf(plain)), gradients(task, sliceOf(task, { rank: b }))]
      assert.is(one.loss, two.loss)
      one.values.forEach((values, i) => sameBits(two.values[i], values, `rank ${b}: gradient ${i}`))
    }
    const before = predict(task, batch, 2), loss = gradients(task, sliceOf(task, { rank: 2 })).loss
    for (const { A, Bt } of task.adapter!.pairs) for (const factor of [A, Bt]) factor.write(new Float32Array(2 * factor.columns).fill(NaN), 2)
    sameBits(predict(task, batch, 2), before, 'NaN beyond the prefix')
    assert.is(gradients(task, sliceOf(task, { rank: 2 })).loss, loss)
    assert.throws(() => predict(task, batch, 3), (error: Error) => error instanceof NumericError)
  })
}

for (const format of ['f32', 'f16', 'bf16', 'trainable'] as const) {
  test(`${format}: the merged model's logits are the adapter's within the format's rounding of W + s B A; unmerging restores every bit, logits included`, async () => {
    const encoder = await encoderOf('test/fixtures/tiny-bert', format === 'trainable' ? { trainable: true } : { format: format as WeightFormat })
    const adapter = attachLora(encoder, { rank: 4, alpha: 8, sites: ['query', 'value', 'output.dense', 'intermediate.dense'], seed: 3 })
    const random = rng(5)
    for (const { Bt } of adapter.pairs) Bt.write(random.f32(Bt.length, 0.1))
    const head = { weight: random.f32(3 * 48, 0.2), bias: random.f32(3, 0.2) }
    const task = textClassifier({ encoder, labels: LABELS, adapter, head }), base = textClassifier({ encoder, labels: LABELS, head })
    const batch = task.pack(SEQUENCES), before = snapshot(task), plain = predict(base, batch)
    // unit of the format, relative: a merged weight is off by half of it; the roundings of the 48 to 72 terms of a sum and
    // of its layers are independent, so that a logit moves by about one (measured: 0.5 to 1.3); 8 leaves room
    const unit = format === 'f16' ? 2 ** -11 : format === 'bf16' ? 2 ** -8 : 2 * EPS
    for (const b of [4, 2]) {
      const expected = predict(task, batch, b)
      const unmerge = mergeLora(encoder.engine, adapter, b)
      const merged = predict(base, batch)
      close(merged, expected, 8 * unit * most(expected), `rank ${b}`)
      assert.ok(most(merged.map((x, i) => x - plain[i])) > 0.05, 'the adapter shows')
      for (const site of encoder.sites) {
        const changed = adapter.pairs.some(pair => pair.site === site)
        assert.is(site.weight.read().some((x, i) => x !== before.get(`${site.name} (frozen)`)![i]), changed, site.name)
      }
      unmerge()
      for (const [name, values] of snapshot(task)) sameBits(values, before.get(name)!, name)
      sameBits(predict(base, batch), plain, 'logits')
      unmerge()
      sameBits(predict(base, batch), plain, 'unmerging twice changes nothing')
    }
  })
}

test('merging factors that are not finite is an error that names the site and leaves every weight as it was', async () => {
  const task = await tinyTask(), before = snapshot(task), { pairs } = task.adapter!
  const bad = pairs[pairs.length - 1].Bt, good = bad.read()
  bad.write(good.map(() => Infinity))
  assert.throws(() => mergeLora(task.encoder.engine, task.adapter!), (error: Error) =>
    error instanceof NumericError && error.operation === 'merge' && error.layer === pairs[pairs.length - 1].site.name)
  bad.write(good)
  for (const [name, values] of snapshot(task)) sameBits(values, before.get(name)!, name)
})

test('the gradients of single examples sum to the batch\'s within 300 roundings of their sizes (no example knows its neighbours)', async () => {
  const task = await tinyTask()
  for (const rank of [4, 2]) {
    const slice = sliceOf(task, { rank }), batch = gradients(task, slice)
    const single = SEQUENCES.map((sequence, i) => gradients(task, slice, {}, [sequence], TARGETS.slice(i, i + 1)))
    close([batch.loss], [single.reduce((sum, { loss }) => sum + loss, 0) / SEQUENCES.length], 4 * EPS * batch.loss, 'loss')
    slice.parts.forEach((part, i) => {
      const sum = batch.values[i].map((_, j) => single.reduce((total, { values }) => total + values[i][j], 0) / SEQUENCES.length)
      const size = single.reduce((total, { values }) => total + most(values[i]), 0) / SEQUENCES.length
      close(batch.values[i], sum, 300 * EPS * size, `rank ${rank}: ${part.tensor}`)
    })
  }
})

for (const [name, make] of [
  ['sgd with momentum and decay', () => sgd({ learningRate: 0.1, momentum: 0.9, weightDecay: 0.1 })],
  ['adamw', () => adamw({ learningRate: 0.01, weightDecay: 0.1 })],
] as const) {
  test(`${name}: every slice (prefix or row, factors A, B or both, with and without head, b = 1..R) moves exactly its rows; frozen weights and tables keep every bit`, async () => {
    const task = await tinyTask(), optimizer = make(), batch = task.pack(SEQUENCES)
    for (const variant of ['prefix', 'row'] as const) {
      for (const factors of ['both', 'A', 'B'] as const) {
        for (let rank = 1; rank <= 4; rank++) {
          const head = (rank + factors.length) % 2 === 0, slice = sliceOf(task, { rank, variant, factors, head })
          const before = snapshot(task)
          trainStep(task, batch, TARGETS, slice, optimizer, { dropout: { rate: 0.1, key: [rank, 2] } })
          const inside = new Map(slice.parts.map(part => [part.tensor, part]))
          assert.is(slice.parts.some(part => part.tensor === HEAD_WEIGHT), head)
          for (const [tensor, now] of snapshot(task)) {
            const part = inside.get(tensor), then = before.get(tensor)!
            const from = part ? part.from * part.columns : 0, to = part ? part.to * part.columns : 0
            let moved = 0
            now.forEach((x, i) => {
              if (Object.is(x, then[i])) return
              moved++
              if (i < from || i >= to) assert.unreachable(`${variant} ${factors} ${rank}: ${tensor}[${i}] moved`)
            })
            assert.ok(moved >= 0.9 * (to - from), `${variant} ${factors} ${rank}: ${tensor} moves`)
          }
          const rows = slice.parts.filter(part => !part.tensor.startsWith('head.'))
          assert.ok(rows.every(part => part.from === (variant === 'row' ? rank - 1 : 0) && part.to === rank))
          assert.is(rows.length, task.adapter!.pairs.length * (factors === 'both' ? 2 : 1))
        }
      }
    }
  })
}

test('row b has the gradient that the whole prefix gives it, and reads the whole prefix', async () => {
  const task = await tinyTask()
  for (let rank = 1; rank <= 4; rank++) {
    const prefix = sliceOf(task, { rank }), row = sliceOf(task, { rank, variant: 'row' }), all = gradients(task, prefix), one = gradients(task, row)
    assert.is(one.loss, all.loss)
    row.parts.forEach((part, i) => {
      const from = prefix.parts[i].tensor.startsWith('head.') ? 0 : (rank - 1) * part.columns
      sameBits(one.values[i], all.values[i].subarray(from, from + one.values[i].length), `rank ${rank}: ${part.tensor}`)
    })
  }
})

test('dropout: the same key gives the same bits in loss and gradient and in the scalar build, another key or rate others; rate 0 is none', async () => {
  const task = await tinyTask(), slice = sliceOf(task)
  const at = (rate: number, a: number, b: number) => gradients(task, slice, { dropout: { rate, key: [a, b] } })
  const first = at(0.3, 5, 6), again = at(0.3, 5, 6), none = gradients(task, slice)
  assert.is(again.loss, first.loss)
  first.values.forEach((values, i) => sameBits(again.values[i], values, 'replay'))
  assert.is(at(0, 5, 6).loss, none.loss)
  assert.is(new Set([first.loss, none.loss, at(0.3, 5, 7).loss, at(0.3, 6, 6).loss, at(0.31, 5, 6).loss]).size, 5)
  const scalar = textClassifier({
    encoder: await encoderOf('test/fixtures/tiny-bert', { variant: 'scalar' }), labels: LABELS,
  })
  const simd = await tinyTask({ base: true })
  for (const [name, tensor] of scalar.parameters) tensor.write(simd.parameters.get(name)!.read())
  const [one, two] = [simd, scalar].map(each => gradients(each, headSlice(each), { dropout: { rate: 0.3, key: [5, 6] } }))
  assert.is(one.loss, two.loss)
  one.values.forEach((values, i) => sameBits(two.values[i], values, 'scalar'))
})

test('with dropout the gradient is that of the masked loss: differences along random directions agree within 1 %', async () => {
  const task = await tinyTask(), slice = sliceOf(task, { head: false }), options = { dropout: { rate: 0.2, key: [9, 9] as const } }
  const { values } = gradients(task, slice, options), h = 2e-3
  for (let seed = 0; seed < 3; seed++) {
    const random = rng(seed), start = slice.parts.map(part => task.parameters.get(part.tensor)!.read())
    const direction = values.map(each => random.f32(each.length, 0.1).map((x, i) => x + each[i]))
    const move = (s: number) => slice.parts.forEach((part, i) => task.parameters.get(part.tensor)!.write(start[i].map((x, j) => x + s * direction[i][j])))
    move(h)
    const above = gradients(task, slice, options).loss
    move(-h)
    const below = gradients(task, slice, options).loss
    move(0)
    const slope = values.reduce((sum, each, i) => sum + each.reduce((part, g, j) => part + g * direction[i][j], 0), 0)
    close([(above - below) / (2 * h)], [slope], 0.01 * Math.abs(slope), `direction ${seed}`)
  }
})

test('sites that the model has not, ranks and scales out of range, and unknown options are errors that say what there is', async () => {
  const { encoder, adapter } = await tinyTask(), config = { rank: 4, alpha: 8, sites: ['query'] }
  assert.throws(() => attachLora(encoder, { ...config, sites: ['q_lin'] }), /"sites" expected names of linear layers of this bert model \(ends of names: attention\.self\.query, .*\), got "q_lin"/)
  assert.throws(() => attachLora(encoder, { ...config, sites: ['uery'] }), /got "uery"/)
  assert.throws(() => attachLora(encoder, { ...config, sites: [] }), /"sites" expected at least one name/)
  assert.throws(() => attachLora(encoder, { ...config, rank: 0 }), /"rank" expected an integer from 1 to 4096, got 0/)
  assert.throws(() => attachLora(encoder, { ...config, alpha: 0 }), /"alpha" expected a finite number/)
  assert.throws(() => attachLora(encoder, { ...config, dropout: 0.1 } as never), /got the unknown option "dropout"/)
  assert.throws(() => adapter!.at(5), /"rank" expected an integer from 1 to 4, got 5/)
  assert.throws(() => adapter!.parts(2, 2), /"from" expected an integer from 0 to 1, got 2/)
})

test.run()
