import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { both } from '../support/both.ts'
import { close, EPS } from '../support/close.ts'
import { checkGradient, dot } from '../support/gradient.ts'
import { rng } from '../support/rng.ts'
import * as reference from '../reference/layer-norm.ts'
import type { Vec } from '../reference/vec.ts'

const run = await both()
const EPSILON = Math.fround(1e-5)

/** A row sum of C terms: C / 4 roundings in each partial sum and a handful around it. */
const rowError = (C: number) => (C / 4 + 12) * EPS

/** Inputs of one shape; rows are wide enough apart that rstd stays below 4. */
function inputs(M: number, C: number) {
  const random = rng(M * 1000 + C)
  const x = random.f32(M * C, 2)
  // a row of one element has no deviation: eps alone decides, 1 / sqrt(1e-5)
  return {
    x, residual: random.f32(M * C), weight: random.f32(C).map((v) => v + 1), bias: random.f32(C), dy: random.f32(M * C),
  }
}

const shapes = [
  [1, 1], [2, 2], [3, 3], [2, 4], [3, 5], [2, 6], [1, 7], [3, 8], [2, 9], [0, 4], [5, 30], [3, 384], [2, 1023],
]

for (const added of [false, true]) {
  const name = added ? 'add_layer_norm_forward' : 'layer_norm_forward'
  test(`${name} within (C/4 + 12) roundings of the largest term, same bits in both builds`, () => {
    for (const [M, C] of shapes) {
      const { x, residual, weight, bias } = inputs(M, C)
      const got = run(`${name} [${M}, ${C}]`, ({ k, put, out }) => {
        const y = out('y', M * C)
        const sum = added ? [out('sum', M * C)] : []
        const input = added ? [put(x), put(residual)] : [put(x)]
        k[name](y, ...sum, out('mean', M), out('rstd', M), ...input, put(weight), put(bias), M, C, EPSILON)
      })
      // the sum itself is one rounding: the norm is checked from the rounded one
      const sum = added ? Float32Array.from(x, (v, i) => v + residual[i]) : x
      if (added) {
        assert.equal(got.sum, sum)
        const twin = reference.addLayerNormForward(x, residual, weight, bias, M, C, EPSILON)
        close(sum, twin.sum, (i) => EPS * Math.abs(sum[i]))
      }
      const expected = reference.layerNormForward(sum, weight, bias, M, C, EPSILON)
      const most = Math.max(1, ...sum.map(Math.abs))
      close(got.mean, expected.mean, rowError(C) * most, 'mean')
      close(got.rstd, expected.rstd, (m) => {
        const rstd = expected.rstd[m]
        return rowError(C) * most ** 2 * rstd ** 3 + 4 * EPS * rstd
      }, 'rstd')
      // h = (x - mean) rstd moves by the errors of mean and of rstd
      close(got.y, expected.y, (i) => {
        const h = most * expected.rstd[Math.floor(i / C)], w = Math.abs(weight[i % C])
        return rowError(C) * h * (1 + h * h) * w + 4 * EPS * (1 + Math.abs(expected.y[i]) + Math.abs(bias[i % C]))
      }, 'y')
    }
  })
}

test('layer_norm_backward and _params within the roundings of their sums, same bits in both builds', () => {
  for (const [M, C] of shapes) {
    const { x, weight, bias, dy } = inputs(M, C)
    const saved = reference.layerNormForward(x, weight, bias, M, C, EPSILON)
    const mean = Float32Array.from(saved.mean), rstd = Float32Array.from(saved.rstd)
    const got = run(`layer_norm_backward [${M}, ${C}]`, ({ k, put, out, change }) => {
      const at = { dy: put(dy), x: put(x), mean: put(mean), rstd: put(rstd) }
      k.layer_norm_backward(out('dx', M * C), at.dy, at.x, at.mean, at.rstd, put(weight), M, C)
      const zeros = new Float32Array(C)
      k.layer_norm_backward_params(change('dweight', zeros), change('dbias', zeros), at.dy, at.x, at.mean, at.rstd, M, C)
    })
    const dx = reference.layerNormBackward(dy, x, mean, rstd, weight, M, C)
    const params = reference.layerNormBackwardParams(dy, x, mean, rstd, M, C)
    const g = Math.max(1, ...dy.map((v, i) => Math.abs(v * weight[i % C])))
    const h = Math.max(1, ...x.map((v, i) => Math.abs((v - mean[Math.floor(i / C)]) * rstd[Math.floor(i / C)])))
    close(got.dx, dx, (i) => rowError(C) * rstd[Math.floor(i / C)] * g * (1 + h * h), 'dx')
    const most = Math.max(1, ...dy.map(Math.abs))
    close(got.dweight, params.dweight, (M + 4) * EPS * M * most * h, 'dweight')
    close(got.dbias, params.dbias, (M + 1) * EPS * M * most, 'dbias')
  }
})

test('layer norm over its input, and dx over dy, give the same bits', () => {
  const M = 3, C = 21, { x, residual, weight, bias, dy } = inputs(M, C)
  const got = run('in place', ({ k, put, out, change }) => {
    const w = put(weight), b = put(bias), mean = out('mean', M), rstd = out('rstd', M)
    k.layer_norm_forward(out('y', M * C), mean, rstd, put(x), w, b, M, C, EPSILON)
    const y = change('y over x', x)
    k.layer_norm_forward(y, out('m', M), out('r', M), y, w, b, M, C, EPSILON)
    const added = [put(residual), w, b, M, C, EPSILON]
    k.add_layer_norm_forward(out('y2', M * C), out('sum', M * C), out('m2', M), out('r2', M), put(x), ...added)
    const sum = change('sum over x', x)
    k.add_layer_norm_forward(out('y3', M * C), sum, out('m3', M), out('r3', M), sum, ...added)
    k.layer_norm_backward(out('dx', M * C), put(dy), put(x), mean, rstd, w, M, C)
    const dx = change('dx over dy', dy)
    k.layer_norm_backward(dx, dx, put(x), mean, rstd, w, M, C)
  })
  assert.equal(got['y over x'], got.y)
  assert.equal(got['sum over x'], got.sum)
  assert.equal(got.y3, got.y2)
  assert.equal(got['dx over dy'], got.dx)
})

test('the reference gradients of x, weight and bias agree with differences', () => {
  const M = 3, C = 6, { x, weight, bias, dy } = inputs(M, C)
  const f = (a: Vec, w: Vec, b: Vec) => dot(reference.layerNormForward(a, w, b, M, C, EPSILON).y, dy)
  const { mean, rstd } = reference.layerNormForward(x, weight, bias, M, C, EPSILON)
  checkGradient((v) => f(v, weight, bias), x, reference.layerNormBackward(dy, x, mean, rstd, weight, M, C), 'x')
  const { dweight, dbias } = reference.layerNormBackwardParams(dy, x, mean, rstd, M, C)
  checkGradient((v) => f(x, v, bias), weight, dweight, 'weight')
  checkGradient((v) => f(x, weight, v), bias, dbias, 'bias')
})

test('a NaN or infinity in a row reaches the whole row and no other', () => {
  const M = 3, C = 10, { x, weight, bias } = inputs(M, C)
  for (const bad of [NaN, Infinity]) {
    const broken = x.slice()
    broken[C + 3] = bad
    const { y } = run('NaN', ({ k, put, out }) => {
      const y = out('y', M * C), mean = out('mean', M), rstd = out('rstd', M)
      k.layer_norm_forward(y, mean, rstd, put(broken), put(weight), put(bias), M, C, EPSILON)
    })
    y.forEach((v, i) => assert.is(Number.isNaN(v), Math.floor(i / C) === 1))
  }
})

test.run()
