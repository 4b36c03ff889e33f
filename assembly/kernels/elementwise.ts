/**
 * Sums and products of whole arrays.
 *
 * add:      out[i] = a[i] + b[i]
 * multiply: out[i] = a[i] * b[i]
 * scale:    out[i] = x[i] * s
 *
 * Overwrites (`=`). `out` may be an input itself. Every element has one rounding; there is no order.
 */
import { add as plus, lanes, mul, splat } from '../lanes'

export function add(out: usize, a: usize, b: usize, n: i32): void {
  let i = 0
  if (ASC_FEATURE_SIMD) i = addRun<v128>(out, a, b, i, n)
  addRun<f32>(out, a, b, i, n)
}

export function multiply(out: usize, a: usize, b: usize, n: i32): void {
  let i = 0
  if (ASC_FEATURE_SIMD) i = multiplyRun<v128>(out, a, b, i, n)
  multiplyRun<f32>(out, a, b, i, n)
}

export function scale(out: usize, x: usize, s: f32, n: i32): void {
  let i = 0
  if (ASC_FEATURE_SIMD) i = scaleRun<v128>(out, x, s, i, n)
  scaleRun<f32>(out, x, s, i, n)
}

// @ts-ignore: decorator
@inline function addRun<T>(out: usize, a: usize, b: usize, i: i32, n: i32): i32 {
  for (; i <= n - lanes<T>(); i += lanes<T>()) {
    const at = <usize>i << 2
    store<T>(out + at, plus<T>(load<T>(a + at), load<T>(b + at)))
  }
  return i
}

// @ts-ignore: decorator
@inline function multiplyRun<T>(out: usize, a: usize, b: usize, i: i32, n: i32): i32 {
  for (; i <= n - lanes<T>(); i += lanes<T>()) {
    const at = <usize>i << 2
    store<T>(out + at, mul<T>(load<T>(a + at), load<T>(b + at)))
  }
  return i
}

// @ts-ignore: decorator
@inline function scaleRun<T>(out: usize, x: usize, s: f32, i: i32, n: i32): i32 {
  const factor = splat<T>(s)
  for (; i <= n - lanes<T>(); i += lanes<T>()) {
    const at = <usize>i << 2
    store<T>(out + at, mul<T>(load<T>(x + at), factor))
  }
  return i
}
