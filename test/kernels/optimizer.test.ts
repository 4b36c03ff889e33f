import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { both } from '../support/both.ts'
import { close, EPS } from '../support/close.ts'
import { rng } from '../support/rng.ts'
import * as reference from '../reference/optimizer.ts'

const run = await both()
const lengths = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 30, 1001]
const STEPS = 10

type Sgd = ReturnType<typeof reference.sgdStep>
type AdamW = ReturnType<typeof reference.adamwStep>

// a step adds a few roundings of the numbers it handles, all below `size`; errors add up over the steps
const bound = (size: number) => STEPS * 8 * EPS * size

for (const [momentum, weightDecay] of [[0, 0], [0.9, 0], [0, 0.1], [0.5, 0.01]]) {
  const title = `sgd_step, momentum ${momentum}, decay ${weightDecay}`
  test(`${title}: ten steps within 80 roundings, same bits in both builds`, () => {
    for (const n of lengths) {
      const random = rng(n)
      const param = random.f32(n), grads = Array.from({ length: STEPS }, () => random.f32(n))
      const got = run(`sgd ${n}`, ({ k, put, change }) => {
        const p = change('param', param), v = change('velocity', new Float32Array(n))
        for (const grad of grads) k.sgd_step(p, v, put(grad), n, 0.05, momentum, weightDecay)
      })
      let state: Sgd = { param: Float64Array.from(param), velocity: new Float64Array(n) }
      for (const grad of grads) {
        state = reference.sgdStep(state.param, state.velocity, grad, 0.05, momentum, weightDecay)
      }
      close(got.param, state.param, bound(16), 'param')
      if (momentum) close(got.velocity, state.velocity, bound(40), 'velocity')
      else assert.ok(got.velocity.every((v) => v === 0), 'velocity stays unwritten without momentum')
    }
  })
}

test('sgd_step without momentum needs no velocity: pointer 0 is not touched', () => {
  const param = rng(1).f32(9), grad = rng(2).f32(9)
  run('no velocity', ({ k, put, change, out }) => {
    const before = out('low before', 16), after = out('low after', 16)
    k.copy(before, 0, 16)
    k.sgd_step(change('param', param), 0, put(grad), 9, 0.1, 0, 0.1)
    k.copy(after, 0, 16)
    k.axpy(before, after, -1, 16)
    assert.is(k.max_abs(before, 16), 0)
  })
})

for (const weightDecay of [0, 0.01]) {
  test(`adamw_step, decay ${weightDecay}: ten steps within 80 roundings, same bits in both builds`, () => {
    const [lr, beta1, beta2, eps] = [1e-2, 0.9, 0.999, 1e-8]
    const corrections = (t: number) => [1 - beta1 ** (t + 1), 1 - beta2 ** (t + 1)] as const
    for (const n of lengths) {
      const random = rng(n + 77)
      const param = random.f32(n), grads = Array.from({ length: STEPS }, () => random.f32(n))
      const got = run(`adamw ${n}`, ({ k, put, change }) => {
        const p = change('param', param), m = change('m', new Float32Array(n)), v = change('v', new Float32Array(n))
        grads.forEach((grad, t) => {
          k.adamw_step(p, m, v, put(grad), n, lr, beta1, beta2, eps, weightDecay, ...corrections(t))
        })
      })
      let state: AdamW = { param: Float64Array.from(param), m: new Float64Array(n), v: new Float64Array(n) }
      grads.forEach((grad, t) => {
        const { param, m, v } = state
        state = reference.adamwStep(param, m, v, grad, lr, beta1, beta2, eps, weightDecay, ...corrections(t))
      })
      close(got.param, state.param, bound(6), 'param')
      close(got.m, state.m, bound(5), 'm')
      // relative: 1 - beta2 rounded from f64 costs one rounding, from f32 it would cost 200
      close(got.v, state.v, (i) => bound(state.v[i]), 'v')
    }
  })
}

test('adamw_step: a gradient of zero moves nothing without decay, not one bit', () => {
  const param = rng(5).f32(13), zeros = new Float32Array(13)
  const got = run('zero gradient', ({ k, put, change }) => {
    const p = change('param', param), m = change('m', zeros), v = change('v', zeros)
    k.adamw_step(p, m, v, put(zeros), 13, 1e-3, 0.9, 0.999, 1e-8, 0, 0.1, 0.001)
  })
  assert.equal(got.param, param)
})

test.run()
