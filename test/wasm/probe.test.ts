/** What a thread is refused for: asked of real builds with one instruction exchanged, and of modules that answer wrongly. */
import { readFileSync } from 'node:fs'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import type { Host, Variant } from '../../src/host.ts'
import { node } from '../../src/runtime/node.ts'
import { createEngine } from '../../src/wasm/engine.ts'
import { instantiate } from '../../src/wasm/instantiate.ts'
import type { Kernels } from '../../src/wasm/instantiate.ts'
import { arithmeticFaults, memoryFaults } from '../../src/wasm/probe.ts'
import { rejects } from '../support/rejects.ts'

const text = (s: string) => [s.length, ...new TextEncoder().encode(s)]
const section = (id: number, ...body: number[]) => [id, body.length, ...body]

/** A module whose `arithmetic_probe` gives `answer`, and whose `zero` does nothing. */
function answering(answer: number): WebAssembly.Module {
  return new WebAssembly.Module(Uint8Array.from([0, 97, 115, 109, 1, 0, 0, 0,
    ...section(1, 2, 0x60, 5, 0x7d, 0x7d, 0x7d, 0x7d, 0x7c, 1, 0x7f, 0x60, 2, 0x7f, 0x7f, 0),
    ...section(2, 1, ...text('env'), ...text('memory'), 2, 0, 1),
    ...section(3, 2, 0, 1),
    ...section(7, 2, ...text('arithmetic_probe'), 0, 0, ...text('zero'), 0, 1),
    ...section(10, 2, 4, 0, 0x41, answer, 0x0b, 2, 0, 0x0b)]))
}

/** Node's host with other modules for some builds. */
const host = (modules: Partial<Record<Variant, WebAssembly.Module>>): Host =>
  ({ ...node(), module: async variant => modules[variant] ?? node().module(variant) })

const built = (variant: Variant) => new Uint8Array(readFileSync(`dist/wasm/sotto.${variant}.wasm`))
const own = () => new WebAssembly.Memory({ initial: 1, maximum: 8 })

/** The build with an instruction exchanged for another of the same length, wherever it stands. */
function exchanged(variant: Variant, from: number[], to: number[]): WebAssembly.Module {
  const bytes = built(variant)
  let count = 0
  for (let at = 0; at < bytes.length - from.length; at++) {
    if (from.every((byte, i) => bytes[at + i] === byte)) {
      bytes.set(to, at)
      count++
    }
  }
  assert.ok(count > 0)
  return new WebAssembly.Module(bytes)
}

const faults = async (module: WebAssembly.Module) => arithmeticFaults(await instantiate(module, own()))

test('this thread is fit, on the SIMD and on the scalar build', async () => {
  for (const variant of ['simd', 'scalar'] as const) {
    const memory = own(), kernels = await instantiate(new WebAssembly.Module(built(variant)), memory)
    assert.equal(arithmeticFaults(kernels), [])
    assert.equal(memoryFaults(kernels, memory, true), [])
    assert.is(memory.buffer.byteLength, 2 * 65536)
    assert.equal(memoryFaults(kernels, memory, false), [])
    assert.is(memory.buffer.byteLength, 2 * 65536)
  }
})

test('the real build with one instruction exchanged is found out: max, pmax, multiplication, addition, division, root, dot', async () => {
  const cases: [string, number[], number[], RegExp][] = [
    ['f32x4.max as pmax', [0xfd, 0xe9, 1], [0xfd, 0xeb, 1], /sign of zero/],
    ['f32x4.pmax as max', [0xfd, 0xeb, 1], [0xfd, 0xe9, 1], /sign of zero/],
    ['f32x4.pmin as min', [0xfd, 0xea, 1], [0xfd, 0xe8, 1], /sign of zero/],
    ['f32x4.mul as min', [0xfd, 0xe6, 1], [0xfd, 0xe8, 1], /denormals/],
    ['f32x4.add as sub', [0xfd, 0xe4, 1], [0xfd, 0xe5, 1], /denormals/],
    ['f32x4.div as mul', [0xfd, 0xe7, 1], [0xfd, 0xe6, 1], /rounding/],
    ['i32x4.dot_i16x8_s as i32x4.mul', [0xfd, 0xba, 1], [0xfd, 0xb5, 1], /lanes/],
  ]
  for (const [title, from, to, message] of cases) assert.match((await faults(exchanged('simd', from, to))).join(), message, title)
})

test('questions that a thread with flushed denormals would ask itself get the answer 1', async () => {
  const kernels = await instantiate(new WebAssembly.Module(built('simd')), own())
  // 2^-126 flushed to zero, in f32 and in f64; then the other bits stay clear
  for (const [tiny, tiniest] of [[0, 2 ** -1022], [2 ** -126, 0]]) {
    assert.is(kernels['arithmetic_probe'](tiny, 0.5, 1 + 2 ** -12, 0, tiniest) & 7, 1)
  }
  // a fused product would leave 2^-24, as this one does
  assert.is(kernels['arithmetic_probe'](2 ** -126, 0.5, 1 + 2 ** -11 + 2 ** -23, 0, 2 ** -1022), 8)
})

test('a wrong SIMD build gives way to the scalar one, which has the same bits', async () => {
  for (const answer of [1, 2, 4, 8, 15]) {
    const engine = await createEngine(host({ simd: answering(answer) }))
    assert.is(engine.variant, 'scalar')
  }
  const broken = exchanged('simd', [0xfd, 0xe4, 1], [0xfd, 0xe5, 1])
  assert.is((await createEngine(host({ simd: broken }))).variant, 'scalar')
})

test('where the scalar build is wrong too, is missing, or was not allowed, the thread is refused', async () => {
  const expected: [number, RegExp][] = [
    [1, /expected gradual underflow, got flushed denormals on this thread/], [2, /another sign of zero/],
    [4, /vectors to keep their lanes/], [8, /one rounding to nearest/], [9, /flushed denormals .*; and one rounding/],
  ]
  for (const [answer, message] of expected) {
    const wrong = answering(answer)
    await rejects(createEngine(host({ simd: wrong, scalar: wrong })), message)
    await rejects(createEngine(host({ simd: wrong }), { variant: 'simd' }), message)
    await rejects(createEngine(host({ scalar: wrong }), { variant: 'scalar' }), message)
    await rejects(createEngine({ ...node(), module: async variant => {
      if (variant === 'scalar') throw new Error('no such build')
      return wrong
    } }), message)
  }
})

test('a memory that refuses to grow, grows by too little, keeps old views, or is not the one of the kernels is found out', () => {
  const kernels: Kernels = { zero: (ptr, n) => { new Float32Array(real.buffer, ptr, n).fill(0); return 0 } }
  let real = own()
  const fake = (changes: Partial<WebAssembly.Memory>) => {
    real = own()
    return { get buffer() { return real.buffer }, grow: (n: number) => real.grow(n), ...changes } as WebAssembly.Memory
  }
  assert.equal(memoryFaults(kernels, fake({}), true), [])
  assert.match(memoryFaults(kernels, fake({ grow: n => n === 0 ? 1 : real.grow(1000) }), true).join(), /can grow by 64 KiB, but the runtime refused/)
  assert.match(memoryFaults(kernels, fake({ grow: () => 1 }), true).join(), /131072 bytes after growing, got 65536/)
  assert.match(memoryFaults(kernels, fake({ grow: () => 3 }), false).join(), /a view of another size/)
  assert.match(memoryFaults({ zero: () => 0 }, fake({}), true).join(), /got another memory/)
})

test('an engine whose memory the runtime will not let grow is refused; one that is planned too small for a page is not asked', async () => {
  const { Memory } = WebAssembly
  class Stubborn extends Memory {
    override grow(pages: number): number {
      if (pages > 0) throw new RangeError('refused')
      return super.grow(0)
    }
  }
  try {
    WebAssembly.Memory = Stubborn
    await rejects(createEngine(node()), /expected a memory that can grow by 64 KiB, but the runtime refused/)
    assert.is((await createEngine(node(), { maximum: 65536 })).arena.memory.buffer.byteLength, 65536)
  } finally {
    WebAssembly.Memory = Memory
  }
})

test.run()
