import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { cos, sin } from '../../src/num/trigonometry.ts'
import { rng } from '../support/rng.ts'

test('sin and cos of 200000 angles up to 2^20, and of every multiple of pi/4 up to 4000: within 2^-52 of the engine\'s own', () => {
  const random = rng(1), angles: number[] = [0, -0, 1e-300, 2 ** -30, 2 ** 20, -(2 ** 20)]
  for (let i = 0; i < 200000; i++) angles.push((random.uniform() * 2 - 1) * 2 ** random.int(-12, 20))
  for (let i = -4000; i <= 4000; i++) angles.push(i * Math.PI / 4, Math.fround(i * Math.PI / 4))
  for (const x of angles) {
    if (!(Math.abs(sin(x) - Math.sin(x)) <= 2 ** -52)) assert.unreachable(`sin ${x}: ${sin(x)} ${Math.sin(x)}`)
    if (!(Math.abs(cos(x) - Math.cos(x)) <= 2 ** -52)) assert.unreachable(`cos ${x}: ${cos(x)} ${Math.cos(x)}`)
  }
})

test('sin^2 + cos^2 is 1 within 2^-51, sin is odd and cos even, bit for bit', () => {
  const random = rng(2)
  for (let i = 0; i < 20000; i++) {
    const x = (random.uniform() * 2 - 1) * 1000
    assert.ok(Math.abs(sin(x) ** 2 + cos(x) ** 2 - 1) <= 2 ** -51)
    assert.ok(Object.is(sin(-x), -sin(x)) && Object.is(cos(-x), cos(x)), String(x))
  }
})

test('an angle beyond 2^20, an infinity or NaN is a RangeError', () => {
  for (const x of [2 ** 20 + 1, -Infinity, NaN]) {
    assert.throws(() => sin(x), /"x" expected an angle of at most 2\^20 radians/)
    assert.throws(() => cos(x), RangeError)
  }
})

test.run()
