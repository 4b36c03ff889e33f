import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { KINDS, split } from '../../src/wasm/split.ts'
import { bench } from '../support/kernels.ts'
import type { Bench } from '../support/kernels.ts'
import { rng } from '../support/rng.ts'

/** Arrays of a call by argument: floats to read, floats to write (or both), or integers. */
type Args = (b: Bench, f: (n: number) => number, out: (n: number) => number) => number[]

const M = 37, C = 22, N = 29, K = 26
const OFFSETS = [0, 1, 20, 22, M]
const ids = (b: Bench) => b.put(Int32Array.from({ length: M }, (_, i) => i * 7 % 11))
const offsets = (b: Bench) => b.put(Int32Array.from(OFFSETS))
const scratch = (b: Bench) => b.space(Math.max(b.k.gemm_scratch(), b.k.int8_scratch(), b.k.attention_scratch(M)))

function packed(b: Bench, format: number, f: (n: number) => number): number {
  const to = b.space(b.k.packed_weight_length(N, K) * 4)
  b.k.pack_weight(to, f(N * K), format, N, K, scratch(b))
  return to
}

function int8(b: Bench, f: (n: number) => number, backward: boolean): [number, number] {
  const w = b.space(N * K), scale = b.out(N), to = b.space(b.k.int8_packed_bytes(N + 8, K + 8))
  b.k.int8_quantize(w, scale, f(N * K), N, K)
  if (backward) b.k.int8_pack(to, w, 1, K, K, N)
  else b.k.int8_pack(to, w, K, 1, N, K)
  return [to, scale]
}

function operand(b: Bench, f: (n: number) => number, L: number): number {
  const to = b.space(b.k.int8_operand_bytes(M, L))
  b.k.int8_rows(to, f(M * L), 0, M, L, 0, M, 5, 0, 0, 0, scratch(b))
  return to
}

const activation = ['gelu_erf', 'gelu_tanh', 'relu', 'silu', 'tanh'].flatMap((name): [string, Args][] => [
  [`${name}_forward`, (_, f, out) => [out(M * C), f(M * C), M * C]], [`${name}_backward`, (_, f, out) => [out(M * C), f(M * C), f(M * C), M * C]],
])

/** A call of each kernel that may be cut; some twice. */
const CALLS: readonly (readonly [string, Args])[] = [
  ...activation,
  ['gelu_erf_slope', (_, f, out) => [out(M * C), out(M * C), f(M * C), M * C]], ['multiply', (_, f, out) => [out(M * C), f(M * C), f(M * C), M * C]],
  ['add', (_, f, out) => [out(M * C), f(M * C), f(M * C), M * C]], ['scale', (_, f, out) => [out(M * C), f(M * C), 0.3, M * C]],
  ['copy', (_, f, out) => [out(M * C), f(M * C), M * C]], ['zero', (_, __, out) => [out(M * C), M * C]],
  ['dropout_forward', (_, f, out) => [out(M * C), f(M * C), M, C, 5, 1 << 30, 1.5, 3, 4, 1]],
  ['layer_norm_forward', (_, f, out) => [out(M * C), out(M), out(M), f(M * C), f(C), f(C), M, C, 1e-5]],
  ['add_layer_norm_forward', (_, f, out) => [out(M * C), out(M * C), out(M), out(M), f(M * C), f(M * C), f(C), f(C), M, C, 1e-5]],
  ['layer_norm_backward', (_, f, out) => [out(M * C), f(M * C), f(M * C), f(M), f(M), f(C), M, C]],
  ['l2_normalize_forward', (_, f, out) => [out(M * C), out(M), f(M * C), M, C, 1e-12]],
  ['l2_normalize_backward', (_, f, out) => [out(M * C), f(M * C), f(M * C), f(M), M, C]],
  ['embedding_forward', (b, f, out) => [out(M * C), ids(b), f(11 * C), M, C]], ['embedding_add_forward', (b, f, out) => [out(M * C), ids(b), f(11 * C), M, C]],
  ['embedding_f16_forward', (b, f, out) => [out(M * C), ids(b), f(6 * C), M, C]], ['embedding_f16_add_forward', (b, f, out) => [out(M * C), ids(b), f(6 * C), M, C]],
  ['embedding_int8_forward', (b, f, out) => [out(M * C), ids(b), f(3 * C), f(11), M, C]], ['embedding_int8_add_forward', (b, f, out) => [out(M * C), ids(b), f(3 * C), f(11), M, C]],
  ['cross_entropy_forward', (b, f, out) => [out(M), out(M * C), f(M * C), ids(b), M, C]], ['cross_entropy_backward', (b, f, out) => [out(M * C), f(M * C), ids(b), 0.25, M, C]],
  ...['mean', 'first_token'].flatMap((name): [string, Args][] => [
    [`${name}_pool_forward`, (b, f, out) => [out(4 * C), f(M * C), offsets(b), 4, C]], [`${name}_pool_backward`, (b, f, out) => [out(M * C), f(4 * C), offsets(b), 4, C]],
  ]),
  ...[0, 1, 2].flatMap((format): [string, Args][] => [
    ['linear_forward', (b, f, out) => [out(M * N), f(M * K), packed(b, format, f), format, f(N), M, N, K, scratch(b)]],
    ['linear_backward_input', (b, f, out) => [out(M * K), f(M * N), packed(b, format, f), format, M, N, K, format & 1, scratch(b)]],
  ]),
  ...[4, 5].map((tile): [string, Args] => ['int8_rows', (b, f, out) => [out(b.k.int8_operand_bytes(M, K) / 4), f(M * K), tile === 4 ? f(K) : 0, M, K, 0, M, tile, out(M * N), packed(b, 0, f), N, scratch(b)]]),
  ['int8_product', (b, f, out) => [out(M * N), N, operand(b, f, K), ...int8(b, f, false), f(N), 0, M, N, K, scratch(b)]],
  ['int8_product', (b, f, out) => [out(M * K), K, operand(b, f, N), int8(b, f, true)[0], 0, 0, 1, M, K, N, scratch(b)]],
  ['matmul', (b, f, out) => [out(M * N), N, f(M * K), K, 1, f(N * K), 1, K, M, N, K, 0.5, 2, f(N), scratch(b)]],
  ['matmul', (b, f, out) => [out(N * M), M, f(K * N), 1, N, f(K * M), M, 1, N, M, K, 0.5, 1, 0, scratch(b)]],
  ['matmul', (b, f, out) => [out(N * M), M, f(K * N), 1, N, f(K * M), M, 1, N, M, K, 1, 2, f(M), scratch(b)]],
  ...[0, 1].flatMap((causal): [string, Args][] => [
    ['attention_forward', (b, f, out) => [out(M * 20), f(M * 60), f(M * 60), f(M * 60), offsets(b), 4, 5, 4, 60, 20, 0.5, causal, scratch(b)]],
    ['attention_backward', (b, f, out) => [out(M * 60), out(M * 60), out(M * 60), f(M * 20), f(M * 60), f(M * 60), f(M * 60), offsets(b), 4, 5, 4, 60, 20, 0.5, causal, scratch(b)]],
  ]),
]

/** Runs a call, whole or in pieces that come last first; gives what was written and the largest number of pieces. */
function run(b: Bench, name: string, args: Args, most: number): { outs: Int32Array[], pieces: number } {
  b.reset()
  const random = rng(7), outs: [number, number][] = []
  const values = args(b, n => b.put(random.f32(n)), n => {
    const ptr = b.put(random.f32(n))
    outs.push([ptr, n])
    return ptr
  })
  const calls = split(KINDS[name], values, most, 1e-3)
  for (const call of [...calls].reverse()) b.k[name](...call)
  return { outs: outs.map(([ptr, n]) => b.i32(ptr, n)), pieces: calls.length }
}

for (const variant of ['simd', 'scalar'] as const) {
  test(`every kernel that may be cut gives the bits of the whole call in 2 to 16 pieces, whichever comes first (${variant})`, async () => {
    const b = await bench(variant, 64)
    const cut = new Set<string>()
    for (const [name, args] of CALLS) {
      const whole = run(b, name, args, 1)
      assert.is(whole.pieces, 1, name)
      for (const most of [2, 3, 6, 16]) {
        const { outs, pieces } = run(b, name, args, most)
        assert.equal(outs, whole.outs, `${name} in ${pieces} of ${most}`)
        if (pieces > 1) cut.add(name)
      }
    }
    const may = Object.keys(KINDS).filter(name => KINDS[name].axis !== undefined && name !== 'first_nonfinite')
    assert.equal(may.filter(name => !cut.has(name)), [])
  })
}

test('a call that takes less than two pieces are worth stays whole; a long one has as many as asked for', () => {
  assert.is(split(KINDS['add'], [0, 0, 0, 1000], 8).length, 1)
  assert.is(split(KINDS['add'], [0, 0, 0, 1_000_000], 8).length, 8)
  assert.is(split(KINDS['column_sums'], [0, 0, 1_000_000, 1000], 8).length, 1)
})

test.run()
