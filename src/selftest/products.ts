/**
 * Matrix products: every remainder of a tile, all layouts, the borders of blocks, special values, and each format of a
 * frozen weight, forward and backward.
 * @module
 */
import { packedWeight } from '../ops/weight.ts'
import type { WeightFormat } from '../ops/weight.ts'
import type { Desk } from './desk.ts'
import type { Section } from './section.ts'
import type { Sink } from './sink.ts'
import { SPECIAL, uniform } from './values.ts'

interface Product {
  readonly m: number
  readonly n: number
  readonly k: number
  /** Whether A [m, k] and B [k, n] lie by rows or by columns. */
  readonly aRows: boolean
  readonly bRows: boolean
}

const LAYOUTS = [[true, false], [true, true], [false, true], [false, false]] as const

/** C = start + alpha A B, into rows with a gap; the numbers are the first of `a` and `b`. */
function product(desk: Desk, sink: Sink, { m, n, k, aRows, bRows }: Product, a: number, b: number, c: number, bias: number, scratch: number): void {
  const ldc = n + (m + n) % 3
  // 0: from zero, 1: from what is there, 2: from a bias
  const from = (m + n + k) % 3
  desk.k['matmul'](c, ldc, a, aRows ? k : 1, aRows ? 1 : m, b, bRows ? n : 1, bRows ? 1 : k, m, n, k, k % 2 === 0 ? 1 : -0.3, from,
    from === 2 ? bias : 0, scratch)
  sink.f32(desk.f32(c, m * ldc))
}

/** Runs `body` with each tile that the module holds: none may change a bit. */
function withEachTile({ k }: Desk, body: () => void): void {
  const [floats, integers] = [k['gemm_tile'](0), k['int8_tile'](0)]
  for (const rows of [4, 5]) {
    k['gemm_tile'](rows)
    k['int8_tile'](rows)
    body()
  }
  k['gemm_tile'](floats)
  k['int8_tile'](integers)
}

function matmul(name: string, level: 'quick' | 'full', sizes: readonly (readonly [number, number, number])[], special = false): Section {
  return { name: `kernel/matmul ${name}`, level, run: ({ desk }, sink) => withEachTile(desk, () => {
    for (const [aRows, bRows] of LAYOUTS) {
      desk.clear()
      const most = (f: (size: readonly [number, number, number]) => number) => Math.max(...sizes.map(f))
      const values = (label: string, length: number) => {
        const x = uniform(label, length, 3)
        if (special) for (let i = 0; i < length; i += 7) x[i] = SPECIAL[1 + i % (SPECIAL.length - 1)]
        return x
      }
      const a = desk.put(values('A', most(([m, , k]) => m * k))), b = desk.put(values('B', most(([, n, k]) => n * k)))
      const c = desk.put(values('C', most(([m, n]) => m * (n + 2)))), bias = desk.put(values('bias', most(([, n]) => n)))
      const scratch = desk.space(desk.k['gemm_scratch']())
      for (const [m, n, k] of sizes) product(desk, sink, { m, n, k, aRows, bRows }, a, b, c, bias, scratch)
    }
  }) }
}

const upTo = (m: number, n: number, k: number): [number, number, number][] =>
  Array.from({ length: m * n * k }, (_, i) => [1 + i % m, 1 + Math.floor(i / m) % n, 1 + Math.floor(i / m / n)])

/** Across blocks of rows (241: two of them), and around those of 384 terms and 768 columns. */
const BLOCKS: [number, number, number][] = [...[383, 384, 385, 769].map((k): [number, number, number] => [6, 9, k]),
  ...[767, 768, 769, 773].map((n): [number, number, number] => [2, n, 3]), ...[119, 120, 121, 241].map((m): [number, number, number] => [m, 5, 4]),
  [123, 771, 13], [17, 19, 391]]

/** y = x W^T + bias and dx = dy W, with one packed weight. */
function frozen(format: WeightFormat): Section {
  return { name: `kernel/linear ${format}`, level: 'full', run: ({ desk, engine }, sink) => withEachTile(desk, () => {
    const sizes = [...upTo(1, 17, 17), ...BLOCKS.map(([m, n, k]): [number, number, number] => [m, n, k]), [3, 385, 12], [122, 30, 390]]
    for (const [rows, N, K] of sizes) {
      desk.clear()
      const M = rows === 1 ? 1 + (N + K) % 6 : rows
      const values = uniform(`W ${N} ${K}`, N * K)
      // a row of zeros, a tiny one and a huge one
      if (N > 3) values.fill(0, K, 2 * K)
      for (let i = 2 * K; N > 4 && i < 4 * K; i++) values[i] *= i < 3 * K ? 1e-4 : 1e4
      const weight = packedWeight(engine, format, N, K, values)
      const scratch = desk.space(weight.scratch), x = desk.put(uniform(`x ${M}`, M * K, 2)), dy = desk.put(uniform(`dy ${M}`, M * N, 1e-3))
      const y = desk.space(4 * M * N), dx = desk.put(uniform(`dx ${M}`, M * K))
      weight.forward(desk.k, y, x, K % 2 === 0 ? desk.put(uniform('bias', N)) : 0, M, scratch)
      weight.backwardInput(desk.k, dx, dy, M, N % 2 === 0, scratch)
      sink.f32(weight.read()).f32(desk.f32(y, M * N)).f32(desk.f32(dx, M * K)).f64(desk.k['int8_limit'](N * K))
    }
  }) }
}

export const products: readonly Section[] = [
  matmul('small', 'quick', upTo(7, 10, 3)),
  matmul('remainders', 'full', upTo(17, 17, 17)),
  matmul('blocks', 'full', BLOCKS),
  matmul('special values', 'full', upTo(6, 17, 5), true),
  ...(['f32', 'f16', 'bf16', 'int8'] as const).map(frozen),
]
