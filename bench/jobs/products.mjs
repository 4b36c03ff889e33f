// Matrix products of training, each checked against its written definition bit for bit, then timed in turn with the
// machine's limit.
import { createEngine } from '../../dist/wasm/engine.js'
import { packedWeight } from '../../dist/ops/weight.js'
import { node } from '../../dist/runtime/node.js'
import { openLimits } from '../lib/limits.mjs'
import { generator, interleaved, repetitions, timeEach } from '../lib/timing.mjs'

const { quick, sizes, spoil = false } = JSON.parse(process.argv[2])
const ROUNDS = quick ? 2 : 25, MS = quick ? 1 : 25
const SAMPLES = 300

const engine = await createEngine(node())
const { kernels, arena } = engine
const limits = await openLimits(quick ? { ms: 0.5, tries: 2 } : { ms: 10, tries: 10 })
const f = Math.fround

function random(length, seed) {
  const next = generator(seed)
  return Float32Array.from({ length }, () => next() * 2 - 1)
}

/** Nearest integer, ties to even. */
function nearest(x) {
  const down = Math.floor(x), rest = x - down
  return rest < 0.5 ? down : rest > 0.5 ? down + 1 : down % 2 === 0 ? down : down + 1
}

/** Rows as integers, by the definition of assembly/kernels/int8-linear.ts: q and the scale of each row. */
function toIntegers(row, limit) {
  const top = row.reduce((most, x) => Math.max(most, Math.abs(x)), 0)
  const factor = top > 0 ? f(limit / top) : 0
  return { q: Array.from(row, (x) => nearest(f(x * factor))), scale: f(top / limit) }
}

/** Where a sample differs from what `expected(row, column)` gives, in words. */
function wrong(title, values, rows, columns, expected) {
  if (spoil) values[0] += 1
  const next = generator(7)
  for (let i = 0; i < SAMPLES; i++) {
    const r = i === 0 ? 0 : Math.floor(next() * rows), c = i === 0 ? 0 : Math.floor(next() * columns)
    const want = expected(r, c), got = values[r * columns + c]
    if (got !== want) return `${title} expected ${want} at row ${r}, column ${c}, got ${got}`
  }
}

/** One sum in ascending order, each product and each sum rounded. */
function ascending(start, count, a, b) {
  let sum = start
  for (let k = 0; k < count; k++) sum = f(sum + f(a(k) * b(k)))
  return sum
}

function compare(run, work, limit) {
  const count = repetitions(run, MS)
  const limitTime = () => 1 / limit()
  const { a, b, ratio } = interleaved(limitTime, () => timeEach(run, count) * 1e6 / work, ROUNDS)
  return { share: 1 / ratio, rate: 1 / b, limit: 1 / a }
}

const results = []
for (const [M, K, N] of sizes) {
  const x = random(M * K, 1), w = random(N * K, 2), bias = random(N, 3), dy = random(M * N, 4)
  const put = (values) => {
    const ptr = arena.reserve(values.length * 4)
    arena.f32(ptr, values.length).set(values)
    return ptr
  }
  const atX = put(x), atBias = put(bias), atDy = put(dy)
  const y = arena.reserve(M * N * 4), dx = arena.reserve(M * K * 4), dw = arena.reserve(N * K * 4)
  for (const format of ['f32', 'int8']) {
    const weight = packedWeight(engine, format, N, K, w)
    const scratch = arena.reserve(Math.max(weight.scratch, kernels.gemm_scratch()))
    const cases = [
      ['x W^T', () => weight.forward(kernels, y, atX, atBias, M, scratch), y, M, N],
      ['dy W', () => weight.backwardInput(kernels, dx, atDy, M, false, scratch), dx, M, K],
    ]
    let expected
    if (format === 'f32') {
      cases.push(['dy^T x', () => kernels.matmul(dw, K, atDy, 1, N, atX, K, 1, N, K, M, 1, 0, 0, scratch), dw, N, K])
      expected = [
        (r, c) => ascending(bias[c], K, (k) => x[r * K + k], (k) => w[c * K + k]),
        (r, c) => ascending(0, N, (n) => dy[r * N + n], (n) => w[n * K + c]),
        (r, c) => ascending(0, M, (m) => dy[m * N + r], (m) => x[m * K + c]),
      ]
    } else {
      const rows = Array.from({ length: N }, (_, n) => {
        const row = w.subarray(n * K, n * K + K), top = row.reduce((most, v) => Math.max(most, Math.abs(v)), 0)
        return { q: Array.from(row, (v) => nearest(f(v * f(127 / top)))), scale: f(top / 127) }
      })
      const forwardLimit = Math.min(32767, Math.floor((2 ** 31 - 1) / (127 * K))), backwardLimit = Math.min(32767, Math.floor((2 ** 31 - 1) / (127 * N)))
      expected = [
        (r, c) => {
          const { q, scale } = toIntegers(x.subarray(r * K, r * K + K), forwardLimit)
          const sum = q.reduce((total, v, k) => total + v * rows[c].q[k], 0)
          return f(f(f(f(sum) * rows[c].scale) * scale) + bias[c])
        },
        (r, c) => {
          const { q, scale } = toIntegers(dy.subarray(r * N, r * N + N).map((v, n) => f(v * rows[n].scale)), backwardLimit)
          return f(f(q.reduce((total, v, n) => total + v * rows[n].q[c], 0)) * scale)
        },
      ]
    }
    cases.forEach(([name, run, out, rows, columns], i) => {
      run()
      const title = `${format} ${name} ${M} x ${K} x ${N}`
      const failed = wrong(title, arena.f32(out, rows * columns), rows, columns, expected[i])
      const result = { format, name, M, K, N }
      results.push(failed ? { ...result, failed } : { ...result, ...compare(run, 2 * M * K * N, format === 'f32' ? limits.f32 : limits.int) })
    })
  }
}
console.log(JSON.stringify({ results }))
