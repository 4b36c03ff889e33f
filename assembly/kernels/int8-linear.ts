/**
 * Products with a frozen int8 weight, exact in integers: W[n, k] = scale[n] * w[n, k], |w| <= 127.
 *
 *   y[M, N]  = bias + x[M, K] W^T        int8_rows(x, no fold), int8_product(after = scale)
 *   dx[M, K] = start + dy[M, N] W        int8_rows(dy, fold = scale), int8_product(no after); start = 0 or dx
 *
 * `int8_rows` brings the other operand to integers once, for all products that read it: row by row, each row by its
 * largest element:
 *
 *   top = max |z|     q = nearest_even(z * (limit / top))     z ~ q * (top / limit)     (all f32)
 *   z = x or, with a fold, z = x[m, l] * fold[l]
 *   limit(L) = min(32767, floor((2^31 - 1) / (127 L)))        L terms in a sum
 *
 * so no sum of L products can leave int32, and integer sums have no order. A row with top < 2^-110 counts as zeros: above
 * it limit / top is finite and top / limit normal. Then, in f32, each operation rounded:
 *
 *   out = ((f32(sum) [* after[c]]) * (top / limit)) [+ bias[c] or out]
 *
 * A NaN or infinity in a row (or in a row of the weight) makes the whole row (column) of the result NaN, so that it
 * cannot be rounded away unseen.
 *
 * While rows are at hand, `int8_rows` also does the f32 product that a low-rank branch wants of them, u = x P^T (gemm.ts).
 *
 * Packed weight, one copy for each product: panels of 8 columns, [columns/8][L/2][8][2] int8, the last panel and an odd L
 * filled with zeros. A block of a panel is widened to int16 once for all rows of a block; one instruction then
 * multiplies eight int16 and adds them in pairs. Neither blocks nor tiles can change a bit.
 *
 * Operand, int8_operand_bytes(M, L): the rows of its tiles (i32), at 64 bytes the scales [M], then tiles [L/2][rows][2] int16, the
 * last tile what is left, an odd L filled with zeros.
 *
 * Outputs must not overlap inputs. `scratch` holds gemm_scratch() bytes for int8_rows, int8_scratch() for int8_product.
 */
import { KC, rowBlocks } from './blocks'
import { counts, quantizeTile, topOf } from './int8-rows'
import { FROM_C, FROM_ZERO } from './tile'

/** Rows that meet a panel at a time, whole tiles of 4 or 5; terms of a panel that stay in the first cache. */
// @ts-ignore: decorator
@inline const MC: i32 = 140
// @ts-ignore: decorator
@inline const LC: i32 = 1024
/** Rows that are read once for all that is made of them: whole tiles. */
// @ts-ignore: decorator
@inline const NEAR: i32 = 20
/** Bytes of an operand before its scales. */
// @ts-ignore: decorator
@inline const SCALES: i32 = 64

/** Where the panel is in the scratch, behind the sums. */
// @ts-ignore: decorator
@inline const PANEL: i32 = MC * 32

/** Rows of a full tile: 5 or 4. */
let fullRows: i32 = 5

/** Rows of a full tile of int8 products in this instance: takes 4 or 5, or leaves them; gives what they are now. */
export function int8_tile(rows: i32): i32 {
  if (rows == 4 || rows == 5) fullRows = rows
  return fullRows
}

/** Largest integer that a row may hold where sums have L terms. */
export function int8_limit(L: i32): i32 { return min<i32>(32767, <i32>(2147483647 / (<i64>127 * <i64>L))) }

/** Bytes of a packed weight of `columns` columns and sums of L terms. */
export function int8_packed_bytes(columns: i32, L: i32): i32 { return ((columns + 7) & ~7) * ((L + 1) & ~1) }

/** Bytes of scratch of int8_product: sums and a panel. */
export function int8_scratch(): i32 { return PANEL + LC * 16 }

/** Bytes of M rows of L terms as integers. */
export function int8_operand_bytes(M: i32, L: i32): i32 { return SCALES + ((M << 2) + 63 & ~63) + M * ((L + 1) & ~1) * 2 }

/** scale[n] = max |W[n, :]| / 127 and w = nearest_even(W * (127 / max)); scale 0 where max < 2^-110. */
export function int8_quantize(w: usize, scale: usize, W: usize, N: i32, K: i32): void {
  for (let n = 0; n < N; n++) {
    const row = W + (<usize>(n * K) << 2)
    const top = topOf(row, 0, K)
    const some = counts(top)
    const factor: f32 = some ? <f32>127 / top : 0
    store<f32>(scale + (<usize>n << 2), some ? top / <f32>127 : top == top ? 0 : top)
    for (let k = 0; k < K; k++) {
      store<i8>(w + <usize>(n * K + k), some ? <i8><i32>nearest<f32>(load<f32>(row + (<usize>k << 2)) * factor) : 0)
    }
  }
}

/** Packs w by strides (in elements): column c, term l at w[c * columnStride + l * termStride]. */
export function int8_pack(out: usize, w: usize, columnStride: i32, termStride: i32, columns: i32, L: i32): void {
  for (let c = 0; c < columns; c += 8) {
    for (let l = 0; l < L; l += 2) {
      for (let i = 0; i < 8; i++) {
        for (let h = 0; h < 2; h++) {
          const inside = c + i < columns && l + h < L
          store<i8>(out++, inside ? load<i8>(w + <usize>((c + i) * columnStride + (l + h) * termStride)) : 0)
        }
      }
    }
  }
}

/**
 * Rows `first` .. first + count of x[M, L] to an operand of M rows, in tiles of `tile` rows (4 or 5; whole tiles, but for the last
 * rows of all), and u[M, n] = x P^T from panels of P (pack_weight); n 0: none. fold 0: none; operand 0: u alone.
 */
export function int8_rows(
  operand: usize, x: usize, fold: usize, M: i32, L: i32, first: i32, count: i32, tile: i32, u: usize, panels: usize, n: i32, scratch: usize,
): void {
  const even = (L + 1) & ~1, limit = <f32>int8_limit(L), end = first + count
  const scales = operand + SCALES, tiles = scales + <usize>((M << 2) + 63 & ~63)
  if (operand && first == 0) store<i32>(operand, tile)
  for (let i = first; i < end; i += NEAR) {
    const to = min(end, i + NEAR)
    for (let r = i; operand && r < to; r += tile) {
      const rows = min(tile, to - r), row = x + (<usize>(r * L) << 2), scale = scales + (<usize>r << 2)
      for (let j = 0; j < rows; j++) {
        const top = topOf(row + (<usize>(j * L) << 2), fold, L), some = counts(top)
        store<f32>(scale + (<usize>j << 2), some ? top / limit : top == top ? 0 : top)
        store<f32>(scratch + (<usize>j << 2), some ? limit / top : 0)
      }
      quantizeTile(tiles + (<usize>(r * even) << 1), row, <usize>L << 2, fold, scratch, rows, L)
    }
    if (n > 0) {
      if (ASC_FEATURE_SIMD) lowRank<v128>(u, x, panels, i, to - i, L, n, scratch)
      else lowRank<f32>(u, x, panels, i, to - i, L, n, scratch)
    }
  }
}

function lowRank<T>(u: usize, x: usize, panels: usize, i: i32, rows: i32, L: i32, n: i32, scratch: usize): void {
  for (let p = 0; p < L; p += KC) {
    rowBlocks<T>(u + (<usize>(i * n) << 2), n, x + (<usize>(i * L + p) << 2), L, 1, panels, L, p,
      rows, n, min(KC, L - p), 1, p == 0 ? FROM_ZERO : FROM_C, 0, scratch)
  }
}

/** out[M, columns], rows `ld` floats apart, from an operand of M rows of L terms. after, bias 0: none. */
export function int8_product(
  out: usize, ld: i32, operand: usize, packed: usize, after: usize, bias: usize, accumulate: i32, M: i32, columns: i32, L: i32, scratch: usize,
): void {
  const even = (L + 1) & ~1, full = load<i32>(operand)
  const scales = operand + SCALES, tiles = scales + <usize>((M << 2) + 63 & ~63)
  // blocks of about the same size: whole tiles of rows, pairs of terms
  const blocks = (M + MC - 1) / MC, mc = blocks > 0 ? ((M + blocks - 1) / blocks + full - 1) / full * full : full
  const parts = (even + LC - 1) / LC, lc = parts > 0 ? ((even + parts - 1) / parts + 1) & ~1 : 0
  for (let i = 0; i < M; i += mc) {
    const rows = min(mc, M - i)
    for (let j = 0; j < columns; j += 8) {
      const b = packed + <usize>(j * even), width = min(8, columns - j)
      const after8 = after ? after + (<usize>j << 2) : 0, bias8 = bias ? bias + (<usize>j << 2) : 0
      if (even > lc) memory.fill(scratch, 0, <usize>(rows << 5))
      for (let p = 0; p < even; p += lc) {
        const terms = min(lc, even - p)
        if (ASC_FEATURE_SIMD) widen(scratch + PANEL, b + (<usize>p << 3), terms)
        for (let r = i; r < i + rows; r += full) {
          const count = min(full, M - r)
          const a = tiles + (<usize>(r * even + p * count) << 1), sum = scratch + (<usize>(r - i) << 5)
          if (ASC_FEATURE_SIMD) sums(count, sum, a, scratch + PANEL, terms, even > lc)
          else plainSums(count, sum, a, b + (<usize>p << 3), terms, even > lc)
          // tile by tile, so that its stores hide behind the next tile's products
          if (p + lc >= even) {
            finish(out + (<usize>(r * ld + j) << 2), <usize>ld << 2, sum, scales + (<usize>r << 2), after8, bias8, accumulate != 0, count, width)
          }
        }
      }
    }
  }
}

/** A block of a panel as int16. */
function widen(out: usize, panel: usize, terms: i32): void {
  const end = panel + (<usize>terms << 3)
  for (; panel < end; panel += 16) {
    v128.store(out, v128.load_ext<i8>(panel))
    v128.store(out, v128.load_ext<i8>(panel, 8), 16)
    out += 32
  }
}

function sums(rows: i32, out: usize, a: usize, b: usize, terms: i32, more: bool): void {
  if (rows == 5) tile(5, out, a, b, terms, more)
  else if (rows == 4) tile(4, out, a, b, terms, more)
  else if (rows == 3) tile(3, out, a, b, terms, more)
  else if (rows == 2) tile(2, out, a, b, terms, more)
  else tile(1, out, a, b, terms, more)
}

/** out[rows][8] int32, added to where there is `more` than this block. */
// @ts-ignore: decorator
@inline
function tile(rows: i32, out: usize, a: usize, b: usize, terms: i32, more: bool): void {
  let x0 = i32x4.splat(0), y0 = x0, x1 = x0, y1 = x0, x2 = x0, y2 = x0, x3 = x0, y3 = x0, x4 = x0, y4 = x0
  if (more) {
    x0 = v128.load(out)
    y0 = v128.load(out, 16)
    if (rows > 1) { x1 = v128.load(out, 32); y1 = v128.load(out, 48) }
    if (rows > 2) { x2 = v128.load(out, 64); y2 = v128.load(out, 80) }
    if (rows > 3) { x3 = v128.load(out, 96); y3 = v128.load(out, 112) }
    if (rows > 4) { x4 = v128.load(out, 128); y4 = v128.load(out, 144) }
  }
  const end = b + (<usize>terms << 4)
  while (b < end) {
    const u = v128.load(b), v = v128.load(b, 16)
    const s0 = v128.load32_splat(a)
    x0 = i32x4.add(x0, i32x4.dot_i16x8_s(s0, u))
    y0 = i32x4.add(y0, i32x4.dot_i16x8_s(s0, v))
    if (rows > 1) {
      const s = v128.load32_splat(a, 4)
      x1 = i32x4.add(x1, i32x4.dot_i16x8_s(s, u))
      y1 = i32x4.add(y1, i32x4.dot_i16x8_s(s, v))
    }
    if (rows > 2) {
      const s = v128.load32_splat(a, 8)
      x2 = i32x4.add(x2, i32x4.dot_i16x8_s(s, u))
      y2 = i32x4.add(y2, i32x4.dot_i16x8_s(s, v))
    }
    if (rows > 3) {
      const s = v128.load32_splat(a, 12)
      x3 = i32x4.add(x3, i32x4.dot_i16x8_s(s, u))
      y3 = i32x4.add(y3, i32x4.dot_i16x8_s(s, v))
    }
    if (rows > 4) {
      const s = v128.load32_splat(a, 16)
      x4 = i32x4.add(x4, i32x4.dot_i16x8_s(s, u))
      y4 = i32x4.add(y4, i32x4.dot_i16x8_s(s, v))
    }
    a += <usize>rows << 2
    b += 32
  }
  v128.store(out, x0)
  v128.store(out, y0, 16)
  if (rows > 1) { v128.store(out, x1, 32); v128.store(out, y1, 48) }
  if (rows > 2) { v128.store(out, x2, 64); v128.store(out, y2, 80) }
  if (rows > 3) { v128.store(out, x3, 96); v128.store(out, y3, 112) }
  if (rows > 4) { v128.store(out, x4, 128); v128.store(out, y4, 144) }
}

/** The same integers, one at a time. */
function plainSums(rows: i32, out: usize, a: usize, b: usize, terms: i32, more: bool): void {
  for (let r = 0; r < rows; r++) {
    for (let c = 0; c < 8; c++) {
      let sum: i32 = more ? load<i32>(out + (<usize>(r * 8 + c) << 2)) : 0
      for (let l = 0; l < terms; l += 2) {
        const from = a + (<usize>((l >> 1) * rows + r) << 2), w = b + <usize>(l * 8 + c * 2)
        sum += <i32>load<i16>(from) * <i32>load<i8>(w) + <i32>load<i16>(from, 2) * <i32>load<i8>(w, 1)
      }
      store<i32>(out + (<usize>(r * 8 + c) << 2), sum)
    }
  }
}

/** out[r, c] = (f32(sum) [* after[c]]) * rowScale[r] [+ bias[c] or out[r, c]]; `stride` in bytes. */
function finish(
  out: usize, stride: usize, sum: usize, rowScale: usize, after: usize, bias: usize, accumulate: bool, rows: i32, width: i32,
): void {
  let c = 0
  if (ASC_FEATURE_SIMD) {
    for (; c <= width - 4; c += 4) {
      const at = <usize>c << 2
      const factor = after ? v128.load(after + at) : f32x4.splat(1)
      const offset = bias ? v128.load(bias + at) : f32x4.splat(0)
      let from = sum + at, to = out + at, scale = rowScale
      const end = rowScale + (<usize>rows << 2)
      for (; scale < end; scale += 4) {
        let value = f32x4.mul(f32x4.mul(f32x4.convert_i32x4_s(v128.load(from)), factor), v128.load32_splat(scale))
        if (bias) value = f32x4.add(value, offset)
        if (accumulate) value = f32x4.add(value, v128.load(to))
        v128.store(to, value)
        from += 32
        to += stride
      }
    }
  }
  for (; c < width; c++) {
    const at = <usize>c << 2
    const factor: f32 = after ? load<f32>(after + at) : 1
    for (let r = 0; r < rows; r++) {
      const to = out + <usize>r * stride + at
      let value = <f32>load<i32>(sum + (<usize>r << 5) + at) * factor * load<f32>(rowScale + (<usize>r << 2))
      if (bias) value = value + load<f32>(bias + at)
      if (accumulate) value = value + load<f32>(to)
      store<f32>(to, value)
    }
  }
}
