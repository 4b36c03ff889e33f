/**
 * Optimiser steps on flat arrays of n, as PyTorch 2's torch.optim.SGD and torch.optim.AdamW define them.
 *
 * sgd_step:   g = grad + weightDecay param;  v = momentum v + g;  param -= lr v
 *             Velocity starts at 0; with momentum 0 it is neither read nor written and may be pointer 0.
 * adamw_step: param *= 1 - lr weightDecay;  m = beta1 m + (1 - beta1) g;  v = beta2 v + (1 - beta2) g^2
 *             param -= (lr / correction1) m / (sqrt(v) / sqrt(correction2) + eps), correctionK = 1 - betaK^step
 *
 * param, velocity, m, v are updated in place; grad is read. No overlap.
 *
 * The settings are f64: 1 - beta2 in f32 would be wrong in its fifth digit. What is computed from settings alone is
 * computed in f64 and rounded once to f32. Order of operations per element, each with one rounding to f32:
 *   sgd:   g = grad + (weightDecay * p);  v = (momentum * v) + g;  p = p - (lr * v)   (momentum 0: p - (lr * g))
 *   adamw: p = p * decay;  m = (beta1 * m) + (a1 * g);  v = (beta2 * v) + ((a2 * g) * g)
 *          p = p - ((rate * m) / ((sqrt(v) / root) + eps))
 *          decay = 1 - lr * weightDecay, aK = 1 - betaK, rate = lr / correction1, root = sqrt(correction2)
 */
import { add, div, lanes, mul, mulAdd, root, splat, sub } from '../lanes'

export function sgd_step(
  param: usize, velocity: usize, grad: usize, n: i32, lr: f64, momentum: f64, weightDecay: f64,
): void {
  const rate = <f32>lr, keep = <f32>momentum, decay = <f32>weightDecay
  let i = 0
  if (ASC_FEATURE_SIMD) i = sgdRun<v128>(param, velocity, grad, rate, keep, decay, i, n)
  sgdRun<f32>(param, velocity, grad, rate, keep, decay, i, n)
}

export function adamw_step(
  param: usize, m: usize, v: usize, grad: usize, n: i32,
  lr: f64, beta1: f64, beta2: f64, eps: f64, weightDecay: f64, correction1: f64, correction2: f64,
): void {
  const decay = <f32>(1 - lr * weightDecay), rate = <f32>(lr / correction1), below = <f32>sqrt<f64>(correction2)
  const b1 = <f32>beta1, a1 = <f32>(1 - beta1), b2 = <f32>beta2, a2 = <f32>(1 - beta2), e = <f32>eps
  let i = 0
  if (ASC_FEATURE_SIMD) i = adamwRun<v128>(param, m, v, grad, decay, rate, below, b1, a1, b2, a2, e, i, n)
  adamwRun<f32>(param, m, v, grad, decay, rate, below, b1, a1, b2, a2, e, i, n)
}

// @ts-ignore: decorator
@inline function sgdRun<T>(
  param: usize, velocity: usize, grad: usize, rate: f32, keep: f32, decay: f32, i: i32, n: i32,
): i32 {
  for (; i <= n - lanes<T>(); i += lanes<T>()) {
    const at = <usize>i << 2
    const p = load<T>(param + at)
    let g = mulAdd<T>(splat<T>(decay), p, load<T>(grad + at))
    if (keep != 0) {
      g = mulAdd<T>(splat<T>(keep), load<T>(velocity + at), g)
      store<T>(velocity + at, g)
    }
    store<T>(param + at, sub<T>(p, mul<T>(splat<T>(rate), g)))
  }
  return i
}

// @ts-ignore: decorator
@inline function adamwRun<T>(
  param: usize, m: usize, v: usize, grad: usize, decay: f32, rate: f32, below: f32,
  b1: f32, a1: f32, b2: f32, a2: f32, eps: f32, i: i32, n: i32,
): i32 {
  for (; i <= n - lanes<T>(); i += lanes<T>()) {
    const at = <usize>i << 2
    const g = load<T>(grad + at)
    const first = mulAdd<T>(splat<T>(b1), load<T>(m + at), mul<T>(splat<T>(a1), g))
    const second = mulAdd<T>(splat<T>(b2), load<T>(v + at), mul<T>(mul<T>(splat<T>(a2), g), g))
    store<T>(m + at, first)
    store<T>(v + at, second)
    const size = add<T>(div<T>(root<T>(second), splat<T>(below)), splat<T>(eps))
    const p = mul<T>(load<T>(param + at), splat<T>(decay))
    store<T>(param + at, sub<T>(p, div<T>(mul<T>(splat<T>(rate), first), size)))
  }
  return i
}
