/** int8 products: bit for bit the definition, on both builds; overflow cannot happen; what is lost is bounded. */
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { int8BackwardInput, int8Forward, int8Limit, int8Pack, int8Quantize } from '../reference/int8-linear.ts'
import { sameBits } from '../support/close.ts'
import { bench, variants } from '../support/kernels.ts'
import type { Bench } from '../support/kernels.ts'
import { rng } from '../support/rng.ts'

const benches = await Promise.all(variants.map(variant => bench(variant)))

/** Rows at an address as an operand, in tiles of `tile` rows. */
function operand(b: Bench, x: number, fold: number, M: number, L: number, tile = 5): number {
  const to = b.space(b.k['int8_operand_bytes'](M, L))
  b.k['int8_rows'](to, x, fold, M, L, 0, M, tile, 0, 0, 0, b.space(b.k['gemm_scratch']()))
  return to
}

interface Case { readonly M: number, readonly N: number, readonly K: number, readonly x: Float32Array, readonly W: Float32Array }

/** Runs both products through the kernels and through the definition, and compares bits. */
function check(b: Bench, { M, N, K, x, W }: Case, title: string): void {
  b.reset()
  const source = rng(M * 7919 + N * 31 + K)
  const bias = source.f32(N), dy = source.f32(M * N), start = source.f32(M * K)
  const w = b.put(new Uint8Array(N * K)), scale = b.out(N)
  b.k['int8_quantize'](w, scale, b.put(W), N, K)
  const expected = int8Quantize(W, N, K)
  sameBits(b.f32(scale, N), expected.scale, `${title}: scales`)
  const forward = b.put(new Uint8Array(b.k['int8_packed_bytes'](N, K))), backward = b.put(new Uint8Array(b.k['int8_packed_bytes'](K, N)))
  b.k['int8_pack'](forward, w, K, 1, N, K)
  b.k['int8_pack'](backward, w, 1, K, K, N)
  assert.equal([...new Int8Array(b.i32(forward, Math.ceil(int8Pack(expected.w, K, 1, N, K).length / 4)).buffer)], [...int8Pack(expected.w, K, 1, N, K)], `${title}: packed`)
  assert.equal([...new Int8Array(b.i32(backward, Math.ceil(int8Pack(expected.w, 1, K, K, N).length / 4)).buffer)], [...int8Pack(expected.w, 1, K, K, N)], `${title}: packed back`)
  const scratch = b.space(b.k['int8_scratch']()), tile = 4 + (M + N + K) % 2
  const y = b.out(M * N + 4), dx = b.out(M * K + 4)
  for (const withBias of [true, false]) {
    b.k['int8_product'](y, N, operand(b, b.put(x), 0, M, K, tile), forward, scale, withBias ? b.put(bias) : 0, 0, M, N, K, scratch)
    sameBits(b.f32(y, M * N), int8Forward(x, expected.w, expected.scale, withBias ? bias : undefined, M, N, K), `${title}: y`)
  }
  const rows = operand(b, b.put(dy), scale, M, N, tile)
  b.k['int8_product'](dx, K, rows, backward, 0, 0, 0, M, K, N, scratch)
  sameBits(b.f32(dx, M * K), int8BackwardInput(dy, expected.w, expected.scale, undefined, M, N, K), `${title}: dx`)
  const grown = b.put(start)
  b.k['int8_product'](grown, K, rows, backward, 0, 0, 1, M, K, N, scratch)
  sameBits(b.f32(grown, M * K), int8BackwardInput(dy, expected.w, expected.scale, start, M, N, K), `${title}: start + dx`)
  for (const ptr of [y + M * N * 4, dx + M * K * 4]) assert.equal([...b.f32(ptr, 4)], [12345, 12345, 12345, 12345], `${title}: guard`)
}

for (const b of benches) {
  test(`${b.variant}: int8_quantize, int8_pack, int8_rows and int8_product are the definition, bit for bit, over all remainders`, () => {
    const source = rng(1)
    for (const M of [1, 2, 3, 4, 5, 6, 9, 121]) {
      for (const N of [1, 2, 3, 5, 7, 8, 9, 13]) {
        for (const K of M > 9 ? [5, 16] : [1, 2, 3, 4, 7, 8, 9, 15, 17, 33]) {
          check(b, { M, N, K, x: source.f32(M * K, 3), W: source.f32(N * K, 0.1) }, `${M} x ${N} x ${K}`)
        }
      }
    }
  })

  test(`${b.variant}: rows and outputs of zeros give zeros; tiny and huge rows keep their scale`, () => {
    const M = 4, N = 9, K = 17, source = rng(2)
    const x = source.f32(M * K), W = source.f32(N * K)
    x.fill(0, 0, K)
    for (let k = 0; k < K; k++) {
      x[K + k] *= 1e-30
      x[2 * K + k] *= 1e30
    }
    W.fill(0, 3 * K, 4 * K)
    check(b, { M, N, K, x, W }, 'zeros')
  })

  test(`${b.variant}: a NaN or an infinity makes its row of the result NaN, in both products, and no other row`, () => {
    const M = 3, N = 9, K = 17
    for (const bad of [NaN, Infinity, -Infinity]) {
      for (const at of [0, 5, 16]) {
        b.reset()
        const x = rng(4).f32(M * K), dy = rng(5).f32(M * N)
        x[K + at] = bad
        dy[N + at % N] = bad
        const w = b.put(new Uint8Array(N * K)), scale = b.out(N)
        b.k['int8_quantize'](w, scale, b.put(rng(6).f32(N * K)), N, K)
        const forward = b.put(new Uint8Array(b.k['int8_packed_bytes'](N, K))), backward = b.put(new Uint8Array(b.k['int8_packed_bytes'](K, N)))
        b.k['int8_pack'](forward, w, K, 1, N, K)
        b.k['int8_pack'](backward, w, 1, K, K, N)
        const scratch = b.space(b.k['int8_scratch']())
        const y = b.out(M * N), dx = b.out(M * K)
        b.k['int8_product'](y, N, operand(b, b.put(x), 0, M, K), forward, scale, 0, 0, M, N, K, scratch)
        b.k['int8_product'](dx, K, operand(b, b.put(dy), scale, M, N), backward, 0, 0, 0, M, K, N, scratch)
        b.f32(y, M * N).forEach((value, i) => assert.is(Number.isNaN(value), Math.floor(i / N) === 1, `y[${i}] of ${bad} at ${at}`))
        b.f32(dx, M * K).forEach((value, i) => assert.is(Number.isNaN(value), Math.floor(i / K) === 1, `dx[${i}] of ${bad} at ${at}`))
      }
    }
  })

  test(`${b.variant}: sums at the bound do not overflow: every product at its largest, for L to 65,536`, () => {
    for (const K of [384, 516, 517, 1536, 3072, 4096, 65536]) {
      const x = new Float32Array(2 * K).fill(1), W = new Float32Array(K).fill(-1)
      x.fill(-1, K)
      const limit = int8Limit(K)
      assert.is(b.k['int8_limit'](K), limit)
      assert.ok(limit * 127 * K <= 2 ** 31 - 1 && (limit === 32767 || (limit + 1) * 127 * K > 2 ** 31 - 1))
      check(b, { M: 2, N: 1, K, x, W }, `K ${K}`)
    }
  })

  test(`${b.variant}: no row makes a sum overflow: 2,000 magnitudes of rows and weights, those whose factor is rounded up among them, against sums that cannot wrap`, () => {
    const source = rng(9), rows = 40
    let up = 0
    for (const K of [64, 517, 1536, 4096]) {
      for (let round = 0; round < (b.variant === 'simd' ? 12 : 3); round++) {
        const x = new Float32Array(rows * K), W = new Float32Array(K).fill(source.f32(1)[0])
        for (let m = 0; m < rows; m++) {
          const top = Math.fround(source.f32(1)[0] * 2 ** (m * 5 - 100))
          x.fill(top, m * K, m * K + K)
          if (Math.fround(int8Limit(K) / Math.abs(top)) * Math.abs(top) > int8Limit(K)) up++
        }
        check(b, { M: rows, N: 1, K, x, W }, `K ${K}, round ${round}`)
      }
    }
    assert.ok(up > 100)
  })

  test(`${b.variant}: denormal rows, rows at and below 2^-110, the largest numbers: the definition, and nothing that is not finite`, () => {
    const N = 9, K = 17, tops = [2 ** -149, 2 ** -127, 2 ** -126, 2 ** -111, 2 ** -110 - 2 ** -134, 2 ** -110, 2 ** -109, 1e-30, 1e30]
    const M = tops.length
    const x = Float32Array.from({ length: M * K }, (_, i) => (i % 3 === 0 ? -1 : i % K / K) * tops[Math.floor(i / K)])
    const W = rng(8).f32(N * K)
    tops.forEach((top, n) => { for (let k = 0; k < K; k++) W[n * K + k] = n === 8 ? W[n * K + k] : top * (k % 2 === 0 ? 1 : -0.5) })
    check(b, { M, N, K, x, W }, 'tiny')
    const largest = new Float32Array(K).fill(3.4028234663852886e38)
    check(b, { M: 1, N: 1, K, x: largest, W: Float32Array.from(largest, () => 1e-5) }, 'largest row')
    check(b, { M: 1, N: 1, K, x: Float32Array.from(largest, () => 1e-5), W: largest }, 'largest weight')
    check(b, { M: 1, N: 1, K, x: largest, W: largest }, 'beyond the largest number: infinity')
  })

  test(`${b.variant}: a weight row with a NaN or an infinity makes its column NaN and traps nowhere`, () => {
    const M = 2, N = 3, K = 9
    for (const bad of [NaN, Infinity, -Infinity]) {
      b.reset()
      const W = rng(6).f32(N * K), w = b.put(new Uint8Array(N * K)), scale = b.out(N), y = b.out(M * N)
      W[K + 4] = bad
      b.k['int8_quantize'](w, scale, b.put(W), N, K)
      const forward = b.put(new Uint8Array(b.k['int8_packed_bytes'](N, K)))
      b.k['int8_pack'](forward, w, K, 1, N, K)
      b.k['int8_product'](y, N, operand(b, b.put(rng(4).f32(M * K)), 0, M, K), forward, scale, 0, 0, M, N, K, b.space(b.k['int8_scratch']()))
      b.f32(y, M * N).forEach((value, i) => assert.is(Number.isNaN(value), i % N === 1, `y[${i}] of ${bad}`))
    }
  })

  test(`${b.variant}: int8_rows gives the low-rank product of the same rows, with integers and without, as matmul does`, () => {
    for (const [M, L, n] of [[1, 3, 1], [4, 8, 8], [19, 17, 3], [21, 33, 16], [45, 400, 9], [128, 770, 5]]) {
      b.reset()
      const source = rng(M + L), x = b.put(source.f32(M * L)), P = b.put(source.f32(n * L)), scratch = b.space(b.k['gemm_scratch']())
      const panels = b.space(b.k['packed_weight_length'](n, L) * 4), want = b.out(M * n), alone = b.out(M * n + 4), beside = b.out(M * n + 4)
      b.k['matmul'](want, n, x, L, 1, P, 1, L, M, n, L, 1, 0, 0, scratch)
      b.k['pack_weight'](panels, P, 0, n, L, scratch)
      b.k['int8_rows'](0, x, 0, M, L, 0, M, 5, alone, panels, n, scratch)
      const to = b.space(b.k['int8_operand_bytes'](M, L)), plain = operand(b, x, 0, M, L, 4)
      b.k['int8_rows'](to, x, 0, M, L, 0, M, 4, beside, panels, n, scratch)
      sameBits(b.f32(alone, M * n), b.f32(want, M * n), 'without integers')
      sameBits(b.f32(beside, M * n), b.f32(want, M * n), 'with integers')
      assert.equal(b.i32(to + 64, M), b.i32(plain + 64, M), 'scales')
      const tiles = Math.ceil(M * 4 / 64) * 64 + 64, words = M * (L + L % 2) / 2
      assert.equal(b.i32(to + tiles, words), b.i32(plain + tiles, words), 'integers')
      for (const ptr of [alone, beside]) assert.equal([...b.f32(ptr + M * n * 4, 4)], [12345, 12345, 12345, 12345], 'guard')
    }
  })

  test(`${b.variant}: blocks of rows and of terms change no bit: 260 rows, 2,050 terms`, () => {
    const source = rng(12)
    for (const [M, N, K] of [[139, 3, 9], [140, 3, 9], [141, 9, 8], [281, 2, 7], [3, 9, 1023], [6, 3, 1025], [7, 2, 2050]]) {
      check(b, { M, N, K, x: source.f32(M * K), W: source.f32(N * K) }, `${M} x ${N} x ${K}`)
    }
  })
}

test('against the exact product, the error of a row is within half a step of each operand', () => {
  const M = 6, N = 11, K = 384, source = rng(3)
  const x = source.f32(M * K), W = source.f32(N * K)
  const { w, scale } = int8Quantize(W, N, K)
  const y = int8Forward(x, w, scale, undefined, M, N, K)
  for (let m = 0; m < M; m++) {
    const top = Math.max(...x.subarray(m * K, m * K + K).map(Math.abs))
    for (let n = 0; n < N; n++) {
      let exact = 0, bound = 0
      for (let k = 0; k < K; k++) {
        exact += x[m * K + k] * W[n * K + k]
        bound += Math.abs(x[m * K + k]) * scale[n] * 0.501 + top / int8Limit(K) * 0.501 * (Math.abs(W[n * K + k]) + scale[n])
      }
      assert.ok(Math.abs(y[m * N + n] - exact) <= bound)
    }
  }
})

test.run()
