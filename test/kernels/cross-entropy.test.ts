import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { both } from '../support/both.ts'
import { close, EPS } from '../support/close.ts'
import { checkGradient } from '../support/gradient.ts'
import { rng } from '../support/rng.ts'
import * as reference from '../reference/cross-entropy.ts'

const run = await both()
const M = 4

test('cross_entropy within (V/4 + 8) roundings, every remainder of V, same bits in both builds', () => {
  for (const V of [1, 2, 3, 4, 5, 6, 7, 8, 9, 30, 1003]) {
    const random = rng(V)
    const logits = random.f32(M * V, 3), targets = Int32Array.from({ length: M }, () => random.int(0, V - 1))
    const { loss, probs } = reference.crossEntropyForward(logits, targets, M, V)
    const scale = Math.fround(1 / M), saved = Float32Array.from(probs)
    const got = run(`cross_entropy ${V}`, ({ k, put, out, change }) => {
      const at = put(targets)
      k.cross_entropy_forward(out('loss', M), out('probs', M * V), put(logits), at, M, V)
      const over = change('probs over logits', logits)
      k.cross_entropy_forward(out('loss in place', M), over, over, at, M, V)
      k.cross_entropy_backward(out('dlogits', M * V), put(saved), at, scale, M, V)
      const d = change('dlogits over probs', saved)
      k.cross_entropy_backward(d, d, at, scale, M, V)
    })
    // x - max is at most 36 and rounded once: e^ of it is off by that rounding, exp by 2 more
    const most = 2 * Math.max(...logits.map(Math.abs)), error = (V / 4 + 8) * EPS
    close(got.probs, probs, (i) => (error + most * EPS) * probs[i], 'probs')
    close(got.loss, loss, (m) => error + most * EPS + 3 * EPS * Math.abs(loss[m]), 'loss')
    const dlogits = reference.crossEntropyBackward(saved, targets, scale, M, V)
    close(got.dlogits, dlogits, (i) => 2 * EPS * Math.abs(dlogits[i]), 'dlogits')
    assert.equal(got['probs over logits'], got.probs)
    assert.equal(got['loss in place'], got.loss)
    assert.equal(got['dlogits over probs'], got.dlogits)
  }
})

test('logits of 1e30 do not overflow, a NaN or +infinity reaches the loss of its row alone', () => {
  const V = 6, logits = new Float32Array(4 * V).map((_, i) => i % 5)
  logits[2] = 1e30
  logits[V + 1] = NaN
  logits[2 * V] = Infinity
  const got = run('extremes', ({ k, put, out }) => {
    k.cross_entropy_forward(out('loss', 4), out('probs', 4 * V), put(logits), put(new Int32Array([2, 0, 3, 1])), 4, V)
  })
  assert.is(got.loss[0], 0)
  assert.is(got.probs[2], 1)
  assert.ok(Number.isNaN(got.loss[1]) && Number.isNaN(got.loss[2]))
  assert.ok(got.loss[3] > 0 && got.loss[3] < 10)
})

test('the reference gradient agrees with differences', () => {
  const V = 5, logits = rng(8).f32(M * V), targets = new Int32Array([0, 4, 2, 2])
  const mean = (x: Float64Array) => reference.crossEntropyForward(x, targets, M, V).loss.reduce((a, b) => a + b) / M
  const { probs } = reference.crossEntropyForward(logits, targets, M, V)
  checkGradient(mean, logits, reference.crossEntropyBackward(probs, targets, 1 / M, M, V))
})

test.run()
