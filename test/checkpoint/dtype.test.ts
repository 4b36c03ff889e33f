import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { fromF32, narrowBf16, narrowF16, toF32, widenBf16, widenF16 } from '../../src/checkpoint/dtype.ts'
import { rng } from '../support/rng.ts'

const word = new Uint32Array(1)
const real = new Float32Array(word.buffer)
const valueOf = (bits: number): number => (word[0] = bits, real[0])
const bitsOf = (value: number): number => (real[0] = value, word[0])

/** The value of a small float by its definition, in double precision. */
function define(bits: number, exponentBits: number, fractionBits: number): number {
  const sign = bits >>> (exponentBits + fractionBits) ? -1 : 1
  const exponent = (bits >>> fractionBits) & (2 ** exponentBits - 1)
  const fraction = bits & (2 ** fractionBits - 1)
  const bias = 2 ** (exponentBits - 1) - 1
  if (exponent === 2 ** exponentBits - 1) return fraction ? NaN : sign * Infinity
  if (exponent === 0) return sign * fraction * 2 ** (1 - bias - fractionBits)
  return sign * (1 + fraction / 2 ** fractionBits) * 2 ** (exponent - bias)
}

test('f16 and bf16 widen exactly: all 65,536 patterns equal the definition, and narrow back to themselves', () => {
  for (let bits = 0; bits < 65536; bits++) {
    const half = define(bits, 5, 10)
    if (Number.isNaN(half)) {
      assert.ok(Number.isNaN(valueOf(widenF16(bits))))
      assert.is(narrowF16(widenF16(bits)), bits | 0x200, 'a NaN keeps sign and payload and becomes quiet')
    } else {
      assert.is(widenF16(bits), bitsOf(half), `f16 ${bits}`)
      assert.is(narrowF16(widenF16(bits)), bits)
    }
    const brain = define(bits, 8, 7)
    if (Number.isNaN(brain)) {
      assert.ok(Number.isNaN(valueOf(widenBf16(bits))))
      assert.is(narrowBf16(widenBf16(bits)), bits | 0x40)
    } else {
      assert.is(widenBf16(bits), bitsOf(brain), `bf16 ${bits}`)
      assert.is(narrowBf16(widenBf16(bits)), bits)
    }
  }
})

/** Nearest of the two neighbours of a value, ties to the even pattern, by double arithmetic on definitions. */
function checkRounding(
  bits: number,
  narrow: (bits: number) => number,
  exponentBits: number,
  fractionBits: number,
): void {
  const value = valueOf(bits)
  if (Number.isNaN(value)) return
  const got = narrow(bits)
  const total = exponentBits + fractionBits
  const infinity = (2 ** exponentBits - 1) * 2 ** fractionBits
  const magnitude = Math.abs(value)
  assert.is(got >>> total, bits >>> 31, `sign of ${value}`)
  const pattern = got & (2 ** total - 1)
  // For rounding, infinity stands where the next finite number would be.
  const at = (p: number): number =>
    p === infinity ? 2 ** (2 ** (exponentBits - 1)) : define(p, exponentBits, fractionBits)
  if (magnitude === Infinity) return assert.is(pattern, infinity)
  const distance = (p: number): number => (p < 0 || p > infinity ? Infinity : Math.abs(at(p) - magnitude))
  const own = magnitude > at(infinity) && pattern === infinity ? 0 : distance(pattern)
  for (const other of [pattern - 1, pattern + 1]) {
    assert.ok(own < distance(other) || (own === distance(other) && pattern % 2 === 0), `${value} to pattern ${pattern}`)
  }
}

test('narrowing rounds to nearest, ties to even: every boundary, and 200,000 random patterns', () => {
  const random = rng(11)
  for (let i = 0; i < 200_000; i++) {
    const bits = random.u32()
    checkRounding(bits, narrowF16, 5, 10)
    checkRounding(bits, narrowBf16, 8, 7)
    // The exponents of f16 and its denormals are rare among random patterns.
    checkRounding(((bits & 0x807fffff) | (random.int(100, 145) << 23)) >>> 0, narrowF16, 5, 10)
  }
  for (let p = 0; p < 0x7c00; p++) {
    const middle = bitsOf((define(p, 5, 10) + (p === 0x7bff ? 65536 : define(p + 1, 5, 10))) / 2)
    for (const bits of [middle - 1, middle, middle + 1]) checkRounding(bits, narrowF16, 5, 10)
  }
  for (let p = 0; p < 0x7f80; p++) {
    for (const bits of [(p << 16) | 0x7fff, (p << 16) | 0x8000, (p << 16) | 0x8001])
      checkRounding(bits, narrowBf16, 8, 7)
  }
  assert.is(narrowF16(bitsOf(65519)), 0x7bff)
  assert.is(narrowF16(bitsOf(65520)), 0x7c00, 'the tie above the largest f16 goes to infinity')
  assert.is(narrowF16(bitsOf(-(2 ** -25))), 0x8000, 'the tie below the smallest f16 goes to zero and keeps its sign')
})

test('arrays convert as single values do, from any byte offset', () => {
  const values = Float32Array.of(0, -0, 1, -1.5, 65504, 1e-7, Infinity, -Infinity, NaN, 3.14159)
  for (const dtype of ['F32', 'F16', 'BF16', 'F64'] as const) {
    const bytes = fromF32(values, dtype)
    const shifted = new Uint8Array(bytes.length + 3)
    shifted.set(bytes, 3)
    const back = toF32(shifted.subarray(3), dtype)
    assert.is(back.length, values.length)
    for (let i = 0; i < values.length; i++) {
      const exact = dtype === 'F16' ? valueOf(widenF16(narrowF16(bitsOf(values[i]))))
        : dtype === 'BF16' ? valueOf(widenBf16(narrowBf16(bitsOf(values[i])))) : values[i]
      assert.ok(Object.is(back[i], exact), `${dtype} ${values[i]}: ${back[i]}`)
    }
  }
  assert.throws(() => toF32(new Uint8Array(8), 'I64'), /"dtype" expected a floating type/)
})

test.run()
