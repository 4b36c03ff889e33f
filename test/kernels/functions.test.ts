// exp, log, tanh and phi over millions of f32: every exponent and sign with many mantissas, and dense where the
// methods switch. The bounds are those that the headers in assembly/math promise.
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { bench, variants, type Bench } from '../support/kernels.ts'
import { rng } from '../support/rng.ts'
import * as reference from '../reference/math.ts'

const benches = await Promise.all(variants.map((variant) => bench(variant)))
const simd = benches[0]

type Name = 'exp' | 'log' | 'tanh' | 'phi'
const CHUNK = 1 << 18

function apply({ k, put, out, i32, f32, reset }: Bench, name: Name, x: Float32Array) {
  reset()
  const from = put(x), to = out(x.length)
  k[`${name}_forward`](to, from, x.length)
  return { y: f32(to, x.length), bits: i32(to, x.length) }
}

/** Every sign and exponent (denormals and the infinities' among them) with `mantissas` evenly spread, jittered. */
function* everywhere(mantissas: number): Generator<Float32Array> {
  const random = rng(11)
  const step = 2 ** 23 / mantissas
  let bits = new Int32Array(CHUNK), n = 0
  for (let top = 0; top < 512; top++) {
    for (let m = 0; m < mantissas; m++) {
      bits[n++] = (top << 23) | Math.floor(m * step + (m === 0 ? 0 : random.uniform() * step))
      if (n === CHUNK) {
        yield new Float32Array(bits.buffer)
        bits = new Int32Array(CHUNK)
        n = 0
      }
    }
  }
  yield new Float32Array(bits.buffer).slice(0, n)
}

/** `count` neighbours of each point on either side, and `count` points evenly over [low, high]. */
function* around(points: number[], count: number, low: number, high: number): Generator<Float32Array> {
  const word = new Float32Array(1), bits = new Int32Array(word.buffer)
  for (const point of points) {
    const near = new Int32Array(2 * count + 1)
    word[0] = point
    for (let i = -count; i <= count; i++) near[i + count] = bits[0] + i
    yield new Float32Array(near.buffer)
  }
  for (let done = 0; done < count * 16; done += CHUNK) {
    yield Float32Array.from({ length: CHUNK }, (_, i) => low + (high - low) * (done + i) / (count * 16))
  }
}

/** Largest error in ulp; NaN must come for NaN, and infinity counts as 2^128. */
function worst(name: Exclude<Name, 'phi'>, inputs: Iterable<Float32Array>): { error: number, at: number, count: number } {
  const f = reference[name]
  let error = 0, at = 0, count = 0
  for (const x of inputs) {
    const { y } = apply(simd, name, x)
    count += x.length
    for (let i = 0; i < x.length; i++) {
      const expected = f(x[i])
      if (Number.isNaN(expected) || Number.isNaN(y[i])) {
        if (Number.isNaN(expected) && Number.isNaN(y[i])) continue
        assert.unreachable(`${name}(${x[i]}): got ${y[i]}, expected ${expected}`)
      }
      const finite = (v: number) => Math.max(-(2 ** 128), Math.min(2 ** 128, v))
      const e = Math.abs(finite(y[i]) - finite(expected)) / reference.ulp(expected)
      if (e > error) {
        error = e
        at = x[i]
      }
    }
  }
  return { error, at, count }
}

const LN2 = Math.LN2
const cases: { name: Exclude<Name, 'phi'>, bound: number, points: number[], low: number, high: number }[] = [
  {
    name: 'exp', bound: 1.03, low: -104, high: 89,
    points: [0.5, -0.5, 1.5, -126, -125.5, -149, -150, 128, 127.5].map((n) => n * LN2).concat(-104, 89),
  },
  {
    name: 'log', bound: 0.85, low: 0.4, high: 3,
    points: [1, Math.SQRT1_2, Math.SQRT2, 2, 2 ** -126, 2 ** -127, 2 ** -148],
  },
  {
    name: 'tanh', bound: 2.5, low: -10, high: 10,
    points: [0.25 * LN2, 0.75 * LN2, 1.25 * LN2, 9.0109, 10, 1e-4, 2 ** -126],
  },
]

for (const { name, bound, points, low, high } of cases) {
  test(`${name}: error at most ${bound} ulp over 2 million f32 of every exponent and 2 million where it bends`, () => {
    const all = worst(name, everywhere(4096))
    assert.ok(all.count >= 2e6)
    assert.ok(all.error <= bound, `${all.error} ulp at ${all.at}`)
    const dense = worst(name, around(points, 1 << 16, low, high))
    assert.ok(dense.error <= bound, `${dense.error} ulp at ${dense.at}`)
    if (process.env.SHOW) console.log(name, all, dense)
  })
}

for (const name of ['exp', 'log', 'tanh', 'phi'] as const) {
  test(`${name}: the scalar build gives the same bits, and every remainder of four lanes`, () => {
    for (const x of everywhere(64)) {
      const [a, b] = benches.map((each) => apply(each, name, x))
      for (let i = 0; i < x.length; i++) {
        if (a.bits[i] !== b.bits[i] && !(Number.isNaN(a.y[i]) && Number.isNaN(b.y[i]))) {
          assert.unreachable(`${name}(${x[i]}): ${a.y[i]} and ${b.y[i]}`)
        }
      }
      for (let n = 0; n < 10; n++) {
        for (const each of benches) {
          const part = apply(each, name, x.slice(5000, 5000 + n))
          for (let i = 0; i < n; i++) assert.is(part.bits[i], a.bits[5000 + i])
        }
      }
    }
  })
}

test('signed zeros, infinities, NaN and overflow come out as the headers say', () => {
  const at = (name: Name, x: number) => benches.map((each) => apply(each, name, new Float32Array([x])).y[0])
  const expect = (name: Name, x: number, y: number) => {
    for (const got of at(name, x)) assert.ok(Object.is(got, y), `${name}(${x}): ${got}`)
  }
  for (const name of ['exp', 'log', 'tanh', 'phi'] as const) expect(name, NaN, NaN)
  expect('exp', 0, 1)
  expect('exp', -0, 1)
  expect('exp', -Infinity, 0)
  expect('exp', Infinity, Infinity)
  expect('exp', 88.72284, Infinity)
  expect('exp', -103.9, 2 ** -149)
  expect('exp', -104, 0)
  expect('exp', -2e30, 0)
  expect('log', 0, -Infinity)
  expect('log', -0, -Infinity)
  expect('log', -1, NaN)
  expect('log', -(2 ** -149), NaN)
  expect('log', -Infinity, NaN)
  expect('log', Infinity, Infinity)
  expect('log', 1, 0)
  for (const sign of [1, -1]) {
    expect('tanh', sign * 0, sign * 0)
    expect('tanh', sign * Infinity, sign)
    expect('tanh', sign * 50, sign)
    expect('phi', sign * Infinity, sign < 0 ? 0 : 1)
    expect('phi', sign * 50, sign < 0 ? 0 : 1)
    expect('phi', sign * 3e38, sign < 0 ? 0 : 1)
  }
  expect('tanh', 2 ** -149, 2 ** -149)
  expect('tanh', -(2 ** -130), -(2 ** -130))
})

test('tanh is odd and never above one', () => {
  for (const x of everywhere(128)) {
    const a = apply(simd, 'tanh', x).y, b = apply(simd, 'tanh', x.map((v) => -v)).y
    for (let i = 0; i < x.length; i++) {
      if (!Object.is(a[i], -b[i]) && !Number.isNaN(a[i])) assert.unreachable(`tanh(${x[i]})`)
      if (Math.abs(a[i]) > 1) assert.unreachable(`tanh(${x[i]}) = ${a[i]}`)
    }
  }
})

test('phi: absolute error at most 4 * 2^-24 everywhere, within [0, 1]; relative error at most 2^-18 from -8 to 0', () => {
  const check = (inputs: Iterable<Float32Array>) => {
    for (const x of inputs) {
      const { y } = apply(simd, 'phi', x)
      for (let i = 0; i < x.length; i++) {
        if (Number.isNaN(x[i])) continue
        const expected = reference.phi(x[i]), error = Math.abs(y[i] - expected)
        if (!(error <= 4 * 2 ** -24) || y[i] < 0 || y[i] > 1) assert.unreachable(`phi(${x[i]}): got ${y[i]}, expected ${expected}`)
        if (x[i] < 0 && x[i] > -8 && error > expected * 2 ** -18) assert.unreachable(`phi(${x[i]}): got ${y[i]}, expected ${expected}`)
      }
    }
  }
  check(everywhere(1024))
  check(around([0.3, 1, -1, 2, -4, -8, 6], 1 << 15, -9, 7))
})

test.run()
