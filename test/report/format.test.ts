import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { bytesText, count, duration, epsilonText, number, percent, shareError } from '../../src/report/format.ts'
import { ticks } from '../../src/report/svg.ts'

test('epsilon is rounded up, never down', () => {
  assert.is(epsilonText(1.0001), '1.001')
  assert.is(epsilonText(1.9999999), '2.000')
  assert.is(epsilonText(2), '2.000')
  assert.is(epsilonText(1.1), '1.100')
  assert.is(epsilonText(0), '0.000')
  assert.is(epsilonText(Infinity), 'infinite')
  for (let i = 1; i < 2000; i++) {
    const value = i * 0.00137
    assert.ok(Number(epsilonText(value)) >= value * (1 - 1e-11), String(value))
    assert.ok(Number(epsilonText(value)) < value + 0.001 + 1e-9)
  }
})

test('bytes, times, counts, shares', () => {
  assert.is(bytesText(999), '999 B')
  assert.is(bytesText(1000), '1.00 kB')
  assert.is(bytesText(999_600), '1.00 MB')
  assert.is(bytesText(28_000_000), '28.0 MB')
  assert.is(duration(4.21), '4.2 s')
  assert.is(duration(80), '1 min 20 s')
  assert.is(duration(59.6), '1 min 0 s')
  assert.is(duration(7500), '2 h 5 min')
  assert.is(duration(NaN), 'unknown time')
  assert.is(count(1234567), '1,234,567')
  assert.is(count(0.5), '0.5')
  assert.is(percent(0.97349), '97.3 %')
  assert.is(number(1e-6), '1e-6')
  assert.is(number(0.80048), '0.8005')
  assert.is(number(1_000_000), '1,000,000')
})

test('Wilson: half of 100 is +-9.6 points, all of 100 reaches down 3.7', () => {
  assert.ok(Math.abs(shareError(0.5, 100) - 0.096) < 5e-4, String(shareError(0.5, 100)))
  assert.ok(Math.abs(shareError(1, 100) - 0.037) < 5e-4)
})

test('ticks are round, rise, and cover the range', () => {
  assert.equal(ticks(0, 2, 4), [0, 0.5, 1, 1.5, 2])
  assert.equal(ticks(0.3, 1, 4), [0.2, 0.4, 0.6, 0.8, 1])
  for (const [low, high] of [[0, 1e-9], [0, 0.37], [0, 14], [-3, 8], [0, 123456]]) {
    const values = ticks(low, high, 4)
    assert.ok(values[0] <= low && values[values.length - 1] >= high && values.length <= 8, `${low} ${high}: ${values}`)
    assert.ok(values.every((value, i) => i === 0 || value > values[i - 1]))
  }
})

test.run()
