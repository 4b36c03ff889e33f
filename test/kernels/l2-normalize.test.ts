import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { both } from '../support/both.ts'
import { close, EPS } from '../support/close.ts'
import { checkGradient, dot } from '../support/gradient.ts'
import { rng } from '../support/rng.ts'
import * as reference from '../reference/l2-normalize.ts'

const run = await both()
const M = 3, SMALL = Math.fround(1e-12)

test('l2_normalize forward and backward within (C/4 + 6) roundings, every remainder, same bits in both builds', () => {
  for (const C of [1, 2, 3, 4, 5, 6, 7, 8, 9, 30, 384, 1023]) {
    const x = rng(C).f32(M * C), dy = rng(C + 9).f32(M * C)
    const { y, norm } = reference.l2NormalizeForward(x, M, C, SMALL)
    const savedY = Float32Array.from(y), savedNorm = Float32Array.from(norm)
    const got = run(`l2_normalize ${C}`, ({ k, put, out, change }) => {
      k.l2_normalize_forward(out('y', M * C), out('norm', M), put(x), M, C, SMALL)
      const over = change('y over x', x)
      k.l2_normalize_forward(over, out('n', M), over, M, C, SMALL)
      k.l2_normalize_backward(out('dx', M * C), put(dy), put(savedY), put(savedNorm), M, C)
      const dx = change('dx over dy', dy)
      k.l2_normalize_backward(dx, dx, put(savedY), put(savedNorm), M, C)
    })
    const error = (C / 4 + 6) * EPS
    close(got.norm, norm, (m) => error * norm[m], 'norm')
    close(got.y, y, (i) => error * Math.abs(y[i]), 'y')
    // sum(dy y) has C terms of at most max|dy| |y|, and |y| has length 1
    const most = Math.max(...dy.map(Math.abs)) * Math.sqrt(C)
    const dx = reference.l2NormalizeBackward(dy, savedY, savedNorm, M, C)
    close(got.dx, dx, (i) => error * (2 * most + Math.abs(dy[i])) / norm[Math.floor(i / C)], 'dx')
    assert.equal(got['y over x'], got.y)
    assert.equal(got['dx over dy'], got.dx)
  }
})

test('a row shorter than eps is divided by eps, and its gradient too; a zero row gives zeros', () => {
  const C = 5, eps = 0.5
  const x = new Float32Array(3 * C).map((_, i) => i < C ? 0 : i < 2 * C ? 0.0625 : 1), dy = rng(1).f32(3 * C)
  const got = run('short', ({ k, put, out }) => {
    const y = out('y', 3 * C), norm = out('norm', 3)
    k.l2_normalize_forward(y, norm, put(x), 3, C, eps)
    k.l2_normalize_backward(out('dx', 3 * C), put(dy), y, norm, 3, C)
  })
  assert.equal([...got.y.subarray(0, 2 * C)], [0, 0, 0, 0, 0, 0.125, 0.125, 0.125, 0.125, 0.125])
  assert.equal(got.dx.subarray(0, 2 * C), dy.subarray(0, 2 * C).map((v) => v * 2))
  assert.is(got.norm[0], -eps)
  assert.ok(got.norm[2] > 2.2)
})

test('the reference gradient agrees with differences, for long and for short rows', () => {
  const C = 6, x = rng(2).f32(M * C), dy = rng(3).f32(M * C)
  for (const eps of [1e-12, 100]) {
    const { y, norm } = reference.l2NormalizeForward(x, M, C, eps)
    const gradient = reference.l2NormalizeBackward(dy, y, norm, M, C)
    checkGradient((v) => dot(reference.l2NormalizeForward(v, M, C, eps).y, dy), x, gradient, `eps ${eps}`)
  }
})

test.run()
