import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { node } from '../../src/runtime/node.ts'
import { Tensor } from '../../src/tensor/tensor.ts'
import { Arena } from '../../src/wasm/arena.ts'
import { createEngine } from '../../src/wasm/engine.ts'
import { bestVariant, hasSimd } from '../../src/wasm/features.ts'
import { matmul } from '../reference/gemm.ts'
import { sameBits } from '../support/close.ts'
import { rng } from '../support/rng.ts'

const PAGE = 65536, GIB = 2 ** 30

/** A memory that only counts pages, and refuses beyond some. */
function fake(pages = 1, most = PAGE) {
  const memory = {
    buffer: { byteLength: pages * PAGE }, grown: [] as number[],
    grow(n: number) {
      if (memory.buffer.byteLength / PAGE + n > most) throw new RangeError('refused')
      memory.grown.push(n)
      memory.buffer = { byteLength: memory.buffer.byteLength + n * PAGE }
      return 0
    },
  }
  return { memory, arena: (base?: number, limit?: number) => new Arena(memory as never, base, limit) }
}

test('seeded reservations and frames: aligned to 64, never overlapping, memory always large enough, frames given back', () => {
  for (let seed = 0; seed < 50; seed++) {
    const random = rng(seed), { memory, arena: make } = fake(), arena = make()
    let last = PAGE
    for (let i = 0; i < 60; i++) {
      const bytes = random.int(0, 200_000)
      const take = (ptr: number) => {
        assert.ok(ptr % 64 === 0 && ptr >= last && ptr < last + 64, 'the next free place')
        assert.ok(memory.buffer.byteLength >= ptr + bytes, 'memory is there')
        assert.ok(arena.peak >= ptr + bytes)
        return ptr + bytes
      }
      if (random.uniform() < 0.5) last = take(arena.reserve(bytes))
      else {
        arena.frame(bytes, take)
        assert.is(arena.top, last)
      }
    }
    assert.ok(memory.buffer.byteLength < arena.peak + PAGE, 'no page more than needed')
  }
})

test('a step of the same size grows the memory once', () => {
  const { memory, arena: make } = fake(), arena = make()
  for (let i = 0; i < 100; i++) arena.frame(10 * PAGE, () => undefined)
  assert.equal(memory.grown, [10])
})

test('a frame is given back when its body throws, holds others, and allows no lasting reservation', () => {
  const arena = fake().arena(), top = arena.top
  assert.throws(() => arena.frame(100, () => { throw new Error('inside') }), /inside/)
  assert.is(arena.top, top)
  arena.frame(100, () => {
    assert.throws(() => arena.reserve(1), /expected no frame in use, got a lasting reservation/)
    const outer = arena.top
    assert.is(arena.frame(1, ptr => ptr), Math.ceil(outer / 64) * 64)
    assert.is(arena.top, outer)
    assert.throws(() => arena.reserve(1), /expected no frame in use/)
  })
  assert.is(arena.reserve(8), Math.ceil(top / 64) * 64)
})

test('what a failed attempt reserved is given back, and only one runs at a time', async () => {
  const arena = fake().arena(), top = arena.top
  const failing = arena.attempt(async () => {
    arena.reserve(1000)
    await undefined
    throw new Error('cut short')
  })
  await arena.attempt(async () => 0).then(() => assert.unreachable(), (error: Error) => assert.match(error.message, /expected no other load under way/))
  await failing.then(() => assert.unreachable(), (error: Error) => assert.match(error.message, /cut short/))
  assert.is(arena.top, top)
  assert.is(await arena.attempt(async () => arena.reserve(64)), top)
  assert.is(arena.top, top + 64)
})

test('growth that the runtime refuses, and a limit, are errors that say how much and what to do; nothing is taken', () => {
  const refused = fake(1, 4).arena()
  assert.throws(() => refused.reserve(10 * PAGE), /expected to grow to 0\.69 MiB, but the runtime refused; use shorter texts/)
  assert.is(refused.top, PAGE)
  refused.reserve(3 * PAGE)
  const limited = fake().arena(PAGE, 3 * PAGE)
  assert.throws(() => limited.frame(2 * PAGE + 1, () => 0), /expected at most 0\.18 MiB in all, got a need of 0\.19 MiB; use shorter texts/)
  assert.is(limited.frame(2 * PAGE, ptr => ptr), PAGE)
  for (const bytes of [NaN, -1, 1.5, Infinity]) assert.throws(() => limited.reserve(bytes), /"bytes" expected an integer >= 0/)
})

test('counting tells what would be in use, beyond every limit, and takes nothing', async () => {
  const { memory, arena: make } = fake(1, 1), arena = make(PAGE, 2 * PAGE), { top, peak } = arena
  assert.is(await arena.count(async () => { arena.reserve(GIB); arena.frame(GIB, () => 0); arena.reserve(5) }), PAGE + GIB + 5)
  assert.equal([arena.top, arena.peak, memory.grown], [top, peak, []])
  await arena.count(async () => { throw new Error('inside') }).then(() => assert.unreachable(), (error: Error) => assert.is(error.message, 'inside'))
  assert.throws(() => arena.reserve(GIB), /got a need of 1024\.07 MiB/)
})

test('addresses stay exact up to 4 GiB: the last byte can be had, none behind it', () => {
  const { memory, arena: make } = fake(), arena = make()
  const first = arena.reserve(2 * GIB - PAGE - 64)
  assert.is(first, PAGE)
  assert.is(arena.reserve(64), 2 * GIB - 64)
  assert.is(arena.reserve(1), 2 * GIB)
  assert.is(arena.reserve(2 * GIB - 64), 2 * GIB + 64)
  assert.is(memory.buffer.byteLength, 4 * GIB)
  assert.throws(() => arena.reserve(1), /expected at most 4096\.00 MiB in all, got a need of 4096\.01 MiB/)
})

test('kernels above 2 GiB give the bits that they give below, and views read them', async () => {
  const engine = await createEngine(node()), { kernels: k, arena } = engine
  const random = rng(1), m = 7, n = 21, kk = 13, a = random.f32(m * kk), b = random.f32(kk * n)
  const product = () => {
    const left = new Tensor(engine, 'a', [m, kk]).write(a), right = new Tensor(engine, 'b', [kk, n]).write(b), c = new Tensor(engine, 'c', [m, n])
    arena.frame(k['gemm_scratch'](), s => k['matmul'](c.ptr, n, left.ptr, kk, 1, right.ptr, n, 1, m, n, kk, 1, 0, 0, s))
    return { at: c.ptr, values: c.read() }
  }
  const low = product()
  // addresses alone: pages that nobody touches cost nothing
  arena.reserve(2 * GIB - arena.top - 128)
  const across = product()
  assert.ok(low.at < GIB && across.at > 2 * GIB - 1000, 'on both sides of 2 GiB')
  sameBits(across.values, low.values)
  sameBits(low.values, matmul({ m, n, k: kk, a, aRow: kk, aColumn: 1, b, bRow: n, bColumn: 1 }, Math.fround))
})

test('the SIMD build is chosen where the engine accepts SIMD, the scalar one elsewhere', () => {
  assert.is(hasSimd(), true)
  assert.is(bestVariant(), 'simd')
  const { validate } = WebAssembly
  try {
    WebAssembly.validate = () => false
    assert.is(hasSimd(), false)
    assert.is(bestVariant(), 'scalar')
  } finally {
    WebAssembly.validate = validate
  }
})

test.run()
