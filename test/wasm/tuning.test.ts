/** Tiles are chosen by time alone, once, for each instance; and no tile changes a bit of any product. */
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { node } from '../../src/runtime/node.ts'
import { createEngine } from '../../src/wasm/engine.ts'
import { tilesOf, tuned } from '../../src/wasm/tuning.ts'
import type { Kernels } from '../../src/wasm/instantiate.ts'
import { sameBits } from '../support/close.ts'
import { bench, variants } from '../support/kernels.ts'
import { rng } from '../support/rng.ts'

/** Kernels that take a given time for each operation with 4 and with 5 rows, by a clock of their own. */
function fake(cost: Record<number, number>) {
  let time = 0, floats = 5, integers = 5
  const seen: number[] = []
  const product = (rows: () => number, at: number) => (...args: number[]) => {
    seen.push(rows())
    time += cost[rows()] * args[at] * args[at + 1] * args[at + 2]
    return 7
  }
  const kernels: Kernels = {
    gemm_tile: rows => floats = rows === 4 || rows === 5 ? rows : floats, int8_tile: rows => integers = rows === 4 || rows === 5 ? rows : integers,
    linear_forward: product(() => floats, 5), linear_backward_input: product(() => floats, 4),
    int8_forward: product(() => integers, 5), int8_backward_input: product(() => integers, 4), other: () => 1,
  }
  return { kernels, now: () => time, seen }
}

const forward = [0, 0, 0, 0, 0, 128, 384, 384, 0]

test('the faster tile is taken, whichever it is; where they are alike, the first; float and integer products apart', () => {
  for (const [cost, expected] of [[{ 4: 1e-6, 5: 2e-6 }, 4], [{ 4: 2e-6, 5: 1e-6 }, 5], [{ 4: 0.99e-6, 5: 1e-6 }, 5], [{ 4: 0, 5: 0 }, 5]] as const) {
    const { kernels, now, seen } = fake(cost)
    const watched = tuned(kernels, now)
    for (let i = 0; i < 200; i++) assert.is(watched['int8_forward'](...forward), 7)
    assert.equal(tilesOf(kernels), { floats: 5, integers: expected })
    assert.equal([...new Set(seen)].sort(), [4, 5])
    seen.length = 0
    for (let i = 0; i < 5; i++) watched['int8_backward_input'](0, 0, 0, 0, 128, 384, 384, 0, 0)
    assert.equal([...new Set(seen)], [expected], 'chosen for good')
    assert.is(watched['other'](), 1)
  }
})

test('sizes that come in turn do not favour the tile that meets the easy ones; interruptions do not count', () => {
  const { kernels, now } = fake({ 4: 1e-6, 5: 0.9e-6 })
  let calls = 0, late = 0
  const hard: Kernels = { ...kernels, linear_forward: (...args) => {
    late += args[6] === 1536 ? 5e2 : 0
    if (calls++ % 9 === 0) late += 1e5
    return kernels['linear_forward'](...args)
  } }
  const watched = tuned(hard, () => now() + late)
  for (let i = 0; i < 300; i++) watched['linear_forward'](0, 0, 0, 0, 0, 128, i % 2 === 0 ? 384 : 1536, 384, 0)
  assert.is(tilesOf(kernels).floats, 5)
})

test('a wanted tile is set and not timed; others are refused', () => {
  const { kernels, now, seen } = fake({ 4: 1e-6, 5: 2e-6 })
  const watched = tuned(kernels, now, { integers: 5 })
  for (let i = 0; i < 200; i++) watched['int8_forward'](...forward)
  assert.equal([...new Set(seen)], [5])
  assert.throws(() => tuned(fake({}).kernels, now, { floats: 6 }), /"tiles" expected 4 or 5 rows/)
})

for (const variant of variants) {
  test(`${variant}: f32, f16 and int8 products, any layout, and attention have the same bits with tiles of 4 and of 5 rows, for every remainder`, async () => {
    const b = await bench(variant), { k, put, out, f32 } = b
    assert.equal(tilesOf(k), { floats: 5, integers: 5 })
    for (const [M, N, K] of [[1, 3, 5], [4, 8, 8], [5, 9, 7], [6, 12, 9], [7, 4, 4], [8, 17, 33], [9, 8, 16], [20, 5, 12], [139, 9, 6], [141, 13, 10], [282, 3, 4]]) {
      const results = [4, 5].map(rows => {
        b.reset()
        k['gemm_tile'](rows)
        k['int8_tile'](rows)
        assert.equal(tilesOf(k), { floats: rows, integers: rows })
        const random = rng(M * 31 + N), x = put(random.f32(M * K)), w = put(random.f32(N * K)), dy = put(random.f32(M * N)), bias = put(random.f32(N))
        const scratch = put(new Uint8Array(Math.max(k['gemm_scratch'](), k['int8_scratch'](Math.max(N, K)), k['attention_scratch'](M, N))))
        const y = out(M * N), dx = out(M * K), dw = out(N * K), yi = out(M * N), dxi = out(M * K), o = out(M * N), dq = out(M * N), dk = out(M * N), dv = out(M * N)
        const packed = put(new Uint8Array(4 * k['packed_weight_length'](N, K)))
        k['pack_weight'](packed, w, 0, N, K, scratch)
        k['linear_forward'](y, x, packed, 0, bias, M, N, K, scratch)
        k['linear_backward_input'](dx, dy, packed, 0, M, N, K, 0, scratch)
        k['matmul'](dw, K, dy, 1, N, x, K, 1, N, K, M, 0.3, 0, 0, scratch)
        const q = put(new Uint8Array(N * K)), scale = out(N)
        const forward = put(new Uint8Array(k['int8_packed_bytes'](N, K))), backward = put(new Uint8Array(k['int8_packed_bytes'](K, N)))
        k['int8_quantize'](q, scale, w, N, K)
        k['int8_pack'](forward, q, K, 1, N, K)
        k['int8_pack'](backward, q, 1, K, K, N)
        k['int8_forward'](yi, x, forward, scale, bias, M, N, K, scratch)
        k['int8_backward_input'](dxi, dy, backward, scale, M, N, K, 0, scratch)
        const offsets = put(Int32Array.of(0, M)), causal = M % 2
        k['attention_forward'](o, y, dy, yi, offsets, 1, 1, N, N, N, 0.5, causal, scratch)
        k['attention_backward'](dq, dk, dv, dy, y, dy, yi, offsets, 1, 1, N, N, N, 0.5, causal, scratch)
        return [[y, M * N], [dx, M * K], [dw, N * K], [yi, M * N], [dxi, M * K], [o, M * N], [dq, M * N], [dk, M * N], [dv, M * N]].map(([ptr, n]) => f32(ptr, n))
      })
      results[0].forEach((values, i) => sameBits(values, results[1][i], `${M} x ${N} x ${K}, result ${i}`))
    }
    assert.equal([k['gemm_tile'](6), k['int8_tile'](-1)], [5, 5], 'other tiles are not there')
  })
}

test('an engine has the tiles that it is told, or times its own', async () => {
  assert.equal(tilesOf((await createEngine(node(), { tiles: { floats: 4, integers: 4 } })).kernels), { floats: 4, integers: 4 })
  assert.equal(tilesOf((await createEngine(node())).kernels), { floats: 5, integers: 5 })
})

test.run()
