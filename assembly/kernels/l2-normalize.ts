/**
 * Rows divided by their Euclidean length.
 *
 * y = x / max(|x|, eps);  dx = (dy - y sum(dy y)) / |x|, or dy / eps where |x| < eps
 *
 * x, y, dx, dy: [M, C]; norm: [M]. Saved for backward: y, and norm = |x|, or -eps where |x| < eps (the sign tells
 * that the divisor is a constant). Overwrites (`=`); y may be x, dx may be dy or y.
 *
 * Order of operations, each with one rounding to f32; sum() is that of reduce.ts:
 *   length = sqrt(sum(x * x));  y = x / (length < eps ? eps : length)
 *   dx = (dy - (y * sum(dy * y))) / norm, or dy / -norm where norm < 0
 */
import { div, lanes, mul, splat, sub } from '../lanes'
import { rowDot } from '../reduce'

export function l2_normalize_forward(y: usize, norm: usize, x: usize, M: i32, C: i32, eps: f32): void {
  for (let m = 0; m < M; m++) {
    const at = <usize>m * <usize>C << 2
    const length = sqrt<f32>(rowDot(x + at, x + at, C))
    const short = length < eps
    store<f32>(norm + (<usize>m << 2), short ? -eps : length)
    let i = 0
    if (ASC_FEATURE_SIMD) i = divideRun<v128>(y + at, x + at, short ? eps : length, i, C)
    divideRun<f32>(y + at, x + at, short ? eps : length, i, C)
  }
}

export function l2_normalize_backward(dx: usize, dy: usize, y: usize, norm: usize, M: i32, C: i32): void {
  for (let m = 0; m < M; m++) {
    const at = <usize>m * <usize>C << 2
    const length = load<f32>(norm + (<usize>m << 2))
    let i = 0
    if (length < 0) {
      if (ASC_FEATURE_SIMD) i = divideRun<v128>(dx + at, dy + at, -length, i, C)
      divideRun<f32>(dx + at, dy + at, -length, i, C)
    } else {
      const along = rowDot(dy + at, y + at, C)
      if (ASC_FEATURE_SIMD) i = backRun<v128>(dx + at, dy + at, y + at, along, length, i, C)
      backRun<f32>(dx + at, dy + at, y + at, along, length, i, C)
    }
  }
}

// @ts-ignore: decorator
@inline function divideRun<T>(out: usize, x: usize, by: f32, i: i32, n: i32): i32 {
  for (; i <= n - lanes<T>(); i += lanes<T>()) {
    store<T>(out + (<usize>i << 2), div<T>(load<T>(x + (<usize>i << 2)), splat<T>(by)))
  }
  return i
}

// @ts-ignore: decorator
@inline function backRun<T>(dx: usize, dy: usize, y: usize, along: f32, length: f32, i: i32, n: i32): i32 {
  for (; i <= n - lanes<T>(); i += lanes<T>()) {
    const at = <usize>i << 2
    const across = sub<T>(load<T>(dy + at), mul<T>(load<T>(y + at), splat<T>(along)))
    store<T>(dx + at, div<T>(across, splat<T>(length)))
  }
  return i
}
