import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { linearClassifierTrain } from '../reference/linear-classifier.ts'
import { bench, variants } from '../support/kernels.ts'
import { rng } from '../support/rng.ts'

const ROWS = 9, GUARD = 16

for (const variant of variants) {
  const b = await bench(variant, 64)

  test(`${variant}: linear_classifier_train for V 2..17 and K 1..400 is within 1e-5 of doubles, and writes nothing else`, () => {
    for (const [V, K] of [[2, 1], [3, 5], [4, 4], [5, 8], [8, 33], [9, 12], [10, 400], [12, 3], [17, 21]]) {
      for (const [epochs, count, batch] of [[1, 7, 3], [2, 5, 5], [1, 1, 1], [2, 9, 4]]) {
        b.reset()
        const random = rng(V * 1000 + K * 10 + count)
        const table = random.f32(ROWS * K), weight = random.f32(V * K, 0.1), bias = random.f32(V, 0.1)
        const ids = Int32Array.from({ length: epochs * count }, () => random.int(0, ROWS - 1)), targets = Int32Array.from(ids, () => random.int(0, V - 1))
        const guarded = (n: number) => b.out(n + 2 * GUARD) + 4 * GUARD
        const w = guarded(V * K), c = guarded(V), loss = guarded(2), scratch = b.k.linear_classifier_scratch(batch, V, K)
        b.write(w, weight)
        b.write(c, bias)
        const x = b.put(table), i = b.put(ids), t = b.put(targets), space = (b.space(scratch + 64) + 63) & ~63, end = b.out(GUARD)
        assert.is(b.k.linear_classifier_train(w, c, x, i, t, epochs, count, batch, V, K, 0.05, loss, space), 1)
        const expected = linearClassifierTrain({ weight, bias }, table, ids, targets, epochs, count, batch, V, K, 0.05)
        const near = (got: Float32Array, want: Float64Array, what: string) => got.forEach((value, n) => {
          assert.ok(Math.abs(value - want[n]) <= 1e-5 * Math.max(1, Math.abs(want[n])), `${what}[${n}] of [${V}, ${K}]: ${value}, ${want[n]}`)
        })
        near(b.f32(w, V * K), expected.weight, 'weight')
        near(b.f32(c, V), expected.bias, 'bias')
        const sum = new Float64Array(b.f32(loss, 2).buffer)[0]
        assert.ok(Math.abs(sum - expected.loss) <= 1e-5 * Math.max(1, expected.loss), `loss ${sum}, ${expected.loss}`)
        for (const [ptr, n] of [[w, V * K], [c, V], [loss, 2]]) {
          for (const at of [ptr - 4 * GUARD, ptr + 4 * n]) assert.ok(b.f32(at, GUARD).every(value => value === 12345), `a guard at [${V}, ${K}]`)
        }
        assert.ok(b.f32(end, GUARD).every(value => value === 12345), `behind the scratch at [${V}, ${K}]`)
      }
    }
  })

  test(`${variant}: 0, and weights, bias and loss as they were, where a number is not finite or a gradient is 2^40`, () => {
    const V = 3, K = 6, ids = Int32Array.of(0, 1, 2, 3), targets = Int32Array.of(0, 1, 2, 0)
    const give = (spoil: (table: Float32Array, weight: Float32Array, bias: Float32Array) => void) => {
      b.reset()
      const table = rng(5).f32(4 * K), weight = rng(6).f32(V * K), bias = rng(7).f32(V)
      spoil(table, weight, bias)
      const w = b.put(weight), c = b.put(bias), loss = b.out(2), space = (b.space(b.k.linear_classifier_scratch(2, V, K) + 64) + 63) & ~63
      const done = b.k.linear_classifier_train(w, c, b.put(table), b.put(ids), b.put(targets), 1, 4, 2, V, K, 0.5, loss, space)
      const same = [...b.i32(w, V * K)].join() === [...new Int32Array(weight.buffer)].join() && [...b.i32(c, V)].join() === [...new Int32Array(bias.buffer)].join()
      return { done, same: same && b.f32(loss, 2).every(value => value === 12345) }
    }
    assert.equal(give(() => {}), { done: 1, same: false })
    for (const spoil of [
      (table: Float32Array) => { table[3 * K + 2] = NaN }, (table: Float32Array) => { table[0] = Infinity },
      (_: Float32Array, weight: Float32Array) => { weight[V * K - 1] = -Infinity }, (_: Float32Array, __: Float32Array, bias: Float32Array) => { bias[1] = NaN },
      (table: Float32Array, weight: Float32Array) => { weight.fill(0); table.fill(2 ** 44) },
    ]) assert.equal(give(spoil), { done: 0, same: true })
  })
}

test.run()
