import { test } from 'uvu'
import { fromF32, toF32 } from '../../src/checkpoint/dtype.ts'
import { both } from '../support/both.ts'
import { close, EPS, sameBits } from '../support/close.ts'
import { rng } from '../support/rng.ts'
import { linearBackwardInput, linearForward } from '../reference/linear.ts'

const run = await both()
const formats = [['f32', 'F32', 4], ['f16', 'F16', 2], ['bf16', 'BF16', 2]] as const

/** Forward and backward with one packed copy, against the definition on the weights as the format holds them. */
function check(M: number, N: number, K: number, code: number, biased: boolean, accumulate: boolean): void {
  const [name, dtype, size] = formats[code]
  const title = `${name} [${M}, ${N}, ${K}]${biased ? ' bias' : ''}${accumulate ? ' accumulate' : ''}`
  const random = rng(M * 7919 + N * 104729 + K * 31 + code)
  const w = random.f32(N * K), x = random.f32(M * K), bias = random.f32(N), dy = random.f32(M * N), dx = random.f32(M * K)
  const held = toF32(fromF32(w, dtype), dtype)
  const got = run(title, ({ k, put, out, change, scratch: reserve }) => {
    const scratch = reserve(k.gemm_scratch())
    const length = k.packed_weight_length(N, K)
    const packed = reserve(length * size)
    k.pack_weight(packed, put(w), code, N, K, scratch)
    k.linear_forward(out('y', M * N), put(x), packed, code, biased ? put(bias) : 0, M, N, K, scratch)
    k.linear_backward_input(change('dx', dx), put(dy), packed, code, M, N, K, accumulate ? 1 : 0, scratch)
  })
  sameBits(got.y, linearForward(x, held, biased ? bias : undefined, M, N, K, Math.fround), `${title}: y`)
  sameBits(got.dx, linearBackwardInput(dy, held, accumulate ? dx : undefined, M, N, K, Math.fround), `${title}: dx`)
  if (M * N * K > 1e5) return
  const abs = (v: Float32Array) => v.map(Math.abs)
  const ySize = linearForward(abs(x), abs(held), biased ? abs(bias) : undefined, M, N, K)
  close(got.y, linearForward(x, held, biased ? bias : undefined, M, N, K), i => (K + 3) * EPS * 1.01 * ySize[i], `${title}: y`)
  const dxSize = linearBackwardInput(abs(dy), abs(held), accumulate ? abs(dx) : undefined, M, N, K)
  close(got.dx, linearBackwardInput(dy, held, accumulate ? dx : undefined, M, N, K), i => (N + 3) * EPS * 1.01 * dxSize[i], `${title}: dx`)
}

for (const [code, [name]] of formats.entries()) {
  test(`${name}: pack_weight, linear_forward, linear_backward_input for every N and K of 1..17: the bits of a product with the held weights, within roundings of doubles, both builds`, () => {
    for (let N = 1; N <= 17; N++) for (let K = 1; K <= 17; K++) check((N + K) % 6 + 1, N, K, code, (N + K) % 2 === 0, N % 2 === 0)
  })

  test(`${name}: across the blocks: K over 384 and 768, N over 384 and 768, M over 140 change no bit`, () => {
    for (const [M, N, K] of [[3, 5, 383], [3, 13, 385], [2, 12, 769], [2, 9, 776], [3, 383, 5], [3, 385, 12], [2, 767, 9], [2, 773, 4], [140, 3, 5], [141, 6, 7], [142, 388, 390], [281, 4, 3]]) {
      check(M, N, K, code, true, true)
      if (M < 10) check(M, N, K, code, false, false)
    }
  })
}

test.run()
