/**
 * Rows of f32 as integers, for the products of int8-linear.ts: the largest magnitude of a row, and its nearest integers.
 */

/** Whether a row with this largest element, at least 2^-110, counts as more than zeros. */
// @ts-ignore: decorator
@inline export function counts(top: f32): bool { return top >= reinterpret<f32>(0x08800000) }

/** 1.5 * 2^23: a sum with it is rounded to an integer, ties to even, which stands in the low bits of the sum. */
// @ts-ignore: decorator
@inline const SHIFT: f32 = 12582912
// @ts-ignore: decorator
@inline const SHIFT_BITS: i32 = 0x4b400000

/**
 * The largest |z[i]|, z = row or, with `fold`, z = row * fold, which is written to `out`; NaN where any is not finite. The
 * bits of magnitudes, taken as integers, have the order of the numbers, and anything not finite is above them.
 */
export function topOf(out: usize, row: usize, fold: usize, n: i32): f32 {
  let i = 0, most: i32 = 0
  if (ASC_FEATURE_SIMD) {
    const mask = i32x4.splat(0x7fffffff)
    let m = i32x4.splat(0)
    if (fold) {
      for (; i <= n - 4; i += 4) {
        const at = <usize>i << 2
        const z = f32x4.mul(v128.load(row + at), v128.load(fold + at))
        v128.store(out + at, z)
        m = i32x4.max_s(m, v128.and(z, mask))
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
    if (fold) {
      z = z * load<f32>(fold + at)
      store<f32>(out + at, z)
    }
    most = max(most, reinterpret<i32>(z) & 0x7fffffff)
  }
  return most < 0x7f800000 ? reinterpret<f32>(most) : NaN
}

/** The nearest integers of row * factor, at most 2^15 - 1 in magnitude, in pairs, one pair every `stride` bytes. */
export function quantizeRow(out: usize, stride: usize, row: usize, factor: f32, L: i32): void {
  let l = 0
  if (ASC_FEATURE_SIMD) {
    const f = f32x4.splat(factor), shift = f32x4.splat(SHIFT), bits = i32x4.splat(SHIFT_BITS)
    for (; l <= L - 8; l += 8) {
      const at = row + (<usize>l << 2)
      const low = i32x4.sub(f32x4.add(f32x4.mul(v128.load(at), f), shift), bits)
      const high = i32x4.sub(f32x4.add(f32x4.mul(v128.load(at, 16), f), shift), bits)
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

// @ts-ignore: decorator
@inline function integer(x: f32): i16 { return <i16>(reinterpret<i32>(x + SHIFT) - SHIFT_BITS) }
