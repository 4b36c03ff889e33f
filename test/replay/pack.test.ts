/** Blocks of integers and f32: exact, and every damage shows. */
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { ArrayReader } from '../../src/replay/arrays.ts'
import { BLOCK_HEADER, packFloats, packIntegers } from '../../src/replay/pack.ts'
import { rng } from '../support/rng.ts'

const read = (bytes: Uint8Array, length: number) => new ArrayReader(bytes).integers(length)

test('integers of every size come back, and small ones take few bits', () => {
  const source = rng(3)
  const extremes = Int32Array.of(0, -1, 1, 2 ** 31 - 1, -(2 ** 31), 2 ** 30, -(2 ** 30), 12345, -54321)
  const lists = [new Int32Array(0), extremes, Int32Array.of(-(2 ** 31)), new Int32Array(1000)]
  for (let bits = 0; bits < 32; bits++) lists.push(Int32Array.from({ length: 257 }, () => (source.int(0, 2 ** 16 - 1) * 65536 + source.int(0, 65535) | 0) >> bits))
  for (const values of lists) assert.equal([...read(packIntegers(values), values.length)], [...values])
  assert.is(packIntegers(new Int32Array(1000)).length, BLOCK_HEADER + 125)
  // a mixture as a contribution is: most of them -1, 0 and 1
  const small = Int32Array.from({ length: 8000 }, () => source.int(0, 4) - 2)
  assert.ok(packIntegers(small).length < 8000 * 3 / 8, String(packIntegers(small).length))
})

test('f32 come back by their bits, NaN and -0 included', () => {
  const values = Float32Array.of(0, -0, NaN, Infinity, -Infinity, 1e-45, 3.4e38, 0.1)
  const reader = new ArrayReader(packFloats(values))
  assert.equal([...new Uint32Array(reader.floats(8).buffer)], [...new Uint32Array(values.buffer)])
  assert.ok(reader.ended)
})

test('each flipped bit of a block gives other values or an error, and so does each cut', () => {
  const values = Int32Array.of(3, -1, 0, 700, -2, 5, 0, -90_000_000)
  const bytes = packIntegers(values)
  for (let bit = 0; bit < bytes.length * 8; bit++) {
    const damaged = bytes.slice()
    damaged[bit >> 3] ^= 1 << (bit & 7)
    let got: Int32Array | undefined
    try {
      got = read(damaged, values.length)
    } catch (error) {
      assert.is((error as Error).name, 'FormatError')
    }
    assert.not.equal(got && [...got], [...values], `bit ${bit}`)
  }
  for (let length = 0; length < bytes.length; length++) assert.throws(() => read(bytes.subarray(0, length), values.length), /cut off|expected/)
})

test('another kind, or another length, is refused', () => {
  assert.throws(() => read(packFloats(Float32Array.of(1)), 1), /expected 1 numbers \(integers\), got 1 \(f32\)/)
  assert.throws(() => read(packIntegers(Int32Array.of(1)), 2), /expected 2 numbers/)
})

test.run()
