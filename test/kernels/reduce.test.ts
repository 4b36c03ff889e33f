import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { both } from '../support/both.ts'
import { close, EPS } from '../support/close.ts'
import { bench, variants } from '../support/kernels.ts'
import { rng } from '../support/rng.ts'
import * as reference from '../reference/reduce.ts'

const run = await both()
const benches = await Promise.all(variants.map((variant) => bench(variant, 64)))
const lengths = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 15, 16, 17, 30, 4099]

/** A number-valued kernel on both builds: the same number to the last bit. */
function number(name: string, ...args: (Float32Array | number)[]): number {
  const [a, b] = benches.map((each) => {
    each.reset()
    return each.k[name](...args.map((arg) => typeof arg === 'number' ? arg : each.put(arg)))
  })
  assert.ok(Object.is(a, b), `${name}: ${a} and ${b}`)
  return a
}

/** The order that the header defines: four partial sums in f64. */
function ordered(n: number, term: (i: number) => number): number {
  const s = [0, 0, 0, 0]
  for (let i = 0; i < n; i++) s[i & 3] += term(i)
  return (s[0] + s[1]) + (s[2] + s[3])
}

test('sum, sum_squares, dot_f64: the defined order bit by bit, and within n roundings of f64 of the exact sum', () => {
  for (const n of lengths) {
    // sizes far apart, so that sums in f64 do round and their order shows
    const a = rng(n).f32(n, 100).map((v, i) => v * 2 ** ((i * 37) % 60 - 30)), b = rng(n + 1).f32(n, 0.01)
    const cases = [
      [number('sum', a, n), ordered(n, (i) => a[i]), reference.sum(a), reference.sum(a.map(Math.abs))],
      [number('sum_squares', a, n), ordered(n, (i) => a[i] * a[i]), reference.sumSquares(a), reference.sumSquares(a)],
      [
        number('dot_f64', a, b, n), ordered(n, (i) => a[i] * b[i]), reference.dotF64(a, b),
        reference.dotF64(a.map(Math.abs), b.map(Math.abs)),
      ],
    ]
    for (const [got, inOrder, exact, size] of cases) {
      assert.is(got, inOrder)
      assert.ok(Math.abs(got - exact) <= (n / 4 + 4) * 2 ** -53 * size, `${n}: ${got}, ${exact}`)
    }
  }
})

test('max_abs finds the largest at every place and passes over NaN', () => {
  for (const n of lengths) {
    const x = rng(n).f32(n)
    assert.is(number('max_abs', x, n), reference.maxAbs(x))
    for (let i = 0; i < Math.min(n, 40); i++) {
      const peak = x.slice()
      peak[i] = -1000
      if (i > 0) peak[i - 1] = NaN
      assert.is(number('max_abs', peak, n), 1000)
    }
  }
})

test('first_nonfinite finds NaN and infinities at every place of every length, none in huge or tiny numbers', () => {
  for (const n of [...lengths.slice(0, -1), 70]) {
    const x = rng(n).f32(n, 1e37).map((v, i) => i % 7 === 3 ? 1e-42 : i % 7 === 4 ? 3.4028234e38 : v)
    assert.is(number('first_nonfinite', x, n), -1)
    for (let i = 0; i < n; i++) {
      for (const bad of [NaN, Infinity, -Infinity]) {
        const broken = x.slice()
        broken[i] = bad
        if (i < n - 2) broken[n - 1] = NaN
        assert.is(number('first_nonfinite', broken, n), reference.firstNonfinite(broken))
      }
    }
  }
})

test('zero, copy and axpy write n elements and no more; axpy within two roundings', () => {
  for (const n of lengths) {
    const x = rng(n).f32(n), y = rng(n + 5).f32(n)
    const got = run(`plain ${n}`, ({ k, put, out, change }) => {
      k.zero(change('zero', x), n)
      k.copy(out('copy', n), put(x), n)
      k.axpy(change('axpy', y), put(x), 0.3, n)
    })
    close(got.zero, reference.zero(n), 0)
    assert.ok(got.zero.every((v) => Object.is(v, 0)))
    close(got.copy, reference.copy(x), 0)
    const expected = reference.axpy(y, x, Math.fround(0.3))
    close(got.axpy, expected, (i) => EPS * (Math.abs(0.31 * x[i]) + Math.abs(expected[i])))
  }
})

test('copy moves overlapping ranges whole', () => {
  const x = rng(1).f32(50)
  const got = run('overlap', ({ k, change }) => {
    const ptr = change('x', x)
    k.copy(ptr + 12, ptr, 47)
  })
  assert.equal(got.x.slice(3), x.slice(0, 47))
})

test.run()
