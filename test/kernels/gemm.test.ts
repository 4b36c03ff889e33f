import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { both } from '../support/both.ts'
import { close, EPS, sameBits } from '../support/close.ts'
import { checkGradient, dot } from '../support/gradient.ts'
import { rng } from '../support/rng.ts'
import { FROM_BIAS, FROM_C, FROM_ZERO, matmul } from '../reference/gemm.ts'

const run = await both()
const GAP = 12345

interface Layout {
  readonly name: string
  /** A [m, k] lies by rows, or by columns. */
  readonly aByRows: boolean
  /** B [k, n] lies by rows, or by columns. */
  readonly bByRows: boolean
}

const layouts: Layout[] = [
  { name: 'x W^T', aByRows: true, bByRows: false },
  { name: 'dy W', aByRows: true, bByRows: true },
  { name: 'dy^T x', aByRows: false, bByRows: true },
  { name: 'A^T B^T', aByRows: false, bByRows: false },
]

interface Case extends Layout {
  readonly m: number
  readonly n: number
  readonly k: number
  readonly alpha: number
  readonly from: number
  /** Floats between the end of a row (or column) and the next; in C they must stay as they are. */
  readonly gap: number
}

/** Runs one product on both builds; checks the bits against the definition, the sums against doubles, and the gaps. */
function check(c: Case): void {
  const { m, n, k, alpha, from, gap } = c
  const title = `${c.name} ${m} x ${n} x ${k}, from ${from}, alpha ${alpha}, gap ${gap}`
  const random = rng(m * 7919 + n * 104729 + k * 31 + from)
  const aRow = c.aByRows ? k + gap : 1, aColumn = c.aByRows ? 1 : m + gap
  const bRow = c.bByRows ? n + gap : 1, bColumn = c.bByRows ? 1 : k + gap
  const a = random.f32((m + gap) * (k + gap)), b = random.f32((n + gap) * (k + gap)), bias = random.f32(n)
  const ldc = n + gap
  const before = random.f32(m * ldc)
  for (let i = 0; i < m; i++) before.fill(GAP, i * ldc + n, (i + 1) * ldc)
  const { c: got } = run(title, ({ k: kernels, put, change, scratch }) => {
    const space = scratch(kernels.gemm_scratch())
    kernels.matmul(change('c', before), ldc, put(a), aRow, aColumn, put(b), bRow, bColumn, m, n, k, alpha, from,
      from === FROM_BIAS ? put(bias) : 0, space)
  })
  const start = (i: number, j: number) => from === FROM_C ? before[i * ldc + j] : from === FROM_BIAS ? bias[j] : 0
  const product = { m, n, k, a, aRow, aColumn, b, bRow, bColumn, alpha: Math.fround(alpha), start }
  const values = new Float32Array(m * n)
  for (let i = 0; i < m; i++) {
    values.set(got.subarray(i * ldc, i * ldc + n), i * n)
    for (let j = n; j < ldc; j++) if (got[i * ldc + j] !== GAP) assert.unreachable(`${title}: row ${i} is written past its end`)
  }
  sameBits(values, matmul(product, Math.fround), title)
  if (m * n * k > 1e6) return
  // k + 1 roundings of partial sums, two of each product, none larger than the sum of the sizes
  const sizes = matmul({ ...product, a: a.map(Math.abs), b: b.map(Math.abs), alpha: Math.abs(product.alpha), start: (i, j) => Math.abs(start(i, j)) })
  close(values, matmul(product), i => (k + 3) * EPS * 1.01 * sizes[i], title)
}

test('every remainder (m 1..11, n 1..17, k 0..9) of four layouts: the bits of the definition, within k + 3 roundings of doubles, gaps untouched, both builds', () => {
  for (const layout of layouts) {
    for (let m = 1; m <= 11; m++) {
      for (let n = 1; n <= 17; n++) {
        for (let k = 0; k <= 9; k++) {
          check({ ...layout, m, n, k, from: (m + n + k) % 3, alpha: k % 2 ? 1 : -0.3, gap: (m + n) % 2 * 3 })
        }
      }
    }
  }
})

test('every start with every layout, with and without gaps, alpha 1, -2.5 and 0.1', () => {
  for (const layout of layouts) {
    for (const from of [FROM_ZERO, FROM_C, FROM_BIAS]) {
      for (const gap of [0, 5]) for (const alpha of [1, -2.5, 0.1]) check({ ...layout, m: 6, n: 13, k: 7, from, gap, alpha })
    }
  }
})

test('across the blocks: k over 384, n over 768, m over 140 change no bit, gaps untouched, both builds', () => {
  for (const layout of layouts) {
    for (const k of [383, 384, 385, 769]) check({ ...layout, m: 6, n: 9, k, from: k % 3, alpha: 0.5, gap: 1 })
    for (const n of [767, 768, 769, 773]) check({ ...layout, m: 2, n, k: 3, from: n % 3, alpha: 1, gap: 2 })
    for (const m of [139, 140, 141, 281]) check({ ...layout, m, n: 5, k: 4, from: m % 3, alpha: 1, gap: 1 })
  }
  check({ ...layouts[0], m: 143, n: 771, k: 387, from: FROM_BIAS, alpha: 1, gap: 0 })
})

test('no rows or no columns: nothing is written', () => {
  for (const layout of layouts) {
    check({ ...layout, m: 0, n: 5, k: 3, from: FROM_ZERO, alpha: 1, gap: 2 })
    check({ ...layout, m: 4, n: 0, k: 3, from: FROM_ZERO, alpha: 1, gap: 2 })
  }
})

test('strides that skip (heads inside wider rows) and overlapping rows of A', () => {
  const random = rng(5)
  const a = random.f32(400), b = random.f32(400)
  for (const [aRow, aColumn, bRow, bColumn] of [[20, 2, 30, 3], [2, 20, 3, 30], [1, 1, 30, 3], [20, 0, 0, 3]]) {
    const { c } = run(`strides ${aRow} ${aColumn} ${bRow} ${bColumn}`, ({ k, put, out, scratch }) => {
      k.matmul(out('c', 7 * 9), 9, put(a), aRow, aColumn, put(b), bRow, bColumn, 7, 9, 6, 1, FROM_ZERO, 0, scratch(k.gemm_scratch()))
    })
    sameBits(c, matmul({ m: 7, n: 9, k: 6, a, aRow, aColumn, b, bRow, bColumn }, Math.fround), 'strides')
  }
})

test('a NaN or infinity reaches its row (from A) or its column (from B) and nothing else', () => {
  const m = 7, n = 11, k = 5, random = rng(9), a = random.f32(m * k), b = random.f32(k * n)
  for (const bad of [NaN, Infinity]) {
    for (const inA of [true, false]) {
      const left = a.slice(), right = b.slice()
      if (inA) left[3 * k + 2] = bad
      else right[2 * n + 4] = bad
      const { c } = run('NaN', ({ k: kernels, put, out, scratch }) => {
        kernels.matmul(out('c', m * n), n, put(left), k, 1, put(right), n, 1, m, n, k, 1, FROM_ZERO, 0, scratch(kernels.gemm_scratch()))
      })
      c.forEach((v, i) => assert.is(Number.isFinite(v), inA ? Math.floor(i / n) !== 3 : i % n !== 4, `${bad} ${inA} ${i}`))
    }
  }
})

test('the three products of training are each other\'s gradients (differences of the reference)', () => {
  const M = 3, N = 4, K = 5, random = rng(11)
  const x = random.f32(M * K), w = random.f32(N * K), dy = random.f32(M * N)
  const y = (x: ArrayLike<number>, w: ArrayLike<number>) =>
    matmul({ m: M, n: N, k: K, a: x, aRow: K, aColumn: 1, b: w, bRow: 1, bColumn: K })
  checkGradient(v => dot(y(v, w), dy), x, matmul({ m: M, n: K, k: N, a: dy, aRow: N, aColumn: 1, b: w, bRow: K, bColumn: 1 }), 'dx')
  checkGradient(v => dot(y(x, v), dy), w, matmul({ m: N, n: K, k: M, a: dy, aRow: 1, aColumn: N, b: x, bRow: K, bColumn: 1 }), 'dw')
})

test.run()
