/**
 * Rows of f32 as integers, for the products of int8-linear.ts: the largest magnitude of a row, and its nearest integers.
 */
import { storeTransposed } from './pack'

/** Whether a row with this largest element, at least 2^-110, counts as more than zeros. */
// @ts-ignore: decorator
@inline export function counts(top: f32): bool { return top >= reinterpret<f32>(0x08800000) }

/** 1.5 * 2^23: a sum with it is rounded to an integer, ties to even, which stands in the low bits of the sum. */
// @ts-ignore: decorator
@inline const SHIFT: f32 = 12582912
// @ts-ignore: decorator
@inline const SHIFT_BITS: i32 = 0x4b400000

/**
 * The largest |z[i]|, z = row or, with `fold`, z = row * fold; NaN where any is not finite. The bits of magnitudes, taken as
 * integers, have the order of the numbers, and anything not finite is above them.
 */
export function topOf(row: usize, fold: usize, n: i32): f32 {
  let i = 0, most: i32 = 0
  if (ASC_FEATURE_SIMD) {
    const mask = i32x4.splat(0x7fffffff)
    let m = i32x4.splat(0)
    if (fold) {
      for (; i <= n - 8; i += 8) {
        const at = <usize>i << 2
        const low = f32x4.mul(v128.load(row + at), v128.load(fold + at)), high = f32x4.mul(v128.load(row + at, 16), v128.load(fold + at, 16))
        m = i32x4.max_s(m, i32x4.max_s(v128.and(low, mask), v128.and(high, mask)))
      }
    } else {
      for (; i <= n - 8; i += 8) {
        const at = row + (<usize>i << 2)
        m = i32x4.max_s(m, i32x4.max_s(v128.and(v128.load(at), mask), v128.and(v128.load(at, 16), mask)))
      }
    }
    most = max(max(i32x4.extract_lane(m, 0), i32x4.extract_lane(m, 1)), max(i32x4.extract_lane(m, 2), i32x4.extract_lane(m, 3)))
  }
  for (; i < n; i++) {
    const at = <usize>i << 2
    let z = load<f32>(row + at)
    if (fold) z = z * load<f32>(fold + at)
    most = max(most, reinterpret<i32>(z) & 0x7fffffff)
  }
  return most < 0x7f800000 ? reinterpret<f32>(most) : NaN
}

/**
 * The nearest integers of z * factor, at most 2^15 - 1 in magnitude, for `rows` rows of L, `down` bytes apart, each with its factor:
 * a tile, [L/2][rows][2] int16.
 */
export function quantizeTile(out: usize, row: usize, down: usize, fold: usize, factors: usize, rows: i32, L: i32): void {
  const stride = <usize>rows << 2
  let r = 0, done = 0
  if (ASC_FEATURE_SIMD) {
    if (rows >= 4) {
      done = fold ? quantizeFour(true, out, stride, row, down, fold, factors, L) : quantizeFour(false, out, stride, row, down, 0, factors, L)
      for (; r < 4; r++) {
        const at = <usize>done << 2
        quantizeRow(out + <usize>(done >> 1) * stride + (<usize>r << 2), stride, row + <usize>r * down + at, fold ? fold + at : 0, load<f32>(factors + (<usize>r << 2)), L - done)
      }
    }
  }
  for (; r < rows; r++) quantizeRow(out + (<usize>r << 2), stride, row + <usize>r * down, fold, load<f32>(factors + (<usize>r << 2)), L)
}

/** Four rows, transposed on the way: gives how many elements of each it has done. */
// @ts-ignore: decorator
@inline
function quantizeFour(folds: bool, out: usize, stride: usize, row: usize, down: usize, fold: usize, factors: usize, L: i32): i32 {
  const f0 = v128.load32_splat(factors), f1 = v128.load32_splat(factors, 4), f2 = v128.load32_splat(factors, 8), f3 = v128.load32_splat(factors, 12)
  const row1 = row + down, row2 = row1 + down, row3 = row2 + down, end = <usize>(L & ~7) << 2
  for (let at: usize = 0; at < end; at += 32) {
    let low = f32x4.splat(1), high = low
    if (folds) {
      low = v128.load(fold + at)
      high = v128.load(fold + at, 16)
    }
    const q0 = eight(folds, row + at, low, high, f0), q1 = eight(folds, row1 + at, low, high, f1)
    const q2 = eight(folds, row2 + at, low, high, f2), q3 = eight(folds, row3 + at, low, high, f3)
    storeTransposed(out, stride, q0, q1, q2, q3)
    out += 4 * stride
  }
  return L & ~7
}

/** Eight integers of a row. */
// @ts-ignore: decorator
@inline
function eight(folds: bool, at: usize, low: v128, high: v128, factor: v128): v128 {
  const shift = f32x4.splat(SHIFT), bits = i32x4.splat(SHIFT_BITS)
  let x = v128.load(at), y = v128.load(at, 16)
  if (folds) {
    x = f32x4.mul(x, low)
    y = f32x4.mul(y, high)
  }
  return i16x8.narrow_i32x4_s(i32x4.sub(f32x4.add(f32x4.mul(x, factor), shift), bits), i32x4.sub(f32x4.add(f32x4.mul(y, factor), shift), bits))
}

/** One row, in pairs, one pair every `stride` bytes. */
function quantizeRow(out: usize, stride: usize, row: usize, fold: usize, factor: f32, L: i32): void {
  let l = 0
  if (ASC_FEATURE_SIMD) {
    const f = f32x4.splat(factor)
    for (; l <= L - 8; l += 8) {
      const at = <usize>l << 2
      const q = fold ? eight(true, row + at, v128.load(fold + at), v128.load(fold + at, 16), f) : eight(false, row + at, f, f, f)
      v128.store_lane<i32>(out, q, 0)
      v128.store_lane<i32>(out + stride, q, 1)
      v128.store_lane<i32>(out + 2 * stride, q, 2)
      v128.store_lane<i32>(out + 3 * stride, q, 3)
      out += 4 * stride
    }
  }
  for (; l < L; l += 2) {
    store<i16>(out, integer(row, fold, l, factor))
    store<i16>(out, l + 1 < L ? integer(row, fold, l + 1, factor) : 0, 2)
    out += stride
  }
}

// @ts-ignore: decorator
@inline
function integer(row: usize, fold: usize, l: i32, factor: f32): i16 {
  const at = <usize>l << 2
  let z = load<f32>(row + at)
  if (fold) z = z * load<f32>(fold + at)
  return <i16>(reinterpret<i32>(z * factor + SHIFT) - SHIFT_BITS)
}
