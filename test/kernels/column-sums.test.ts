import { test } from 'uvu'
import { both } from '../support/both.ts'
import { close, EPS, sameBits } from '../support/close.ts'
import { checkGradient, dot } from '../support/gradient.ts'
import { rng } from '../support/rng.ts'
import { columnSums } from '../reference/column-sums.ts'

const run = await both()

test('column_sums for C 0..13 and 0..200 rows: the bits of the definition, within M roundings of doubles, both builds, nothing else written', () => {
  for (const M of [0, 1, 2, 5, 200]) {
    for (let C = 0; C <= 13; C++) {
      const x = rng(M * 100 + C).f32(M * C)
      const { out } = run(`column_sums [${M}, ${C}]`, ({ k, put, out }) => { k.column_sums(out('out', C), put(x), M, C, 0) })
      sameBits(out, columnSums(x, M, C, Math.fround), `[${M}, ${C}]`)
      const sizes = columnSums(x.map(Math.abs), M, C)
      close(out, columnSums(x, M, C), j => M * EPS * 1.01 * sizes[j], `[${M}, ${C}]`)
    }
  }
})

test('column sums are the gradient of a bias that is added to every row', () => {
  const M = 4, C = 3, random = rng(1), dy = random.f32(M * C)
  checkGradient(bias => dot(Array.from(dy, (_, i) => bias[i % C]), dy), random.f32(C), columnSums(dy, M, C))
})

test.run()
