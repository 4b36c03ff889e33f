/** Frozen tables in f16 and int8: bit for bit the definition on both builds, extremes included. */
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { narrowF16 } from '../../src/checkpoint/dtype.ts'
import * as reference from '../reference/narrow-embedding.ts'
import { both } from '../support/both.ts'
import { sameBits } from '../support/close.ts'
import { rng } from '../support/rng.ts'

const run = await both()
const V = 7, M = 12
const ids = new Int32Array([3, 0, 6, 3, 3, 1, 5, 0, 3, 6, 4, 3])
const bytes = (data: Int8Array | Uint16Array) => new Uint8Array(data.buffer)
const halves = (x: Float32Array) => Uint16Array.from(new Uint32Array(x.buffer), narrowF16)

test('embedding_f16, embedding_int8: overwritten and added to, every remainder of C, the bits of the definition', () => {
  for (const C of [0, 1, 2, 3, 4, 5, 7, 8, 9, 12, 15, 16, 17, 31, 64, 131]) {
    const random = rng(C), start = random.f32(M * C)
    const table = halves(random.f32(V * C)), w = Int8Array.from({ length: V * C }, () => random.int(-127, 127)), scale = random.f32(V, 0.01).map(Math.abs)
    const got = run(`narrow ${C}`, ({ k, put, out, change }) => {
      const at = put(ids), half = put(bytes(table)), ints = put(bytes(w)), by = put(scale)
      k.embedding_f16_forward(out('half', M * C), at, half, M, C)
      k.embedding_f16_add_forward(change('halfSum', start), at, half, M, C)
      k.embedding_int8_forward(out('int8', M * C), at, ints, by, M, C)
      k.embedding_int8_add_forward(change('int8Sum', start), at, ints, by, M, C)
    })
    sameBits(got.half, reference.embeddingF16Forward(ids, table, M, C), `f16 ${C}`)
    sameBits(got.halfSum, reference.embeddingF16AddForward(start, ids, table, M, C), `f16 sum ${C}`)
    sameBits(got.int8, reference.embeddingInt8Forward(ids, w, scale, M, C), `int8 ${C}`)
    sameBits(got.int8Sum, reference.embeddingInt8AddForward(start, ids, w, scale, M, C), `int8 sum ${C}`)
  }
})

test('embedding_f16 widens all 65,536 patterns: denormals, infinities, zeros with their sign', () => {
  const table = Uint16Array.from({ length: 65536 }, (_, i) => i), all = Int32Array.from({ length: 65536 }, (_, i) => i)
  const got = run('patterns', ({ k, put, out }) => { k.embedding_f16_forward(out('y', 65536), put(all), put(bytes(table)), 65536, 1) })
  all.forEach(i => { if (!Object.is(got.y[i], reference.half(i))) assert.unreachable(`pattern ${i}: ${got.y[i]}`) })
})

test.run()
