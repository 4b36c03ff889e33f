/**
 * Activations.
 *
 * gelu_erf:  y = x Phi(x) = (x / 2) (1 + erf(x / sqrt 2));   dx = dy (Phi(x) + x phi(x))
 * gelu_tanh: y = (x / 2) (1 + tanh(u)), u = k (x + 0.044715 x^3), k = sqrt(2 / pi)
 * relu:      y = x < 0 ? 0 : x;                              dx = x > 0 ? dy : 0
 * silu:      y = x s(x), s(x) = 1 / (1 + e^-x);              dx = dy s (1 + x (1 - s))
 * tanh:      y = tanh(x);                                    dx = dy (1 - y^2), from the saved output y
 *
 * All arrays are [n]. Saved for backward: the input x (tanh: the output y). Overwrites (`=`); the output may be any of
 * the inputs. NaN gives NaN forward, relu included.
 *
 * Order of operations, each with one rounding to f32:
 *   gelu_erf   Phi and g = exp((-0.5 * x) * x) as in math/normal.ts;  y = x * Phi
 *   slope      s = Phi + (x * (g * 0.398942292));   backward  dx = dy * s
 *   gelu_tanh  t = tanh(x * (((0.0356774069 * x) * x) + 0.797884583));  y = (0.5 * x) * (1 + t)
 *   backward   h = (0.5 * t) + 0.5;  d = ((0.107032224 * x) * x) + 0.797884583
 *              dx = dy * (h + (((0.5 * x) * (1 - t * t)) * d))
 *   silu       e = exp(-|x|);  s = (x < 0 ? e : 1) / (1 + e);  y = x * s
 *   backward   dx = dy * (s + ((x * s) * ((x < 0 ? 1 : e) / (1 + e))))
 *   tanh       dx = dy * (1 - y * y)
 *
 * gelu_erf_slope gives y and s at once, for a training that keeps s and goes back by `multiply` (elementwise.ts).
 *
 * Domain: an infinite x is a failure upstream; gelu(-inf), silu(-inf) and their gradients at infinity are NaN.
 */
import { absolute, add, div, ifLess, lanes, mul, mulAdd, negate, splat, sub } from '../lanes'
import { constant, HALF, ONE } from '../math/constants'
import { exp } from '../math/exp'
import { density, phi } from '../math/normal'
import { tanh } from '../math/tanh'

const DENSITY = memory.data<f32>([0.398942292])
const CUBIC = memory.data<f32>([0.0356774069])
const CUBIC_SLOPE = memory.data<f32>([0.107032224])
const LINEAR = memory.data<f32>([0.797884583])

export function gelu_erf_forward(out: usize, x: usize, n: i32): void {
  let i = 0
  if (ASC_FEATURE_SIMD) i = geluErf<v128>(out, x, i, n)
  geluErf<f32>(out, x, i, n)
}

export function gelu_erf_backward(dx: usize, dy: usize, x: usize, n: i32): void {
  let i = 0
  if (ASC_FEATURE_SIMD) i = geluErfBack<v128>(dx, dy, x, i, n)
  geluErfBack<f32>(dx, dy, x, i, n)
}

export function gelu_erf_slope(out: usize, slope: usize, x: usize, n: i32): void {
  let i = 0
  if (ASC_FEATURE_SIMD) i = geluErfBoth<v128>(out, slope, x, i, n)
  geluErfBoth<f32>(out, slope, x, i, n)
}

export function gelu_tanh_forward(out: usize, x: usize, n: i32): void {
  let i = 0
  if (ASC_FEATURE_SIMD) i = geluTanh<v128>(out, x, i, n)
  geluTanh<f32>(out, x, i, n)
}

export function gelu_tanh_backward(dx: usize, dy: usize, x: usize, n: i32): void {
  let i = 0
  if (ASC_FEATURE_SIMD) i = geluTanhBack<v128>(dx, dy, x, i, n)
  geluTanhBack<f32>(dx, dy, x, i, n)
}

export function relu_forward(out: usize, x: usize, n: i32): void {
  let i = 0
  if (ASC_FEATURE_SIMD) i = relu<v128>(out, x, i, n)
  relu<f32>(out, x, i, n)
}

export function relu_backward(dx: usize, dy: usize, x: usize, n: i32): void {
  let i = 0
  if (ASC_FEATURE_SIMD) i = reluBack<v128>(dx, dy, x, i, n)
  reluBack<f32>(dx, dy, x, i, n)
}

export function silu_forward(out: usize, x: usize, n: i32): void {
  let i = 0
  if (ASC_FEATURE_SIMD) i = silu<v128>(out, x, i, n)
  silu<f32>(out, x, i, n)
}

export function silu_backward(dx: usize, dy: usize, x: usize, n: i32): void {
  let i = 0
  if (ASC_FEATURE_SIMD) i = siluBack<v128>(dx, dy, x, i, n)
  siluBack<f32>(dx, dy, x, i, n)
}

export function tanh_forward(y: usize, x: usize, n: i32): void {
  let i = 0
  if (ASC_FEATURE_SIMD) i = tanhRun<v128>(y, x, i, n)
  tanhRun<f32>(y, x, i, n)
}

export function tanh_backward(dx: usize, dy: usize, y: usize, n: i32): void {
  let i = 0
  if (ASC_FEATURE_SIMD) i = tanhBack<v128>(dx, dy, y, i, n)
  tanhBack<f32>(dx, dy, y, i, n)
}

// @ts-ignore: decorator
@inline function geluErf<T>(out: usize, x: usize, i: i32, n: i32): i32 {
  for (; i <= n - lanes<T>(); i += lanes<T>()) {
    const at = <usize>i << 2
    const v = load<T>(x + at)
    store<T>(out + at, mul<T>(v, phi<T>(v, density<T>(v))))
  }
  return i
}

/** Phi(x) + x phi(x). */
// @ts-ignore: decorator
@inline function geluSlope<T>(x: T, p: T, g: T): T { return add<T>(p, mul<T>(x, mul<T>(g, constant<T>(DENSITY)))) }

// @ts-ignore: decorator
@inline function geluErfBack<T>(dx: usize, dy: usize, x: usize, i: i32, n: i32): i32 {
  for (; i <= n - lanes<T>(); i += lanes<T>()) {
    const at = <usize>i << 2
    const v = load<T>(x + at), g = density<T>(v)
    store<T>(dx + at, mul<T>(load<T>(dy + at), geluSlope<T>(v, phi<T>(v, g), g)))
  }
  return i
}

// @ts-ignore: decorator
@inline function geluErfBoth<T>(out: usize, slope: usize, x: usize, i: i32, n: i32): i32 {
  for (; i <= n - lanes<T>(); i += lanes<T>()) {
    const at = <usize>i << 2
    const v = load<T>(x + at), g = density<T>(v), p = phi<T>(v, g)
    store<T>(slope + at, geluSlope<T>(v, p, g))
    store<T>(out + at, mul<T>(v, p))
  }
  return i
}

/** tanh(sqrt(2 / pi) (x + 0.044715 x^3)). */
// @ts-ignore: decorator
@inline function geluInner<T>(x: T): T {
  return tanh<T>(mul<T>(x, mulAdd<T>(mul<T>(constant<T>(CUBIC), x), x, constant<T>(LINEAR))))
}

// @ts-ignore: decorator
@inline function geluTanh<T>(out: usize, x: usize, i: i32, n: i32): i32 {
  for (; i <= n - lanes<T>(); i += lanes<T>()) {
    const at = <usize>i << 2
    const v = load<T>(x + at)
    store<T>(out + at, mul<T>(mul<T>(constant<T>(HALF), v), add<T>(constant<T>(ONE), geluInner<T>(v))))
  }
  return i
}

// @ts-ignore: decorator
@inline function geluTanhBack<T>(dx: usize, dy: usize, x: usize, i: i32, n: i32): i32 {
  for (; i <= n - lanes<T>(); i += lanes<T>()) {
    const at = <usize>i << 2
    const v = load<T>(x + at)
    const t = geluInner<T>(v)
    const d = mulAdd<T>(mul<T>(constant<T>(CUBIC_SLOPE), v), v, constant<T>(LINEAR))
    const slope = mul<T>(mul<T>(mul<T>(constant<T>(HALF), v), sub<T>(constant<T>(ONE), mul<T>(t, t))), d)
    store<T>(dx + at, mul<T>(load<T>(dy + at), add<T>(mulAdd<T>(constant<T>(HALF), t, constant<T>(HALF)), slope)))
  }
  return i
}

// @ts-ignore: decorator
@inline function relu<T>(out: usize, x: usize, i: i32, n: i32): i32 {
  const zero = splat<T>(0)
  for (; i <= n - lanes<T>(); i += lanes<T>()) {
    const at = <usize>i << 2
    const v = load<T>(x + at)
    store<T>(out + at, ifLess<T>(v, zero, zero, v))
  }
  return i
}

// @ts-ignore: decorator
@inline function reluBack<T>(dx: usize, dy: usize, x: usize, i: i32, n: i32): i32 {
  const zero = splat<T>(0)
  for (; i <= n - lanes<T>(); i += lanes<T>()) {
    const at = <usize>i << 2
    store<T>(dx + at, ifLess<T>(zero, load<T>(x + at), load<T>(dy + at), zero))
  }
  return i
}

// @ts-ignore: decorator
@inline function silu<T>(out: usize, x: usize, i: i32, n: i32): i32 {
  const one = constant<T>(ONE)
  for (; i <= n - lanes<T>(); i += lanes<T>()) {
    const at = <usize>i << 2
    const v = load<T>(x + at)
    const e = exp<T>(negate<T>(absolute<T>(v)))
    const s = div<T>(ifLess<T>(v, splat<T>(0), e, one), add<T>(one, e))
    store<T>(out + at, mul<T>(v, s))
  }
  return i
}

// @ts-ignore: decorator
@inline function siluBack<T>(dx: usize, dy: usize, x: usize, i: i32, n: i32): i32 {
  const one = constant<T>(ONE), zero = splat<T>(0)
  for (; i <= n - lanes<T>(); i += lanes<T>()) {
    const at = <usize>i << 2
    const v = load<T>(x + at)
    const e = exp<T>(negate<T>(absolute<T>(v)))
    const below = add<T>(one, e)
    const s = div<T>(ifLess<T>(v, zero, e, one), below)
    const other = div<T>(ifLess<T>(v, zero, one, e), below)
    store<T>(dx + at, mul<T>(load<T>(dy + at), mulAdd<T>(mul<T>(v, s), other, s)))
  }
  return i
}

// @ts-ignore: decorator
@inline function tanhRun<T>(y: usize, x: usize, i: i32, n: i32): i32 {
  for (; i <= n - lanes<T>(); i += lanes<T>()) store<T>(y + (<usize>i << 2), tanh<T>(load<T>(x + (<usize>i << 2))))
  return i
}

// @ts-ignore: decorator
@inline function tanhBack<T>(dx: usize, dy: usize, y: usize, i: i32, n: i32): i32 {
  for (; i <= n - lanes<T>(); i += lanes<T>()) {
    const at = <usize>i << 2
    const v = load<T>(y + at)
    store<T>(dx + at, mul<T>(load<T>(dy + at), sub<T>(constant<T>(ONE), mul<T>(v, v))))
  }
  return i
}
