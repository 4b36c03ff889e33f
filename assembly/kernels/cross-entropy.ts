/**
 * Softmax and cross-entropy with class targets.
 *
 * probs = e^(x - max) / sum(e^(x - max));  loss = log(sum(e^(x - max))) - (x[target] - max)
 * dlogits = (probs - [v == target]) scale
 *
 * logits, probs, dlogits: [M, V]; loss: [M]; targets: i32[M] in [0, V). Saved for backward: probs. Overwrites (`=`);
 * probs may be logits, dlogits may be probs. A NaN logit makes its row's loss NaN.
 *
 * Order of operations, each with one rounding to f32; sum() is that of reduce.ts, exp and log those of math/:
 *   e = exp(x - max);  s = sum(e);  probs = e / s;  loss = log(s) - (x[target] - max)
 *   dlogits = probs * scale, and (probs - 1) * scale at the target
 */
import { div, lanes, mul, splat, sub } from '../lanes'
import { exp } from '../math/exp'
import { log } from '../math/log'
import { rowMax, rowSum } from '../reduce'

export function cross_entropy_forward(loss: usize, probs: usize, logits: usize, targets: usize, M: i32, V: i32): void {
  for (let m = 0; m < M; m++) {
    const at = <usize>m * <usize>V << 2
    const most = rowMax(logits + at, V)
    const target = load<f32>(logits + at + (<usize>load<i32>(targets + (<usize>m << 2)) << 2))
    let i = 0
    if (ASC_FEATURE_SIMD) i = expRun<v128>(probs + at, logits + at, most, i, V)
    expRun<f32>(probs + at, logits + at, most, i, V)
    const sum = rowSum(probs + at, V)
    i = 0
    if (ASC_FEATURE_SIMD) i = divideRun<v128>(probs + at, sum, i, V)
    divideRun<f32>(probs + at, sum, i, V)
    store<f32>(loss + (<usize>m << 2), log<f32>(sum) - (target - most))
  }
}

export function cross_entropy_backward(dlogits: usize, probs: usize, targets: usize, scale: f32, M: i32, V: i32): void {
  for (let m = 0; m < M; m++) {
    const at = <usize>m * <usize>V << 2
    const target = <usize>load<i32>(targets + (<usize>m << 2)) << 2
    const hit = (load<f32>(probs + at + target) - 1) * scale
    let i = 0
    if (ASC_FEATURE_SIMD) i = scaleRun<v128>(dlogits + at, probs + at, scale, i, V)
    scaleRun<f32>(dlogits + at, probs + at, scale, i, V)
    store<f32>(dlogits + at + target, hit)
  }
}

// @ts-ignore: decorator
@inline function expRun<T>(out: usize, x: usize, most: f32, i: i32, n: i32): i32 {
  for (; i <= n - lanes<T>(); i += lanes<T>()) {
    store<T>(out + (<usize>i << 2), exp<T>(sub<T>(load<T>(x + (<usize>i << 2)), splat<T>(most))))
  }
  return i
}

// @ts-ignore: decorator
@inline function divideRun<T>(x: usize, by: f32, i: i32, n: i32): i32 {
  for (; i <= n - lanes<T>(); i += lanes<T>()) {
    store<T>(x + (<usize>i << 2), div<T>(load<T>(x + (<usize>i << 2)), splat<T>(by)))
  }
  return i
}

// @ts-ignore: decorator
@inline function scaleRun<T>(out: usize, x: usize, s: f32, i: i32, n: i32): i32 {
  for (; i <= n - lanes<T>(); i += lanes<T>()) {
    store<T>(out + (<usize>i << 2), mul<T>(load<T>(x + (<usize>i << 2)), splat<T>(s)))
  }
  return i
}
