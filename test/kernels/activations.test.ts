import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { both } from '../support/both.ts'
import { close, EPS } from '../support/close.ts'
import { checkGradient, dot } from '../support/gradient.ts'
import { rng } from '../support/rng.ts'
import * as reference from '../reference/activations.ts'
import { multiply } from '../reference/elementwise.ts'
import type { Vec } from '../reference/vec.ts'

const run = await both()

interface Activation {
  readonly name: string
  readonly forward: (x: Vec) => Float64Array
  readonly backward: (dy: Vec, saved: Vec) => Float64Array
  /** Bounds of the absolute error, in units of 2^-24: of y at x, of dx / dy at x. From the headers' error bounds. */
  readonly y: (x: number) => number
  readonly dx: (x: number) => number
}

const activations: Activation[] = [
  // phi is off by at most 4, and the product rounds; the slope adds a density with its roundings
  {
    name: 'gelu_erf', forward: reference.geluErfForward, backward: reference.geluErfBackward,
    y: (x) => 5 * x + 1, dx: () => 8,
  },
  {
    name: 'gelu_tanh', forward: reference.geluTanhForward, backward: reference.geluTanhBackward,
    y: (x) => 5 * x + 1, dx: (x) => 8 + 6 * x * (1 + 0.14 * x * x),
  },
  { name: 'relu', forward: reference.reluForward, backward: reference.reluBackward, y: () => 0, dx: () => 0 },
  { name: 'silu', forward: reference.siluForward, backward: reference.siluBackward, y: (x) => 4 * x + 1, dx: () => 8 },
  { name: 'tanh', forward: reference.tanhForward, backward: reference.tanhBackward, y: () => 5, dx: () => 3 },
]

const lengths = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 30, 1001]

for (const { name, forward, backward, y, dx } of activations) {
  test(`${name}: forward and backward within the derived bound for every remainder, same bits in both builds`, () => {
    const random = rng(name.length)
    for (const n of lengths) {
      for (const size of [0.01, 1, 4]) {
        const x = random.f32(n, size), d = random.f32(n)
        const saved = name === 'tanh' ? Float32Array.from(forward(x)) : x
        const got = run(`${name} of ${n}`, ({ k, put, out }) => {
          k[`${name}_forward`](out('y', n), put(x), n)
          k[`${name}_backward`](out('dx', n), put(d), put(saved), n)
        })
        close(got.y, forward(x), (i) => y(Math.abs(x[i])) * EPS, `${name} y`)
        close(got.dx, backward(d, saved), (i) => dx(Math.abs(x[i])) * EPS * Math.abs(d[i]), `${name} dx`)
      }
    }
  })

  test(`${name}: in place gives the same bits`, () => {
    const x = rng(3).f32(37, 2), d = rng(4).f32(37)
    const got = run(name, ({ k, put, out, change }) => {
      const y = change('in place', x), dy = change('dx in place', d), other = change('dx over x', x)
      k[`${name}_forward`](out('apart', 37), put(x), 37)
      k[`${name}_forward`](y, y, 37)
      k[`${name}_backward`](out('dx apart', 37), put(d), put(x), 37)
      k[`${name}_backward`](dy, dy, put(x), 37)
      k[`${name}_backward`](other, put(d), other, 37)
    })
    assert.equal(got['in place'], got.apart)
    assert.equal(got['dx in place'], got['dx apart'])
    assert.equal(got['dx over x'], got['dx apart'])
  })

  if (name === 'gelu_erf') {
    test('gelu_erf_slope gives the bits of gelu_erf_forward and, multiplied by dy, those of gelu_erf_backward; x may be either output', () => {
      for (const n of lengths) {
        const x = rng(n + 7).f32(n, 3), d = rng(n + 8).f32(n)
        const got = run(`gelu_erf_slope of ${n}`, ({ k, put, out, change }) => {
          const slope = out('slope', n), over = change('over', x), under = change('under', x)
          k.gelu_erf_slope(out('y', n), slope, put(x), n)
          k.multiply(out('dx', n), put(d), slope, n)
          k.gelu_erf_forward(out('forward', n), put(x), n)
          k.gelu_erf_backward(out('backward', n), put(d), put(x), n)
          k.gelu_erf_slope(over, out('slope apart', n), over, n)
          k.gelu_erf_slope(out('y apart', n), under, under, n)
        })
        const [, slope] = reference.geluErfSlope(x)
        close(got.slope, slope, () => 8 * EPS, 'slope')
        assert.equal([...got.dx], [...multiply(got.slope, d)].map(Math.fround))
        for (const [a, b] of [['y', 'forward'], ['dx', 'backward'], ['over', 'y'], ['under', 'slope'], ['slope apart', 'slope'], ['y apart', 'y']]) assert.equal(got[a], got[b], `${a} and ${b}`)
      }
    })
  }

  test(`${name}: the reference's gradient agrees with differences`, () => {
    const x = rng(5).f32(40, 2), d = rng(6).f32(40)
    const saved = name === 'tanh' ? forward(x) : x
    checkGradient((v) => dot(forward(v), d), x, backward(d, saved), name)
  })

  test(`${name}: NaN stays NaN, large inputs saturate`, () => {
    const x = new Float32Array([NaN, 100, -100, 3e38, -3e38, 0, 1e-40, -1e-40])
    const got = run(name, ({ k, put, out }) => { k[`${name}_forward`](out('y', 8), put(x), 8) }).y
    assert.ok(Number.isNaN(got[0]))
    const bounded = name === 'tanh'
    assert.equal([...got.slice(1, 4)], bounded ? [1, -1, 1] : [100, got[2], x[3]])
    assert.ok(bounded || (got[2] <= 0 && got[2] > -1e-30))
    close(got.slice(5), forward(x).slice(5), 2 ** -149, name)
  })
}

test.run()
