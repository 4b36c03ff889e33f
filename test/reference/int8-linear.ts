/** The definition of assembly/kernels/int8-linear.ts, in plain integers and rounded f32 operations: compare bits. */
const f = Math.fround

/** Nearest integer, halves to even. */
function nearestEven(x: number): number {
  const low = Math.floor(x), rest = x - low
  return rest < 0.5 ? low : rest > 0.5 ? low + 1 : low % 2 === 0 ? low : low + 1
}

export function int8Limit(L: number): number { return Math.min(32767, Math.floor((2 ** 31 - 1) / (127 * L))) }

/** The largest magnitude, NaN where any is not finite; and whether it counts as more than zeros. */
function topOf(row: Float32Array): { top: number, counts: boolean } {
  let top = 0
  for (const z of row) {
    if (!Number.isFinite(z)) return { top: NaN, counts: false }
    top = Math.max(top, Math.abs(z))
  }
  return { top, counts: top >= 2 ** -110 }
}

export function int8Quantize(W: Float32Array, N: number, K: number): { w: Int8Array, scale: Float32Array } {
  const w = new Int8Array(N * K), scale = new Float32Array(N)
  for (let n = 0; n < N; n++) {
    const row = W.subarray(n * K, n * K + K), { top, counts } = topOf(row)
    scale[n] = counts ? f(top / 127) : top * 0
    if (counts) row.forEach((z, k) => { w[n * K + k] = inside(nearestEven(f(z * f(127 / top))), 127) })
  }
  return { w, scale }
}

export function quantizeRow(row: Float32Array): { q: Int32Array, scale: number } {
  const limit = int8Limit(row.length), { top, counts } = topOf(row)
  if (!counts) return { q: new Int32Array(row.length), scale: top * 0 }
  const factor = f(limit / top)
  return { q: Int32Array.from(row, z => inside(nearestEven(f(z * factor)), limit)), scale: f(top / limit) }
}

/** The proof of the bound rests on this: what is rounded is at most half an integer beyond it. */
function inside(q: number, limit: number): number {
  if (Math.abs(q) > limit) throw new RangeError(`expected integers within ${limit}, got ${q}`)
  return q
}

function checked(sum: number): number {
  if (Math.abs(sum) > 2 ** 31 - 1) throw new RangeError(`expected a sum within int32, got ${sum}`)
  return f(sum)
}

/** Rows as integers, each with its scale; with a fold, the rows times it. */
export function int8Rows(x: Float32Array, fold: Float32Array | undefined, M: number, L: number): readonly { q: Int32Array, scale: number }[] {
  return Array.from({ length: M }, (_, m) => {
    const row = x.subarray(m * L, m * L + L)
    return quantizeRow(fold ? row.map((z, l) => f(z * fold[l])) : row)
  })
}

/** Sums of products of integers, back in f32; column c of the weight has its term l at w[c * columnStride + l * termStride]. */
export function int8Product(
  rows: ReturnType<typeof int8Rows>, w: Int8Array, columnStride: number, termStride: number, columns: number,
  after: Float32Array | undefined, bias: ((m: number, c: number) => number) | undefined,
): Float32Array {
  const out = new Float32Array(rows.length * columns)
  rows.forEach(({ q, scale }, m) => {
    for (let c = 0; c < columns; c++) {
      let sum = 0
      for (let l = 0; l < q.length; l++) sum += q[l] * w[c * columnStride + l * termStride]
      const value = f((after ? f(checked(sum) * after[c]) : checked(sum)) * scale)
      out[m * columns + c] = bias ? f(value + bias(m, c)) : value
    }
  })
  return out
}

export function int8Forward(
  x: Float32Array, w: Int8Array, scale: Float32Array, bias: Float32Array | undefined, M: number, N: number, K: number,
): Float32Array {
  return int8Product(int8Rows(x, undefined, M, K), w, K, 1, N, scale, bias && ((_, n) => bias[n]))
}

export function int8BackwardInput(
  dy: Float32Array, w: Int8Array, scale: Float32Array, start: Float32Array | undefined, M: number, N: number, K: number,
): Float32Array {
  return int8Product(int8Rows(dy, scale, M, N), w, 1, K, K, undefined, start && ((m, k) => start[m * K + k]))
}

/** Column c, term l of panels of eight columns, pairs of terms: [columns / 8][terms / 2][8][2], zeros outside. */
export function int8Pack(w: Int8Array, columnStride: number, termStride: number, columns: number, terms: number): Int8Array {
  const even = terms + terms % 2
  const out = new Int8Array(Math.ceil(columns / 8) * 8 * even)
  for (let c = 0; c < columns; c++) {
    for (let l = 0; l < terms; l++) {
      out[Math.floor(c / 8) * 8 * even + Math.floor(l / 2) * 16 + c % 8 * 2 + l % 2] = w[c * columnStride + l * termStride]
    }
  }
  return out
}
