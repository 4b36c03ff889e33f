/**
 * The functions of assembly/math over whole arrays: out[i] = f(x[i]).
 *
 * Overwrites (`=`). `out` may be `x`. Every element stands alone; the order of operations inside one element is in
 * the header of its function.
 */
import { lanes } from '../lanes'
import { exp } from '../math/exp'
import { log } from '../math/log'
import { density, phi } from '../math/normal'

export function exp_forward(out: usize, x: usize, n: i32): void {
  let i = 0
  if (ASC_FEATURE_SIMD) i = expRun<v128>(out, x, i, n)
  expRun<f32>(out, x, i, n)
}

export function log_forward(out: usize, x: usize, n: i32): void {
  let i = 0
  if (ASC_FEATURE_SIMD) i = logRun<v128>(out, x, i, n)
  logRun<f32>(out, x, i, n)
}

export function phi_forward(out: usize, x: usize, n: i32): void {
  let i = 0
  if (ASC_FEATURE_SIMD) i = phiRun<v128>(out, x, i, n)
  phiRun<f32>(out, x, i, n)
}

// @ts-ignore: decorator
@inline function expRun<T>(out: usize, x: usize, i: i32, n: i32): i32 {
  for (; i <= n - lanes<T>(); i += lanes<T>()) store<T>(out + (<usize>i << 2), exp<T>(load<T>(x + (<usize>i << 2))))
  return i
}

// @ts-ignore: decorator
@inline function logRun<T>(out: usize, x: usize, i: i32, n: i32): i32 {
  for (; i <= n - lanes<T>(); i += lanes<T>()) store<T>(out + (<usize>i << 2), log<T>(load<T>(x + (<usize>i << 2))))
  return i
}

// @ts-ignore: decorator
@inline function phiRun<T>(out: usize, x: usize, i: i32, n: i32): i32 {
  for (; i <= n - lanes<T>(); i += lanes<T>()) {
    const v = load<T>(x + (<usize>i << 2))
    store<T>(out + (<usize>i << 2), phi<T>(v, density<T>(v)))
  }
  return i
}
