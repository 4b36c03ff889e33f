/** What a hash of the self-test can tell apart, and what it cannot. */
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { Sink } from '../../src/selftest/sink.ts'

const f32 = (...values: number[]) => new Sink().f32(Float32Array.from(values)).digest()
const bits = (...values: number[]) => new Sink().f32(new Float32Array(Uint32Array.from(values).buffer)).digest()

test('one unit in the last place, the sign of a zero, an order and a length change the hash', () => {
  const base = f32(1, 2)
  for (const other of [f32(1 + 2 ** -23, 2), f32(2, 1), f32(1, 2, 0), f32(1), f32(1, -2)]) assert.is.not(other, base)
  assert.is.not(f32(0), f32(-0))
  assert.is.not(f32(2 ** -149), f32(0))
  assert.is.not(new Sink().f32(Float32Array.of(1)).f32(Float32Array.of(2)).digest(), base)
  assert.is.not(new Sink().f64(0).digest(), new Sink().f64(-0).digest())
  assert.is.not(new Sink().text('a', 'b').digest(), new Sink().text('ab').digest())
})

test('any NaN is the same NaN, in f32 and in f64, and is not an infinity', () => {
  const nan = bits(0x7fc00000)
  for (const other of [0xffc00000, 0x7f800001, 0xff812345, 0x7fffffff]) assert.is(bits(other), nan)
  assert.is.not(bits(0x7f800000), nan)
  assert.is.not(bits(0xff800000), bits(0x7f800000))
  const payload = new Float64Array(Uint32Array.of(5, 0xfff80000).buffer)[0]
  assert.is(new Sink().f64(payload).digest(), new Sink().f64(NaN).digest())
})

test('what was given is not changed', () => {
  const values = new Float32Array(Uint32Array.of(0xffc12345).buffer)
  new Sink().f32(values).digest()
  assert.is(new Uint32Array(values.buffer)[0], 0xffc12345)
})

test.run()
