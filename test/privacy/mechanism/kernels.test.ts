import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { within, type Frame } from '../../../src/privacy/mechanism/scratch.ts'
import { openPublic } from '../../../src/privacy/mechanism/stream.ts'
import { sameBits } from '../../support/close.ts'
import { rng } from '../../support/rng.ts'
import { scratch, seed } from './support.ts'

const memory = { simd: await scratch('simd'), scalar: await scratch('scalar') }
const f32 = Math.fround
const stream = (frame: Frame) => openPublic(frame, seed(2), { purpose: 'rounding', round: 1 })

/** The words of the stream that kernels read. */
const words = (count: number) => within(memory.scalar, 2_000_000, (frame) => {
  const out = frame.alloc(count * 4)
  frame.kernels.chacha20_fill(out, stream(frame), count * 4)
  return new Uint32Array(frame.i32(out, count).buffer)
})

/** Signs, then H: the sum over j of s_j x_j (-1)^popcount(i and j), in f64. */
function rotated(x: Float32Array): Float64Array {
  const signs = words(Math.ceil(x.length / 32))
  const parity = (bits: number) => { let p = 0; for (; bits; bits &= bits - 1) p ^= 1; return p }
  return Float64Array.from(x, (_, i) => x.reduce((sum, value, j) =>
    sum + (((signs[j >> 5] >>> (j & 31)) & 1) ^ parity(i & j) ? -value : value), 0))
}

for (const variant of ['simd', 'scalar'] as const) {
  const run = <T>(body: (frame: Frame) => T) => within(memory[variant], 2_000_000, body)
  const rotation = (kernel: 'random_rotate' | 'random_unrotate', x: Float32Array) => run((frame) => {
    const at = frame.put(x)
    frame.kernels[kernel](at, x.length, stream(frame))
    return frame.f32(at, x.length)
  })
  const rounded = (kernel: 'round_nearest' | 'round_stochastic', x: Float32Array) => run((frame) => {
    const out = frame.alloc(x.length * 4)
    frame.kernels[kernel](out, frame.put(x), x.length, stream(frame))
    return frame.i32(out, x.length)
  })

  test(`${variant}: slice_norm_squared adds four partial sums in the order written down, for lengths 0 to 20`, () => {
    for (let n = 0; n <= 20; n++) {
      const x = rng(n).f32(n, 3)
      const s = [0, 0, 0, 0]
      x.forEach((value, i) => { s[i & 3] += value * value })
      assert.is(run((frame) => frame.kernels.slice_norm_squared(frame.put(x), n)), (s[0] + s[1]) + (s[2] + s[3]))
    }
  })

  test(`${variant}: slice_norm_squared of the largest numbers is finite, of NaN or infinity it is not`, () => {
    const norm = (x: Float32Array) => run((frame) => frame.kernels.slice_norm_squared(frame.put(x), x.length))
    assert.ok(Number.isFinite(norm(new Float32Array(1000).fill(3.4028234663852886e38))))
    assert.is(norm(new Float32Array(9)), 0)
    for (const odd of [NaN, Infinity, -Infinity]) {
      for (let i = 0; i < 9; i++) assert.not.ok(Number.isFinite(norm(new Float32Array(9).fill(odd, i, i + 1))))
    }
  })

  test(`${variant}: scaling and dequantising round once, from f64`, () => {
    const x = rng(5).f32(37, 1e-3), v = Int32Array.from(x, (value) => Math.round(value * 1e12) | 0), factor = 1 / 3e5
    run((frame) => {
      const at = frame.put(x), out = frame.alloc(148)
      frame.kernels.slice_scale(at, at, factor, 37)
      sameBits(frame.f32(at, 37), x.map((value) => f32(value * factor)))
      frame.kernels.lattice_to_real(out, frame.put(v), factor, 37)
      sameBits(frame.f32(out, 37), Float32Array.from(v, (value) => f32(value * factor)))
    })
  })

  test(`${variant}: rotation of 1 to 512 coordinates is H to log2(n) roundings, and unrotation takes it back`, () => {
    for (let n = 1; n <= 512; n *= 2) {
      const x = rng(n).f32(n)
      const once = rotation('random_rotate', x)
      const size = x.reduce((sum, value) => sum + Math.abs(value), 0), bound = 10 * 2 ** -24 * size
      rotated(x).forEach((value, i) => {
        assert.ok(Math.abs(once[i] - value) <= bound, `${n}[${i}]: ${once[i]} for ${value}`)
      })
      rotation('random_unrotate', once).forEach((value, i) => assert.ok(Math.abs(value / n - x[i]) <= 2 * bound))
    }
  })

  test(`${variant}: stochastic rounding goes up where the word's high 24 bits are below the fraction`, () => {
    for (const n of [1, 3, 4, 7, 255, 256, 257, 1030]) {
      const x = rng(n).f32(n, 50)
      // coordinate i of block j takes word i of the j-th buffer: the keystream in order
      const draws = words(Math.ceil(n / 256) * 256)
      const expected = Int32Array.from(x, (value, i) => {
        const low = Math.floor(value)
        return low + ((draws[i] >>> 8) < f32(f32(value - low) * 2 ** 24) ? 1 : 0)
      })
      assert.equal(rounded('round_stochastic', x), expected)
    }
  })

  test(`${variant}: rounding keeps integers, cuts what does not fit i32 and never traps`, () => {
    const x = Float32Array.of(0, -0, 5, -7, 16777216, -16777216, 3e9, -3e9, 1e38, -1e38, NaN, Infinity)
    const expected = [0, 0, 5, -7, 16777216, -16777216, 2147483647, -2147483648, 2147483647, -2147483648, 0, 2147483647]
    for (const kernel of ['round_nearest', 'round_stochastic'] as const) {
      assert.equal(Array.from(rounded(kernel, x)), expected, kernel)
    }
    const ties = Float32Array.of(0.5, 1.5, 2.5, -0.5, -1.5, 0.49999997)
    assert.equal(Array.from(rounded('round_nearest', ties)), [0, 2, 2, 0, -2, 0])
  })

  test(`${variant}: stochastic rounding has no bias: mean of 200,000 within 5 deviations`, () => {
    const n = 200_000
    for (const fraction of [0.1, 0.5, 0.93]) {
      const x = new Float32Array(n).fill(-3 + fraction)
      const mean = rounded('round_stochastic', x).reduce((sum, value) => sum + value, 0) / n
      assert.ok(Math.abs(mean - (-3 + fraction)) <= 5 * Math.sqrt(fraction * (1 - fraction) / n), `${mean}`)
    }
  })

  test(`${variant}: the integer norm is exact below 2^53 and 2^53 from there on`, () => {
    const norm = (v: Int32Array) => run((frame) => frame.kernels.lattice_norm_squared(frame.put(v), v.length))
    const random = rng(8)
    for (const n of [0, 1, 5, 1023, 1024, 1025, 5000]) {
      const v = Int32Array.from({ length: n }, () => random.int(-1_000_000, 1_000_000))
      assert.is(norm(v), Number(v.reduce((sum, x) => sum + BigInt(x) * BigInt(x), 0n)))
    }
    assert.is(norm(Int32Array.of(2 ** 26, 3)), 2 ** 52 + 9)
    assert.is(norm(Int32Array.of(2 ** 26, 2 ** 26)), 2 ** 53)
    assert.is(norm(Int32Array.of(-(2 ** 31))), 2 ** 53)
    assert.is(norm(new Int32Array(5000).fill(-(2 ** 31))), 2 ** 53)
    assert.is(norm(Int32Array.from({ length: 4096 }, (_, i) => (i === 4095 ? 2 ** 31 - 1 : 0))), 2 ** 53)
  })

  test(`${variant}: shortening fits any vector below 2^53, keeps signs, and leaves alone what fits`, () => {
    const random = rng(12)
    const shorten = (v: Int32Array, clip: number) => run((frame) => {
      const at = frame.put(v)
      const done = frame.kernels.lattice_shorten(at, v.length, clip)
      return { done, v: frame.i32(at, v.length) }
    })
    for (let i = 0; i < 300; i++) {
      const n = random.int(1, 200), size = 2 ** random.int(0, 22), clip = random.int(1, 2 ** random.int(1, 24))
      const v = Int32Array.from({ length: n }, () => random.int(-size, size))
      const before = v.reduce((sum, x) => sum + x * x, 0)
      const { done, v: after } = shorten(v, clip)
      assert.is(done, 1)
      assert.ok(after.reduce((sum, x) => sum + x * x, 0) <= clip * clip)
      if (before <= clip * clip) assert.equal(after, v)
      else after.forEach((x, j) => assert.ok(x * v[j] >= 0 && Math.abs(x) <= Math.abs(v[j])))
    }
    assert.equal(shorten(Int32Array.of(3, 4), 5).v, Int32Array.of(3, 4))
    assert.equal(shorten(Int32Array.of(6, 8), 5).v, Int32Array.of(3, 4))
    assert.equal(shorten(Int32Array.of(2 ** 30), 5), { done: 0, v: Int32Array.of(2 ** 30) })
  })

  test(`${variant}: sums are modulo 2^bits, centred, for 1 to 32 bits`, () => {
    const random = rng(3)
    for (const bits of [1, 2, 8, 17, 31, 32]) {
      const n = 23, v = Int32Array.from({ length: n }, () => random.u32() | 0), sum = v.map(() => random.u32() | 0)
      const centred = (x: bigint) => Number(BigInt.asIntN(bits, x))
      const got = run((frame) => {
        const at = frame.put(sum)
        frame.kernels.add_mod(at, frame.put(v), n, bits)
        const added = frame.i32(at, n)
        const lone = frame.put(v)
        frame.kernels.lift_mod(lone, n, bits)
        return [added, frame.i32(lone, n)]
      })
      assert.equal(got[0], sum.map((x, i) => centred(BigInt(x) + BigInt(v[i]))))
      assert.equal(got[1], v.map((x) => centred(BigInt(x))))
    }
  })

  test(`${variant}: clamp and largest, at the ends of i32 too`, () => {
    const v = Int32Array.of(5, -6, 7, -(2 ** 31), 2 ** 31 - 1)
    run((frame) => {
      const at = frame.put(v)
      assert.is(frame.kernels.lattice_largest(at, 5) >>> 0, 2 ** 31)
      assert.is(frame.kernels.lattice_largest(at, 3), 7)
      frame.kernels.lattice_clamp(at, 5, 6)
      assert.equal(frame.i32(at, 5), Int32Array.of(5, -6, 6, -6, 6))
    })
  })
}

test('rotation of 65,536 coordinates (blocks, odd and even numbers of passes) has the same bits in both builds', () => {
  for (const n of [4096, 8192, 16384, 32768, 65536]) {
    const x = rng(n).f32(n)
    const [a, b] = (['simd', 'scalar'] as const).map((variant) => within(memory[variant], 2_000_000, (frame) => {
      const at = frame.put(x)
      frame.kernels.random_rotate(at, n, stream(frame))
      return frame.f32(at, n)
    }))
    sameBits(a, b)
    // energy: |H x|^2 = n |x|^2, to f32 rounding
    const energy = (v: Float32Array) => v.reduce((sum, value) => sum + value * value, 0)
    assert.ok(Math.abs(energy(a) / n / energy(x) - 1) < 1e-5)
  }
})

test.run()
