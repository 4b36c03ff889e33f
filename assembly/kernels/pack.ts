/**
 * Packing for matrix products: operands are copied into the order in which a tile reads them. Copies only, but for
 * one product: A may be scaled by alpha, a' = alpha * a, one rounding.
 *
 *   A tile   [k][rows]        rows = 5 or 4 (tile.ts), the last tile what is left
 *   B panel  [k][2 lanes]     columns beyond n are zero; where at most one lane vector of columns is left, [k][lanes]
 *
 * B in panels, whole: panel j of k rows starts at j * k * width floats, whatever the last panel's width.
 */
import { lanes, mul, splat } from '../lanes'
import { panelWidth, tileRows } from './tile'

/** Width of the panel of B that starts with `left` columns to go. */
// @ts-ignore: decorator
@inline export function widthOf<T>(left: i32): i32 { return left > lanes<T>() ? panelWidth<T>() : lanes<T>() }

/**
 * A[i, p] = a[i * rowStride + p * columnStride] for i < m, p < k, times alpha, into tiles. Strides in floats.
 */
export function packA<T>(out: usize, a: usize, rowStride: i32, columnStride: i32, m: i32, k: i32, alpha: f32): void {
  const most = tileRows()
  for (let i = 0; i < m; i += most) {
    const rows = min(most, m - i)
    const from = a + (<usize>(i * rowStride) << 2)
    if (isVector<T>() && rows >= 4 && columnStride == 1) packTileRows(out, from, rowStride, rows == 5, k, alpha)
    else if (isVector<T>() && rows >= 4 && rowStride == 1) packTileColumns(out, from, columnStride, rows == 5, k, alpha)
    else packTilePlain(out, from, rowStride, columnStride, rows, k, alpha)
    out += <usize>(rows * k) << 2
  }
}

function packTilePlain(out: usize, a: usize, rowStride: i32, columnStride: i32, rows: i32, k: i32, alpha: f32): void {
  const down = <usize>rowStride << 2, across = <usize>columnStride << 2
  for (let p = 0; p < k; p++) {
    let from = a
    for (let i = 0; i < rows; i++) {
      store<f32>(out, alpha * load<f32>(from))
      out += 4
      from += down
    }
    a += across
  }
}

/** Four or five rows, each contiguous in k: transposed four columns at a time. */
function packTileRows(out: usize, a: usize, rowStride: i32, five: bool, k: i32, alpha: f32): void {
  const down = <usize>rowStride << 2
  const a1 = a + down, a2 = a1 + down, a3 = a2 + down, a4 = a3 + down
  const factor = f32x4.splat(alpha)
  const step: usize = five ? 20 : 16
  let p: usize = 0
  const end = <usize>k << 2
  for (; p + 16 <= end; p += 16) {
    const r0 = f32x4.mul(v128.load(a + p), factor), r1 = f32x4.mul(v128.load(a1 + p), factor)
    const r2 = f32x4.mul(v128.load(a2 + p), factor), r3 = f32x4.mul(v128.load(a3 + p), factor)
    storeTransposed(out, step, r0, r1, r2, r3)
    if (five) {
      const r4 = f32x4.mul(v128.load(a4 + p), factor)
      v128.store_lane<i32>(out, r4, 0, 16)
      v128.store_lane<i32>(out, r4, 1, 36)
      v128.store_lane<i32>(out, r4, 2, 56)
      v128.store_lane<i32>(out, r4, 3, 76)
    }
    out += 4 * step
  }
  packTilePlain(out, a + p, rowStride, 1, five ? 5 : 4, (<i32>(end - p)) >> 2, alpha)
}

/** Four or five rows, neighbours in memory. */
function packTileColumns(out: usize, a: usize, columnStride: i32, five: bool, k: i32, alpha: f32): void {
  const across = <usize>columnStride << 2
  const factor = f32x4.splat(alpha)
  for (let p = 0; p < k; p++) {
    v128.store(out, f32x4.mul(v128.load(a), factor))
    if (five) store<f32>(out, alpha * load<f32>(a, 16), 16)
    out += five ? 20 : 16
    a += across
  }
}

/**
 * B[p, j] = b[p * rowStride + j * columnStride] for p < k, j < n into panels of k rows. Strides in floats.
 */
export function packB<T>(out: usize, b: usize, rowStride: i32, columnStride: i32, n: i32, k: i32): void {
  for (let j = 0; j < n; j += panelWidth<T>()) {
    const width = widthOf<T>(n - j), columns = min(width, n - j)
    const from = b + (<usize>(j * columnStride) << 2)
    if (isVector<T>() && columns == 8 && columnStride == 1) packPanelRows(out, from, rowStride, k)
    else if (isVector<T>() && columns == 8 && rowStride == 1) packPanelColumns(out, from, columnStride, k)
    else packPanelPlain(out, from, rowStride, columnStride, columns, width, k)
    out += <usize>(width * k) << 2
  }
}

function packPanelPlain(
  out: usize, b: usize, rowStride: i32, columnStride: i32, columns: i32, width: i32, k: i32,
): void {
  const down = <usize>rowStride << 2, across = <usize>columnStride << 2
  for (let p = 0; p < k; p++) {
    let from = b
    for (let j = 0; j < width; j++) {
      store<f32>(out, j < columns ? load<f32>(from) : 0)
      out += 4
      from += across
    }
    b += down
  }
}

function packPanelRows(out: usize, b: usize, rowStride: i32, k: i32): void {
  const down = <usize>rowStride << 2
  for (let p = 0; p < k; p++) {
    v128.store(out, v128.load(b))
    v128.store(out, v128.load(b, 16), 16)
    out += 32
    b += down
  }
}

/** Eight columns, each contiguous in k: two 4x4 transposes at a time. */
function packPanelColumns(out: usize, b: usize, columnStride: i32, k: i32): void {
  const across = <usize>columnStride << 2
  const end = b + (<usize>k << 2)
  for (; b + 16 <= end; b += 16) {
    transpose4(out, 32, b, across)
    transpose4(out + 16, 32, b + 4 * across, across)
    out += 128
  }
  packPanelPlain(out, b, 1, columnStride, 8, 8, (<i32>(end - b)) >> 2)
}

/** Four rows of four, stored as four columns, one every `outStride` bytes. */
// @ts-ignore: decorator
@inline
export function storeTransposed(out: usize, outStride: usize, r0: v128, r1: v128, r2: v128, r3: v128): void {
  const t0 = v128.shuffle<i32>(r0, r1, 0, 4, 1, 5), t1 = v128.shuffle<i32>(r0, r1, 2, 6, 3, 7)
  const t2 = v128.shuffle<i32>(r2, r3, 0, 4, 1, 5), t3 = v128.shuffle<i32>(r2, r3, 2, 6, 3, 7)
  v128.store(out, v128.shuffle<i32>(t0, t2, 0, 1, 4, 5))
  v128.store(out + outStride, v128.shuffle<i32>(t0, t2, 2, 3, 6, 7))
  v128.store(out + 2 * outStride, v128.shuffle<i32>(t1, t3, 0, 1, 4, 5))
  v128.store(out + 3 * outStride, v128.shuffle<i32>(t1, t3, 2, 3, 6, 7))
}

/** A 4x4 block: out[i, j] = b[j, i]; strides in bytes. */
// @ts-ignore: decorator
@inline
export function transpose4(out: usize, outStride: usize, b: usize, stride: usize): void {
  const r0 = v128.load(b), r1 = v128.load(b + stride), r2 = v128.load(b + 2 * stride), r3 = v128.load(b + 3 * stride)
  storeTransposed(out, outStride, r0, r1, r2, r3)
}
