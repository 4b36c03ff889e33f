/**
 * Products with a frozen int8 weight, exact in integers: W[n, k] = scale[n] * w[n, k], |w| <= 127.
 *
 *   int8_forward         y[M, N]  = bias + x[M, K] W^T
 *   int8_backward_input  dx[M, K] = start + dy[M, N] W                start = 0 or dx
 *
 * The other operand is brought to integers row by row, each row by its largest element:
 *
 *   top = max |z|     q = nearest_even(z * (limit / top))     z ~ q * (top / limit)     (all f32; top = 0: q = 0)
 *   limit(L) = min(32767, floor((2^31 - 1) / (127 L)))        L terms in a sum
 *
 * so no sum of L products can leave int32, and integer sums have no order. Then, in f32, each operation rounded:
 *
 *   y = (f32(sum) * scale[n]) * (top / limit) + bias[n]
 *   dx = f32(sum) * (top / limit) + start,     z = dy[m, n] * scale[n]
 *
 * Packed weight, one copy for each product: panels of 8 columns, [columns/8][L/2][8][2] int8, the last panel and an odd L
 * filled with zeros. It is widened to int16 on its way to the tile, for nothing; one instruction then multiplies eight int16 and adds
 * them in pairs.
 *
 * A NaN or infinity in a row makes the whole row of the result NaN, so that it cannot be rounded away unseen.
 *
 * y and dx must not overlap the inputs. `scratch` holds int8_scratch(max(N, K)) bytes.
 */
import { splat } from '../lanes'
import { max_abs } from './reduce'

/** Rows of a tile, and rows that are brought to integers at a time. */
// @ts-ignore: decorator
@inline const MR: i32 = 5
// @ts-ignore: decorator
@inline const MC: i32 = 120

/** Largest integer that a row may hold where sums have L terms. */
export function int8_limit(L: i32): i32 { return min<i32>(32767, <i32>(2147483647 / (<i64>127 * <i64>L))) }

/** Bytes of a packed weight of `columns` columns and sums of L terms. */
export function int8_packed_bytes(columns: i32, L: i32): i32 { return ((columns + 7) & ~7) * ((L + 1) & ~1) }

/** Bytes of scratch for sums of at most L terms. */
export function int8_scratch(L: i32): i32 { return MC * ((L + 1) & ~1) * 2 + MC * 4 + L * 4 + 256 }

/** scale[n] = max |W[n, :]| / 127 and w = nearest_even(W * (127 / max)); a row of zeros has scale 0. */
export function int8_quantize(w: usize, scale: usize, W: usize, N: i32, K: i32): void {
  for (let n = 0; n < N; n++) {
    const row = W + (<usize>(n * K) << 2)
    const top = max_abs(row, K)
    const factor: f32 = top > 0 ? <f32>127 / top : 0
    store<f32>(scale + (<usize>n << 2), top / <f32>127)
    for (let k = 0; k < K; k++) {
      const q = <i32>nearest<f32>(load<f32>(row + (<usize>k << 2)) * factor)
      store<i8>(w + <usize>(n * K + k), <i8>max<i32>(-127, min<i32>(127, q)))
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

export function int8_forward(
  y: usize, x: usize, packed: usize, scale: usize, bias: usize, M: i32, N: i32, K: i32, scratch: usize,
): void {
  product(y, x, packed, 0, scale, bias, false, M, N, K, scratch)
}

export function int8_backward_input(
  dx: usize, dy: usize, packed: usize, scale: usize, M: i32, N: i32, K: i32, accumulate: i32, scratch: usize,
): void {
  product(dx, dy, packed, scale, 0, 0, accumulate != 0, M, K, N, scratch)
}

/** out[M, columns] from in[M, L]: `fold` scales the terms before, `after` the columns after. */
function product(
  out: usize, x: usize, packed: usize, fold: usize, after: usize, bias: usize, accumulate: bool,
  M: i32, columns: i32, L: i32, scratch: usize,
): void {
  const even = (L + 1) & ~1, limit = int8_limit(L)
  const rowScale = scratch, spare = scratch + <usize>(MC * 4), folded = spare + 160, tiles = (folded + (<usize>L << 2) + 15) & ~15
  for (let i = 0; i < M; i += MC) {
    const rows = min(MC, M - i)
    for (let r = 0; r < rows; r++) {
      let row = x + (<usize>((i + r) * L) << 2)
      if (fold) {
        multiply(folded, row, fold, L)
        row = folded
      }
      const top = rowTop(row, L)
      const tile = r / MR, inTile = min(MR, rows - tile * MR)
      quantizeRow(tiles + (<usize>(tile * MR * even) << 1) + (<usize>(r - tile * MR) << 2), <usize>inTile << 2, row,
        top > 0 ? <f32>limit / top : 0, L)
      store<f32>(rowScale + (<usize>r << 2), top / <f32>limit)
    }
    for (let j = 0; j < columns; j += 8) {
      const b = packed + <usize>(j * even), width = min(8, columns - j)
      for (let r = 0; r < rows; r += MR) {
        const count = min(MR, rows - r)
        const a = tiles + (<usize>(r * even) << 1)
        const at = out + (<usize>((i + r) * columns + j) << 2)
        // sums go to `spare`, [count][8] int32, then to f32
        if (ASC_FEATURE_SIMD) {
          if (count == 5) sums<v128>(5, spare, a, b, even)
          else if (count == 4) sums<v128>(4, spare, a, b, even)
          else if (count == 3) sums<v128>(3, spare, a, b, even)
          else if (count == 2) sums<v128>(2, spare, a, b, even)
          else sums<v128>(1, spare, a, b, even)
        } else plainSums(count, spare, a, b, even)
        finish(at, columns, spare, rowScale + (<usize>r << 2), after ? after + (<usize>j << 2) : 0,
          bias ? bias + (<usize>j << 2) : 0, accumulate, count, width)
      }
    }
  }
}

// @ts-ignore: decorator
@inline
function sums<T>(rows: i32, out: usize, a: usize, b: usize, even: i32): void {
  let x0 = i32x4.splat(0), y0 = x0, x1 = x0, y1 = x0, x2 = x0, y2 = x0, x3 = x0, y3 = x0, x4 = x0, y4 = x0
  const end = b + <usize>(even << 3)
  while (b < end) {
    const u = v128.load_ext<i8>(b), v = v128.load_ext<i8>(b, 8)
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
    b += 16
  }
  v128.store(out, x0)
  v128.store(out, y0, 16)
  if (rows > 1) { v128.store(out, x1, 32); v128.store(out, y1, 48) }
  if (rows > 2) { v128.store(out, x2, 64); v128.store(out, y2, 80) }
  if (rows > 3) { v128.store(out, x3, 96); v128.store(out, y3, 112) }
  if (rows > 4) { v128.store(out, x4, 128); v128.store(out, y4, 144) }
}

/** The largest |element|; NaN if there is one. The sign of zero, which maximum is unsure of, is gone. */
function rowTop(row: usize, n: i32): f32 {
  let i = 0
  let top: f32 = 0
  if (ASC_FEATURE_SIMD) {
    let m = f32x4.splat(0)
    for (; i <= n - 4; i += 4) m = f32x4.max(m, f32x4.abs(v128.load(row + (<usize>i << 2))))
    top = max<f32>(max<f32>(f32x4.extract_lane(m, 0), f32x4.extract_lane(m, 1)),
      max<f32>(f32x4.extract_lane(m, 2), f32x4.extract_lane(m, 3)))
  }
  for (; i < n; i++) top = max<f32>(top, abs<f32>(load<f32>(row + (<usize>i << 2))))
  return top
}

/** The same integers, one at a time. */
function plainSums(rows: i32, out: usize, a: usize, b: usize, even: i32): void {
  for (let r = 0; r < rows; r++) {
    for (let c = 0; c < 8; c++) {
      let sum: i32 = 0
      for (let l = 0; l < even; l += 2) {
        const from = a + (<usize>((l >> 1) * rows + r) << 2), w = b + <usize>(l * 8 + c * 2)
        sum += <i32>load<i16>(from) * <i32>load<i8>(w) + <i32>load<i16>(from, 2) * <i32>load<i8>(w, 1)
      }
      store<i32>(out + (<usize>(r * 8 + c) << 2), sum)
    }
  }
}

/** out[r, c] = (f32(sum) [* after[c]]) * rowScale[r] [+ bias[c] or out[r, c]]. */
function finish(
  out: usize, columns: i32, sum: usize, rowScale: usize, after: usize, bias: usize, accumulate: bool, rows: i32, width: i32,
): void {
  for (let r = 0; r < rows; r++) {
    const s = load<f32>(rowScale + (<usize>r << 2))
    let c = 0
    if (ASC_FEATURE_SIMD) {
      const factor = splat<v128>(s)
      for (; c <= width - 4; c += 4) {
        const at = out + (<usize>c << 2)
        let value = f32x4.convert_i32x4_s(v128.load(sum + (<usize>c << 2)))
        if (after) value = f32x4.mul(value, v128.load(after + (<usize>c << 2)))
        value = f32x4.mul(value, factor)
        if (bias) value = f32x4.add(value, v128.load(bias + (<usize>c << 2)))
        if (accumulate) value = f32x4.add(value, v128.load(at))
        v128.store(at, value)
      }
    }
    for (; c < width; c++) {
      const at = out + (<usize>c << 2)
      let value = <f32>load<i32>(sum + (<usize>c << 2))
      if (after) value = value * load<f32>(after + (<usize>c << 2))
      value = value * s
      if (bias) value = value + load<f32>(bias + (<usize>c << 2))
      if (accumulate) value = value + load<f32>(at)
      store<f32>(at, value)
    }
    out += <usize>columns << 2
    sum += 32
  }
}

/** Writes the integers of a row in pairs, one pair every `stride` bytes. */
function quantizeRow(out: usize, stride: usize, row: usize, factor: f32, L: i32): void {
  let l = 0
  if (ASC_FEATURE_SIMD) {
    const f = f32x4.splat(factor)
    for (; l <= L - 8; l += 8) {
      const at = row + (<usize>l << 2)
      const low = i32x4.trunc_sat_f32x4_s(f32x4.nearest(f32x4.mul(v128.load(at), f)))
      const high = i32x4.trunc_sat_f32x4_s(f32x4.nearest(f32x4.mul(v128.load(at, 16), f)))
      const q = i16x8.narrow_i32x4_s(low, high)
      v128.store_lane<i32>(out, q, 0)
      v128.store_lane<i32>(out + stride, q, 1)
      v128.store_lane<i32>(out + 2 * stride, q, 2)
      v128.store_lane<i32>(out + 3 * stride, q, 3)
      out += 4 * stride
    }
  }
  for (; l < L; l += 2) {
    const at = row + (<usize>l << 2)
    store<i16>(out, integer(load<f32>(at) * factor))
    store<i16>(out, l + 1 < L ? integer(load<f32>(at, 4) * factor) : 0, 2)
    out += stride
  }
}

/** The nearest integer of a number within +-32767; 0 for NaN, as the vector instruction gives. */
// @ts-ignore: decorator
@inline function integer(x: f32): i16 { return x == x ? <i16><i32>nearest<f32>(x) : 0 }

function multiply(out: usize, a: usize, b: usize, n: i32): void {
  let i = 0
  if (ASC_FEATURE_SIMD) {
    for (; i <= n - 4; i += 4) {
      const at = <usize>i << 2
      v128.store(out + at, f32x4.mul(v128.load(a + at), v128.load(b + at)))
    }
  }
  for (; i < n; i++) {
    const at = <usize>i << 2
    store<f32>(out + at, load<f32>(a + at) * load<f32>(b + at))
  }
}
