import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { both } from '../support/both.ts'
import { sameBits } from '../support/close.ts'
import { rng } from '../support/rng.ts'
import * as reference from '../reference/convert.ts'
import type { Vec } from '../reference/vec.ts'

const run = await both()
const everyWord = Uint16Array.from({ length: 65536 }, (_, i) => i)
const bytes = (x: Uint16Array) => new Uint8Array(x.buffer, x.byteOffset, x.byteLength)
const number = (bits: number[]) => new Float32Array(Int32Array.from(bits).buffer)

interface Format {
  readonly name: string
  readonly to: string
  readonly from: string
  readonly widen: (x: Vec) => Float64Array
  readonly narrow: (x: Vec) => Uint16Array
  /** Mantissa bits and the exponent's lowest. */
  readonly mantissa: number
  readonly infinity: number
}
const formats: Format[] = [
  {
    name: 'f16', to: 'f16_to_f32', from: 'f32_to_f16', widen: reference.f16ToF32, narrow: reference.f32ToF16,
    mantissa: 10, infinity: 0x7c00,
  },
  {
    name: 'bf16', to: 'bf16_to_f32', from: 'f32_to_bf16', widen: reference.bf16ToF32, narrow: reference.f32ToBf16,
    mantissa: 7, infinity: 0x7f80,
  },
]

/** Compared here, not by uvu: its report of 65536 differences is a book. */
function sameWords(got: Uint16Array, expected: Uint16Array, x: Float32Array): void {
  assert.is(got.length, expected.length)
  const i = got.findIndex((word, at) => word !== expected[at])
  if (i >= 0) assert.unreachable(`${x[i]}: got ${got[i].toString(16)}, expected ${expected[i].toString(16)}`)
}

/** f32 to 16 bits, on both builds. */
function narrow(kernel: string, x: Float32Array): Uint16Array {
  const words = Math.ceil(x.length / 2)
  const got = run(kernel, ({ k, put, out }) => { k[kernel](out('words', words), put(x), x.length) }).words
  return new Uint16Array(got.buffer).slice(0, x.length)
}

for (const { name, to, from, widen, narrow: expectedWords, mantissa, infinity } of formats) {
  test(`${to} is exact for all 65536 inputs; NaN keeps sign and payload`, () => {
    const got = run(name, ({ k, put, out }) => { k[to](out('y', 65536), put(bytes(everyWord)), 65536) }).y
    const bits = new Int32Array(got.buffer), expected = widen(everyWord)
    const finite = [...everyWord].filter((w) => !Number.isNaN(expected[w]))
    assert.is(finite.length, 65536 - 2 * ((1 << mantissa) - 1))
    sameBits(finite.map((w) => got[w]), finite.map((w) => expected[w]), name)
    for (const w of everyWord) {
      if (!Number.isNaN(expected[w])) continue
      const payload = (w & ((1 << mantissa) - 1)) << (23 - mantissa)
      assert.is(bits[w], ((w & 0x8000) << 16) | 0x7f800000 | payload)
    }
  })

  test(`${from} gives back all 65536 words but NaN, whose quiet bit it sets`, () => {
    const wide = run(name, ({ k, put, out }) => { k[to](out('y', 65536), put(bytes(everyWord)), 65536) }).y
    const quiet = 1 << (mantissa - 1)
    sameWords(narrow(from, wide), everyWord.map((w) => (w & 0x7fff) > infinity ? w | quiet : w), wide)
  })

  test(`${from} rounds to nearest, ties to even: at every midpoint, a bit beside it, and 200,000 random bits`, () => {
    const positive = widen(everyWord.slice(0, infinity + 1))
    positive[infinity] = 2 * positive[infinity - 1] - positive[infinity - 2]
    const middle = new Float32Array(infinity)
    for (let w = 0; w < infinity; w++) middle[w] = (positive[w] + positive[w + 1]) / 2
    const at = [...new Int32Array(middle.buffer)]
    for (const shift of [-1, 0, 1]) {
      for (const sign of [0, -0x80000000]) {
        const x = number(at.map((b) => (b + shift) | sign))
        sameWords(narrow(from, x), expectedWords(x), x)
      }
    }
    const random = rng(1)
    const x = number(Array.from({ length: 200_000 }, () => random.u32() | 0)).map((v) => Number.isNaN(v) ? 1 : v)
    sameWords(narrow(from, x), expectedWords(x), x)
    const edge = new Float32Array([
      0, -0, Infinity, -Infinity, 65504, 65519.996, 65520, 3.4028234e38, 2 ** -25, 2 ** -149, 1e-40,
    ])
    sameWords(narrow(from, edge), expectedWords(edge), edge)
  })

  test(`${name}: every remainder of four lanes, nothing past the end`, () => {
    for (let n = 0; n < 10; n++) {
      const words = everyWord.slice(20_000, 20_000 + n)
      const got = run(`${name} of ${n}`, ({ k, put, out }) => {
        k[to](out('y', n), put(bytes(words)), n)
        // two words an f32: an odd n leaves the second half of the last one as it was
        k[from](out('back', Math.ceil(n / 2)), put(Float32Array.from(widen(words))), n)
      })
      sameBits(got.y, widen(words), name)
      const back = new Uint16Array(got.back.buffer)
      assert.equal(back.slice(0, n), words)
      if (n % 2) assert.is(back[n], new Uint16Array(new Float32Array([12345]).buffer)[1])
    }
  })
}

test.run()
