/** Tiles are chosen by time alone, once, for each instance; and no tile changes a bit of any product. */
import { mkdtemp, readdir } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import type { Host } from '../../src/host.ts'
import { node } from '../../src/runtime/node.ts'
import { nodeNotes } from '../../src/runtime/node-notes.ts'
import { createEngine } from '../../src/wasm/engine.ts'
import { tileNotes } from '../../src/wasm/tile-notes.ts'
import { tilesOf, tuned } from '../../src/wasm/tuning.ts'
import type { Kernels } from '../../src/wasm/instantiate.ts'
import { sameBits } from '../support/close.ts'
import { bench, variants } from '../support/kernels.ts'
import { rng } from '../support/rng.ts'

/** Kernels that take a given time for each operation with 4 and with 5 rows, by a clock of their own. */
function fake(cost: Record<number, number>, memory = new WebAssembly.Memory({ initial: 1 })) {
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
    int8_product: (...args) => product(() => new Int32Array(memory.buffer, args[2], 1)[0], 7)(...args), other: () => 1,
  }
  return { kernels, now: () => time, seen, memory }
}

type Tuned = ReturnType<typeof tuned>

/** An int8 product as a layer does it: the operand in the tiles that are due, then the product. */
function int8({ kernels, tiles }: Tuned, memory: WebAssembly.Memory): number {
  new Int32Array(memory.buffer, 64, 1)[0] = tiles.forOperand(128, 384)
  return kernels['int8_product'](0, 384, 64, 0, 0, 0, 0, 128, 384, 384, 0)
}

test('the faster tile is taken, whichever it is; where they are alike, the first; float and integer products apart', () => {
  for (const [cost, expected] of [[{ 4: 1e-6, 5: 2e-6 }, 4], [{ 4: 2e-6, 5: 1e-6 }, 5], [{ 4: 0.99e-6, 5: 1e-6 }, 5], [{ 4: 0, 5: 0 }, 5]] as const) {
    const { kernels, now, seen, memory } = fake(cost)
    const watched = tuned(kernels, now, { memory })
    for (let i = 0; i < 200; i++) assert.is(int8(watched, memory), 7)
    assert.equal(tilesOf(kernels), { floats: 5, integers: expected })
    assert.is(watched.tiles.integers, expected)
    assert.is(watched.tiles.chosen, false, 'f32 is still to be timed')
    assert.equal([...new Set(seen)].sort(), [4, 5])
    seen.length = 0
    for (let i = 0; i < 5; i++) int8(watched, memory)
    assert.equal([...new Set(seen)], [expected], 'chosen for good')
    assert.is(watched.kernels['other'](), 1)
    for (let i = 0; i < 200; i++) watched.kernels['linear_backward_input'](0, 0, 0, 0, 128, 384, 384, 0, 0)
    assert.equal(tilesOf(kernels), { floats: expected, integers: expected })
    assert.is(watched.tiles.chosen, true)
  }
})

test('several products that read one operand time its tile; the other tile is timed as often', () => {
  for (const expected of [4, 5]) {
    const { kernels, now, memory } = fake({ [expected]: 1e-6, [9 - expected]: 2e-6 }), watched = tuned(kernels, now, { memory })
    for (let i = 0; i < 200; i++) {
      int8(watched, memory)
      for (let j = 0; j < 2; j++) watched.kernels['int8_product'](0, 384, 64, 0, 0, 0, 0, 128, 384, 384, 0)
    }
    assert.is(watched.tiles.integers, expected)
  }
})

test('instances over one shared memory: the first to choose chooses for all, and tells whoever remembers', () => {
  const memory = new WebAssembly.Memory({ initial: 1, maximum: 1, shared: true })
  const one = fake({ 4: 1e-6, 5: 2e-6 }, memory), two = fake({ 4: 2e-6, 5: 1e-6 }, memory), told: unknown[] = []
  const first = tuned(one.kernels, one.now, { memory, remember: (kind, rows) => told.push(kind, rows) }), second = tuned(two.kernels, two.now, { memory })
  for (let i = 0; i < 200; i++) {
    first.kernels['linear_forward'](0, 0, 0, 0, 0, 128, 384, 384, 0)
    int8(first, memory)
  }
  assert.equal(told.sort(), [4, 4, 'floats', 'integers'])
  assert.is(second.tiles.chosen, true)
  assert.equal(tilesOf(two.kernels), { floats: 4, integers: 4 })
  second.kernels['linear_forward'](0, 0, 0, 0, 0, 128, 384, 384, 0)
  assert.equal(two.seen, [4])
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
  for (let i = 0; i < 300; i++) watched.kernels['linear_forward'](0, 0, 0, 0, 0, 128, i % 2 === 0 ? 384 : 1536, 384, 0)
  assert.is(tilesOf(kernels).floats, 5)
})

test('a wanted tile is set and not timed; others are refused', () => {
  const { kernels, now, seen, memory } = fake({ 4: 1e-6, 5: 2e-6 })
  const watched = tuned(kernels, now, { memory, tiles: { integers: 5 } })
  for (let i = 0; i < 200; i++) int8(watched, memory)
  assert.equal([...new Set(seen)], [5])
  watched.kernels['gemm_tile'](4)
  assert.equal([tilesOf(kernels), watched.tiles.chosen], [{ floats: 4, integers: 5 }, true], 'set by hand')
  assert.throws(() => tuned(fake({}).kernels, now, { tiles: { floats: 6 } }), /"tiles" expected 4 or 5 rows/)
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
        const scratch = put(new Uint8Array(Math.max(k['gemm_scratch'](), k['int8_scratch'](), k['attention_scratch'](M, N))))
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
        const qx = b.space(k['int8_operand_bytes'](M, K)), qdy = b.space(k['int8_operand_bytes'](M, N))
        k['int8_rows'](qx, x, 0, M, K, 0, M, rows, 0, 0, 0, scratch)
        k['int8_rows'](qdy, dy, scale, M, N, 0, M, rows, 0, 0, 0, scratch)
        k['int8_product'](yi, N, qx, forward, scale, bias, 0, M, N, K, scratch)
        k['int8_product'](dxi, K, qdy, backward, 0, 0, 0, M, K, N, scratch)
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

/** A host whose notes are a map. */
function noting(kept = new Map<string, string>()): { host: Host, kept: Map<string, string> } {
  const notes = { get: async (key: string) => kept.get(key), set: async (key: string, text: string) => { kept.set(key, text) } }
  return { host: { ...node(), notes }, kept }
}

/** Lets promises that are settled go on. */
const settled = () => new Promise(resolve => setImmediate(resolve))

test('an engine has the tiles that it is told, or those of its notes, or times its own', async () => {
  const { host, kept } = noting()
  assert.equal(tilesOf((await createEngine(host, { tiles: { floats: 4, integers: 4 } })).kernels), { floats: 4, integers: 4 })
  const fresh = await createEngine(host)
  await settled()
  assert.equal([tilesOf(fresh.kernels), fresh.tiles.chosen], [{ floats: 5, integers: 5 }, false])
  tileNotes(host, 'simd', fresh.kernels).remember('integers', 4)
  await settled()
  assert.is(kept.size, 1)
  assert.match([...kept.keys()][0], /^[a-z0-9-]+$/)
  const next = await createEngine(host)
  await settled()
  assert.equal([next.tiles.floats, next.tiles.integers, next.tiles.chosen], [5, 4, false])
  for (const other of [{ ...host, version: 'another' }, { ...host, name: 'another' }]) {
    const engine = await createEngine(other)
    await settled()
    assert.is(engine.tiles.integers, 5, 'notes on another engine')
  }
  const told = await createEngine(host, { tiles: { integers: 5 } })
  await settled()
  assert.is(told.tiles.integers, 5)
})

test('notes that are nonsense, or that cannot be read or written, change nothing', async () => {
  const { host, kept } = noting()
  const { kernels } = await createEngine(host), notes = tileNotes(host, 'simd', kernels)
  notes.remember('floats', 4)
  await settled()
  for (const key of [...kept.keys()]) kept.set(key, '6')
  const failing = { get: () => Promise.reject(new Error('no')), set: () => Promise.reject(new Error('no room')) }
  for (const each of [host, { ...host, notes: failing }, { ...host, notes: undefined } as unknown as Host]) {
    const engine = await createEngine(each)
    tileNotes(each, 'simd', kernels).remember('floats', 4)
    await settled()
    assert.equal(tilesOf(engine.kernels), { floats: 5, integers: 5 })
  }
})

test('notes of Node are files of a folder that is made when there is one to keep', async () => {
  const folder = join(await mkdtemp(join(tmpdir(), 'sotto-notes-')), 'deep', 'er'), notes = nodeNotes(() => folder)
  assert.is(await notes.get('tiles-a'), undefined)
  await notes.set('tiles-a', '4')
  await notes.set('tiles-a', '5')
  assert.is(await notes.get('tiles-a'), '5')
  assert.equal(await readdir(folder), ['tiles-a'])
})

test.run()
