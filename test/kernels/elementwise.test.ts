import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { both } from '../support/both.ts'
import { close, EPS } from '../support/close.ts'
import { rng } from '../support/rng.ts'
import * as reference from '../reference/elementwise.ts'

const run = await both()

test('add, multiply and scale: one rounding, every remainder, in place the same bits', () => {
  for (const n of [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 30, 1001]) {
    const a = rng(n).f32(n), b = rng(n + 1).f32(n), s = Math.fround(1.7)
    const got = run(`elementwise ${n}`, ({ k, put, out, change }) => {
      k.add(out('sum', n), put(a), put(b), n)
      k.multiply(out('product', n), put(a), put(b), n)
      k.scale(out('scaled', n), put(a), s, n)
      const x = change('sum over a', a), y = change('scaled over a', a), z = change('product over a', a)
      k.add(x, x, put(b), n)
      k.multiply(z, z, put(b), n)
      k.scale(y, y, s, n)
    })
    const sum = reference.add(a, b), scaled = reference.scale(a, s)
    close(got.sum, sum, (i) => EPS * Math.abs(sum[i]))
    close(got.scaled, scaled, (i) => EPS * Math.abs(scaled[i]))
    assert.equal([...got.product], [...reference.multiply(a, b)].map(Math.fround))
    assert.equal(got['sum over a'], got.sum)
    assert.equal(got['product over a'], got.product)
    assert.equal(got['scaled over a'], got.scaled)
  }
})

test.run()
