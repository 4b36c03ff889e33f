import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { both } from '../support/both.ts'
import { close, EPS } from '../support/close.ts'
import { checkGradient, dot } from '../support/gradient.ts'
import { rng } from '../support/rng.ts'
import * as reference from '../reference/pool.ts'

const run = await both()
const offsets = new Int32Array([0, 1, 4, 5, 22, 30])
const S = offsets.length - 1, T = offsets[S]

test('mean_pool: a sum of L rows within L roundings, backward one rounding; all remainders of C', () => {
  for (const C of [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 64, 131]) {
    const x = rng(C).f32(T * C), dy = rng(C + 500).f32(S * C)
    const got = run(`mean_pool ${C}`, ({ k, put, out }) => {
      const at = put(offsets)
      k.mean_pool_forward(out('y', S * C), put(x), at, S, C)
      k.mean_pool_backward(out('dx', T * C), put(dy), at, S, C)
    })
    const most = Math.max(0, ...x.map(Math.abs))
    close(got.y, reference.meanPoolForward(x, offsets, S, C), (i) => {
      const s = Math.floor(i / C)
      return (offsets[s + 1] - offsets[s]) * EPS * most
    }, 'y')
    const dx = reference.meanPoolBackward(dy, offsets, S, C)
    close(got.dx, dx, (i) => EPS * Math.abs(dx[i]), 'dx')
  }
})

test('first_token_pool copies the first row of each sequence; its backward zeroes the other rows', () => {
  for (const C of [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 64, 131]) {
    const x = rng(C).f32(T * C), dy = rng(C + 500).f32(S * C)
    const got = run(`first_token_pool ${C}`, ({ k, put, out }) => {
      const at = put(offsets)
      k.first_token_pool_forward(out('y', S * C), put(x), at, S, C)
      k.first_token_pool_backward(out('dx', T * C), put(dy), at, S, C)
    })
    close(got.y, reference.firstTokenPoolForward(x, offsets, S, C), 0)
    close(got.dx, reference.firstTokenPoolBackward(dy, offsets, S, C), 0)
  }
})

test('offsets that begin past zero: rows before the first sequence are not written', () => {
  const late = new Int32Array([2, 4, 5]), C = 5
  const dy = rng(1).f32(2 * C)
  const got = run('late', ({ k, put, out }) => {
    k.mean_pool_backward(out('mean', 5 * C), put(dy), put(late), 2, C)
    k.first_token_pool_backward(out('first', 5 * C), put(dy), put(late), 2, C)
  })
  for (const dx of [got.mean, got.first]) {
    assert.ok(dx.subarray(0, 2 * C).every((v) => v === 12345))
    assert.not(dx.subarray(2 * C).includes(12345))
  }
})

test('the reference gradients agree with differences', () => {
  const C = 3, x = rng(1).f32(T * C), dy = rng(2).f32(S * C)
  const mean = reference.meanPoolBackward(dy, offsets, S, C)
  const first = reference.firstTokenPoolBackward(dy, offsets, S, C)
  checkGradient((v) => dot(reference.meanPoolForward(v, offsets, S, C), dy), x, mean, 'mean')
  checkGradient((v) => dot(reference.firstTokenPoolForward(v, offsets, S, C), dy), x, first, 'first')
})

test.run()
