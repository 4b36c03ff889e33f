/**
 * Sums and maxima along a row of f32, in the order that every kernel of this module shares:
 *
 * Element i goes to the partial sum i mod 4, ascending in i, each partial starting at +0; the result is
 * (s0 + s1) + (s2 + s3). Vectors hold the four partials in their lanes; the scalar build runs through them in turn.
 *
 * The terms: rowSum x[i]; rowSquares d * d with d = x[i] - shift; rowDot a[i] * b[i]. One rounding each.
 */
import { add, mulAdd, splat, sub, upper } from './lanes'

/** (s0 + s1) + (s2 + s3). */
// @ts-ignore: decorator
@inline export function fold(s0: f32, s1: f32, s2: f32, s3: f32): f32 { return (s0 + s1) + (s2 + s3) }

/** Where the remainder of a row of n begins: behind the vectors, or at 0 without vectors. */
// @ts-ignore: decorator
@inline export function tail(n: i32): i32 { return ASC_FEATURE_SIMD ? n & ~3 : 0 }

export function rowSum(x: usize, n: i32): f32 {
  let s0: f32 = 0, s1: f32 = 0, s2: f32 = 0, s3: f32 = 0
  if (ASC_FEATURE_SIMD) {
    const s = sumRun<v128>(x, 0, n & ~3, f32x4.splat(0))
    s0 = f32x4.extract_lane(s, 0)
    s1 = f32x4.extract_lane(s, 1)
    s2 = f32x4.extract_lane(s, 2)
    s3 = f32x4.extract_lane(s, 3)
  }
  const i = tail(n)
  return fold(sumRun<f32>(x, i, n, s0), sumRun<f32>(x, i + 1, n, s1),
    sumRun<f32>(x, i + 2, n, s2), sumRun<f32>(x, i + 3, n, s3))
}

export function rowSquares(x: usize, shift: f32, n: i32): f32 {
  let s0: f32 = 0, s1: f32 = 0, s2: f32 = 0, s3: f32 = 0
  if (ASC_FEATURE_SIMD) {
    const s = squaresRun<v128>(x, shift, 0, n & ~3, f32x4.splat(0))
    s0 = f32x4.extract_lane(s, 0)
    s1 = f32x4.extract_lane(s, 1)
    s2 = f32x4.extract_lane(s, 2)
    s3 = f32x4.extract_lane(s, 3)
  }
  const i = tail(n)
  return fold(squaresRun<f32>(x, shift, i, n, s0), squaresRun<f32>(x, shift, i + 1, n, s1),
    squaresRun<f32>(x, shift, i + 2, n, s2), squaresRun<f32>(x, shift, i + 3, n, s3))
}

export function rowDot(a: usize, b: usize, n: i32): f32 {
  let s0: f32 = 0, s1: f32 = 0, s2: f32 = 0, s3: f32 = 0
  if (ASC_FEATURE_SIMD) {
    const s = dotRun<v128>(a, b, 0, n & ~3, f32x4.splat(0))
    s0 = f32x4.extract_lane(s, 0)
    s1 = f32x4.extract_lane(s, 1)
    s2 = f32x4.extract_lane(s, 2)
    s3 = f32x4.extract_lane(s, 3)
  }
  const i = tail(n)
  return fold(dotRun<f32>(a, b, i, n, s0), dotRun<f32>(a, b, i + 1, n, s1),
    dotRun<f32>(a, b, i + 2, n, s2), dotRun<f32>(a, b, i + 3, n, s3))
}

/** The largest element, -infinity of none; NaN is passed over. No order can change it, but for the sign of a zero. */
export function rowMax(x: usize, n: i32): f32 {
  let i = 0
  let most: f32 = -Infinity
  if (ASC_FEATURE_SIMD) {
    let m = f32x4.splat(-Infinity), other = m
    for (; i <= n - 8; i += 8) {
      const at = x + (<usize>i << 2)
      m = upper<v128>(m, v128.load(at))
      other = upper<v128>(other, v128.load(at, 16))
    }
    m = upper<v128>(m, other)
    most = upper<f32>(upper<f32>(f32x4.extract_lane(m, 0), f32x4.extract_lane(m, 1)),
      upper<f32>(f32x4.extract_lane(m, 2), f32x4.extract_lane(m, 3)))
  }
  for (; i < n; i++) most = upper<f32>(most, load<f32>(x + (<usize>i << 2)))
  return most
}

// @ts-ignore: decorator
@inline function sumRun<T>(x: usize, i: i32, n: i32, s: T): T {
  for (; i < n; i += 4) s = add<T>(s, load<T>(x + (<usize>i << 2)))
  return s
}

// @ts-ignore: decorator
@inline function squaresRun<T>(x: usize, shift: f32, i: i32, n: i32, s: T): T {
  for (; i < n; i += 4) {
    const d = sub<T>(load<T>(x + (<usize>i << 2)), splat<T>(shift))
    s = mulAdd<T>(d, d, s)
  }
  return s
}

// @ts-ignore: decorator
@inline function dotRun<T>(a: usize, b: usize, i: i32, n: i32, s: T): T {
  for (; i < n; i += 4) {
    const at = <usize>i << 2
    s = mulAdd<T>(load<T>(a + at), load<T>(b + at), s)
  }
  return s
}
