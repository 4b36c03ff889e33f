import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { both } from '../support/both.ts'
import { close, EPS } from '../support/close.ts'
import { checkGradient, dot } from '../support/gradient.ts'
import { rng } from '../support/rng.ts'
import * as reference from '../reference/embedding.ts'

const run = await both()
const V = 7, M = 12
const ids = new Int32Array([3, 0, 6, 3, 3, 1, 5, 0, 3, 6, 4, 3])

test('embedding forward, add and backward: every remainder of C, repeated rows added in ascending order', () => {
  for (const C of [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 64, 131]) {
    const random = rng(C)
    const table = random.f32(V * C), dy = random.f32(M * C), start = random.f32(V * C), before = random.f32(M * C)
    const got = run(`embedding ${C}`, ({ k, put, out, change }) => {
      const at = put(ids), from = put(table)
      k.embedding_forward(out('y', M * C), at, from, M, C)
      k.embedding_add_forward(change('sum', before), at, from, M, C)
      k.embedding_backward(change('dtable', start), put(dy), at, M, C)
    })
    close(got.y, reference.embeddingForward(ids, table, M, C), 0, 'y')
    const sum = reference.embeddingAddForward(before, ids, table, M, C)
    close(got.sum, sum, (i) => EPS * Math.abs(sum[i]), 'sum')
    const most = Math.max(0, ...dy.map(Math.abs), ...start.map(Math.abs))
    const dtable = reference.embeddingBackward(dy, ids, M, V, C).map((v, i) => v + start[i])
    close(got.dtable, dtable, 5 * 6 * EPS * most, 'dtable')
    // the same sums in f32, m ascending, bit by bit
    const exact = start.slice()
    for (let m = 0; m < M; m++) for (let c = 0; c < C; c++) exact[ids[m] * C + c] += dy[m * C + c]
    assert.equal(got.dtable, exact)
  }
})

test('the reference gradient of the table agrees with differences', () => {
  const C = 3, table = rng(1).f32(V * C), dy = rng(2).f32(M * C)
  const gradient = reference.embeddingBackward(dy, ids, M, V, C)
  checkGradient((v) => dot(reference.embeddingForward(ids, v, M, C), dy), table, gradient)
})

test.run()
