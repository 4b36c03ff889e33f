/**
 * Whole arrays to one number, and the plainest array operations.
 *
 * sum, sum_squares, dot_f64: f64 sums of x[i], x[i]^2, a[i] b[i] (the product of two f32 is exact in f64). Order:
 *   element i goes to the partial sum i mod 4, ascending, each from +0; then (s0 + s1) + (s2 + s3), in f64.
 * max_abs: the largest |x[i]|, 0 of none; NaN is passed over.
 * first_nonfinite: the index of the first NaN or infinity, -1 where there is none.
 * zero: ptr[i] = 0.  copy: out[i] = x[i] (may overlap).  axpy: out[i] = out[i] + (s * x[i]), accumulates; out may be x.
 */
import { absolute, add, lanes, mul, mulAdd, splat, upper } from '../lanes'

export function sum(x: usize, n: i32): f64 {
  let s0: f64 = 0, s1: f64 = 0, s2: f64 = 0, s3: f64 = 0
  let i = 0
  if (ASC_FEATURE_SIMD) {
    let low = f64x2.splat(0), high = f64x2.splat(0)
    for (; i <= n - 4; i += 4) {
      const v = v128.load(x + (<usize>i << 2))
      low = f64x2.add(low, f64x2.promote_low_f32x4(v))
      high = f64x2.add(high, f64x2.promote_low_f32x4(upperHalf(v)))
    }
    s0 = f64x2.extract_lane(low, 0)
    s1 = f64x2.extract_lane(low, 1)
    s2 = f64x2.extract_lane(high, 0)
    s3 = f64x2.extract_lane(high, 1)
  }
  for (; i < n; i += 4) {
    s0 += term(x, i)
    if (i + 1 < n) s1 += term(x, i + 1)
    if (i + 2 < n) s2 += term(x, i + 2)
    if (i + 3 < n) s3 += term(x, i + 3)
  }
  return (s0 + s1) + (s2 + s3)
}

export function sum_squares(x: usize, n: i32): f64 { return dot_f64(x, x, n) }

export function dot_f64(a: usize, b: usize, n: i32): f64 {
  let s0: f64 = 0, s1: f64 = 0, s2: f64 = 0, s3: f64 = 0
  let i = 0
  if (ASC_FEATURE_SIMD) {
    let low = f64x2.splat(0), high = f64x2.splat(0)
    for (; i <= n - 4; i += 4) {
      const v = v128.load(a + (<usize>i << 2)), w = v128.load(b + (<usize>i << 2))
      low = f64x2.add(low, f64x2.mul(f64x2.promote_low_f32x4(v), f64x2.promote_low_f32x4(w)))
      high = f64x2.add(high, f64x2.mul(f64x2.promote_low_f32x4(upperHalf(v)), f64x2.promote_low_f32x4(upperHalf(w))))
    }
    s0 = f64x2.extract_lane(low, 0)
    s1 = f64x2.extract_lane(low, 1)
    s2 = f64x2.extract_lane(high, 0)
    s3 = f64x2.extract_lane(high, 1)
  }
  for (; i < n; i += 4) {
    s0 += term(a, i) * term(b, i)
    if (i + 1 < n) s1 += term(a, i + 1) * term(b, i + 1)
    if (i + 2 < n) s2 += term(a, i + 2) * term(b, i + 2)
    if (i + 3 < n) s3 += term(a, i + 3) * term(b, i + 3)
  }
  return (s0 + s1) + (s2 + s3)
}

export function max_abs(x: usize, n: i32): f32 {
  let i = 0
  let most: f32 = 0
  if (ASC_FEATURE_SIMD) {
    let m = f32x4.splat(0)
    for (; i <= n - 4; i += 4) m = upper<v128>(m, absolute<v128>(v128.load(x + (<usize>i << 2))))
    most = upper<f32>(upper<f32>(f32x4.extract_lane(m, 0), f32x4.extract_lane(m, 1)),
      upper<f32>(f32x4.extract_lane(m, 2), f32x4.extract_lane(m, 3)))
  }
  for (; i < n; i++) most = upper<f32>(most, abs<f32>(load<f32>(x + (<usize>i << 2))))
  return most
}

export function first_nonfinite(x: usize, n: i32): i32 {
  let i = 0
  if (ASC_FEATURE_SIMD) i = finiteRun<v128>(x, i, n)
  i = finiteRun<f32>(x, i, n)
  for (; i < n; i++) {
    const v = load<f32>(x + (<usize>i << 2))
    if (v - v != 0) return i
  }
  return -1
}

export function zero(ptr: usize, n: i32): void { memory.fill(ptr, 0, <usize>n << 2) }

export function copy(out: usize, x: usize, n: i32): void { memory.copy(out, x, <usize>n << 2) }

export function axpy(out: usize, x: usize, s: f32, n: i32): void {
  let i = 0
  if (ASC_FEATURE_SIMD) i = axpyRun<v128>(out, x, s, i, n)
  axpyRun<f32>(out, x, s, i, n)
}

// @ts-ignore: decorator
@inline function term(x: usize, i: i32): f64 { return <f64>load<f32>(x + (<usize>i << 2)) }

// @ts-ignore: decorator
@inline function upperHalf(v: v128): v128 { return v128.shuffle<i32>(v, v, 2, 3, 2, 3) }

/** The start of the first run of four vectors that holds something not finite, or of the remainder. */
// @ts-ignore: decorator
@inline function finiteRun<T>(x: usize, i: i32, n: i32): i32 {
  const zero = splat<T>(0)
  for (; i <= n - 4 * lanes<T>(); i += 4 * lanes<T>()) {
    const at = x + (<usize>i << 2)
    // 0 * finite is a zero, 0 * anything else is NaN, and a sum with a NaN is one
    const a = add<T>(mul<T>(load<T>(at), zero), mul<T>(load<T>(at + sizeof<T>()), zero))
    const b = add<T>(mul<T>(load<T>(at + 2 * sizeof<T>()), zero), mul<T>(load<T>(at + 3 * sizeof<T>()), zero))
    const all = add<T>(a, b)
    if (isVector<T>()) {
      if (!i32x4.all_true(f32x4.eq(changetype<v128>(all), changetype<v128>(all)))) break
    } else if (all != all) break
  }
  return i
}

// @ts-ignore: decorator
@inline function axpyRun<T>(out: usize, x: usize, s: f32, i: i32, n: i32): i32 {
  for (; i <= n - lanes<T>(); i += lanes<T>()) {
    const at = <usize>i << 2
    store<T>(out + at, mulAdd<T>(splat<T>(s), load<T>(x + at), load<T>(out + at)))
  }
  return i
}
