/** The reader of binaries knows what a module holds, and the gate stops what it should. Modules are written by hand. */
import { readFileSync } from 'node:fs'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { binaryProblems, exportProblems } from '../../scripts/check/wasm.mjs'
import { summarise } from '../../scripts/check/wasm-binary.mjs'

const section = (id: number, ...content: number[]): number[] => [id, content.length, ...content]
const text = (word: string): number[] => [word.length, ...new TextEncoder().encode(word)]
const MEMORY = section(2, 1, ...text('env'), ...text('memory'), 2, 0, 1)
const SHARED = section(2, 1, ...text('env'), ...text('memory'), 2, 3, 1, 2)

/** A module with one exported function of no parameters. */
function module(code: number[], { imports = MEMORY, name = 'f', locals = [0] }: { imports?: number[], name?: string, locals?: number[] } = {}): Uint8Array {
  const body = [...locals, ...code, 0x0b]
  return new Uint8Array([
    0, 0x61, 0x73, 0x6d, 1, 0, 0, 0, ...section(1, 1, 0x60, 0, 0), ...imports, ...section(3, 1, 0),
    ...section(7, 1, ...text(name), 0, 0), ...section(10, 1, body.length, ...body),
  ])
}

const ZERO = [0x41, 0], VECTOR = [0xfd, 12, ...new Array<number>(16).fill(0)], DROP = 0x1a

test('the hand-written modules are valid, so that what is found in them is real', () => {
  for (const bytes of [module([]), module([...VECTOR, DROP]), module([...ZERO, ...ZERO, ...ZERO, 0xfc, 11, 0])]) assert.ok(WebAssembly.validate(bytes))
})

test('a clean module passes; a vector passes in the simd build and fails in the scalar one', () => {
  assert.equal(binaryProblems('scalar', module([])), [])
  assert.equal(binaryProblems('simd', module([...VECTOR, DROP])), [])
  assert.match(binaryProblems('scalar', module([...VECTOR, DROP]))[0], /no 128-bit vector/)
  assert.match(binaryProblems('scalar', module([], { locals: [1, 1, 0x7b] }))[0], /no 128-bit vector/)
  assert.match(binaryProblems('simd', module([]))[0], /expected 128-bit vectors, got none/)
})

test('the bytes of a vector instruction within a constant are no vector', () => {
  assert.equal(binaryProblems('scalar', module([0x44, 0xfd, 0x0c, 0xfd, 0x80, 2, 0, 0, 0, DROP])), [])
})

test('a relaxed vector instruction fails in every build', () => {
  // f32x4.relaxed_madd is 0xfd 0x105
  const relaxed = module([...VECTOR, ...VECTOR, ...VECTOR, 0xfd, 0x85, 0x02, DROP])
  assert.ok(summarise(relaxed).simd.has(0x105))
  assert.match(binaryProblems('simd', relaxed).join(), /no relaxed vector instruction, got 0xfd 261/)
})

test('a minimum or maximum of floats fails in every function but the one that asks for the sign of zero', () => {
  const f32 = [0x43, 0, 0, 0, 0], f64 = [0x44, 0, 0, 0, 0, 0, 0, 0, 0]
  for (const op of [0x96, 0x97]) assert.match(binaryProblems('scalar', module([...f32, ...f32, op, DROP])).join(), /minimum and maximum .* got some in f:/)
  for (const op of [0xa4, 0xa5]) assert.match(binaryProblems('scalar', module([...f64, ...f64, op, DROP])).join(), /got some in f:/)
  for (const sub of [0xe8, 0xe9, 0xf4, 0xf5]) {
    const code = [...VECTOR, ...VECTOR, 0xfd, sub, 1, DROP]
    assert.ok(WebAssembly.validate(module(code)))
    assert.match(binaryProblems('simd', module(code)).join(), /got some in f:/)
    assert.equal(binaryProblems('simd', module(code, { name: 'arithmetic_probe' })), [])
  }
  // pmin and pmax are comparisons
  for (const sub of [0xea, 0xeb]) assert.equal(binaryProblems('simd', module([...VECTOR, ...VECTOR, 0xfd, sub, 1, DROP])), [])
})

test('a relaxed instruction is found in any spelling of its number', () => {
  assert.match(binaryProblems('simd', module([...VECTOR, ...VECTOR, ...VECTOR, 0xfd, 0x85, 0x82, 0x00, DROP])).join(), /no relaxed vector instruction, got 0xfd 261/)
})

test('an import beside the memory, a wrong memory, a start function, a saturating or atomic instruction fail', () => {
  const abort = section(2, 1, ...text('env'), ...text('abort'), 0, 0)
  assert.match(binaryProblems('scalar', module([], { imports: abort }))[0], /import env\.memory alone, got env\.abort/)
  assert.match(binaryProblems('scalar', module([], { imports: SHARED }))[0], /not shared/)
  assert.match(binaryProblems('shared', module([...VECTOR, DROP]))[0], /shared between threads/)
  assert.match(binaryProblems('scalar', module([0x43, 0, 0, 0, 0, 0xfc, 0, DROP]))[0], /saturating/)
  assert.match(binaryProblems('scalar', module([...ZERO, 0xfe, 0x10, 2, 0, DROP]))[0], /atomic/)
  const start = new Uint8Array([...module([]).slice(0, 8), ...section(8, 0), ...module([]).slice(8)])
  assert.match(binaryProblems('scalar', start)[0], /runs code at instantiation/)
})

test('an unknown instruction is an error, never a guess', () => {
  assert.throws(() => summarise(module([0x06])), /0x6 .* not known/)
})

test('builds that export different names fail', () => {
  assert.equal(exportProblems({ simd: module([]), scalar: module([]) }), [])
  assert.equal(exportProblems({ simd: module([]), scalar: module([], { name: 'g' }) }), [
    'sotto.scalar.wasm does not export f, but sotto.simd.wasm does', 'sotto.scalar.wasm exports g, but sotto.simd.wasm does not',
  ])
})

test('the reader agrees with the engine about imports and exports of the real module, all three builds', () => {
  for (const target of ['simd', 'shared', 'scalar']) {
    const bytes = readFileSync(`dist/wasm/sotto.${target}.wasm`), compiled = new WebAssembly.Module(bytes)
    const summary = summarise(bytes)
    assert.equal([...summary.exports], WebAssembly.Module.exports(compiled).map(({ name }) => name))
    assert.equal(summary.imports.map(({ module: from, name }) => ({ module: from, name, kind: 'memory' })), WebAssembly.Module.imports(compiled))
  }
})

test.run()
