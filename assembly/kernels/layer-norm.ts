/**
 * Layer normalisation over rows of C.
 *
 * mean = sum(x) / C;  rstd = 1 / sqrt(sum((x - mean)^2) / C + eps);  y = (x - mean) rstd weight + bias
 * g = dy weight, h = (x - mean) rstd:  dx = rstd (g - sum(g) / C - h sum(g h) / C)
 * dweight = sum over rows of dy h;  dbias = sum over rows of dy
 *
 * x, y, dx, dy, residual, sum: [M, C]; weight, bias, dweight, dbias: [C]; mean, rstd: [M]. Saved for backward: x (or
 * `sum`), mean, rstd. dweight and dbias accumulate (the caller zeroes them), all others overwrite (`=`). y may be x and dx may be dy or x; `sum` may be x or residual; dweight and
 * dbias overlap nothing.
 *
 * Order of operations, each with one rounding to f32; sum() along a row is that of reduce.ts, n = C as f32:
 *   mean = sum(x) / n;  rstd = 1 / sqrt((sum((x - mean) * (x - mean)) / n) + eps)
 *   y = (((x - mean) * rstd) * weight) + bias
 *   a = sum(dy * weight) / n;  b = (sum((dy * weight) * (x - mean)) * rstd) / n
 *   dx = (((dy * weight) - a) - (((x - mean) * rstd) * b)) * rstd
 *   dweight, dbias: rows ascending, dweight + (dy * ((x - mean) * rstd)) and dbias + dy
 *   add_layer_norm: sum = x + residual, then as above on sum
 */
import { add, lanes, mul, mulAdd, splat, sub } from '../lanes'
import { fold, rowDot, rowSquares, rowSum, tail } from '../reduce'

export function layer_norm_forward(
  y: usize, mean: usize, rstd: usize, x: usize, weight: usize, bias: usize, M: i32, C: i32, eps: f32,
): void {
  for (let m = 0; m < M; m++) {
    const at = <usize>m * <usize>C << 2
    normalizeRow(y + at, mean + (<usize>m << 2), rstd + (<usize>m << 2), x + at, weight, bias, C, eps)
  }
}

export function add_layer_norm_forward(
  y: usize, sum: usize, mean: usize, rstd: usize, x: usize, residual: usize, weight: usize, bias: usize,
  M: i32, C: i32, eps: f32,
): void {
  for (let m = 0; m < M; m++) {
    const at = <usize>m * <usize>C << 2
    let i = 0
    if (ASC_FEATURE_SIMD) i = addRun<v128>(sum + at, x + at, residual + at, i, C)
    addRun<f32>(sum + at, x + at, residual + at, i, C)
    normalizeRow(y + at, mean + (<usize>m << 2), rstd + (<usize>m << 2), sum + at, weight, bias, C, eps)
  }
}

export function layer_norm_backward(
  dx: usize, dy: usize, x: usize, mean: usize, rstd: usize, weight: usize, M: i32, C: i32,
): void {
  const n = <f32>C
  for (let m = 0; m < M; m++) {
    const at = <usize>m * <usize>C << 2
    const center = load<f32>(mean + (<usize>m << 2)), scale = load<f32>(rstd + (<usize>m << 2))
    const a = rowDot(dy + at, weight, C) / n
    const b = rowDotCentered(dy + at, weight, x + at, center, C) * scale / n
    let i = 0
    if (ASC_FEATURE_SIMD) i = backRun<v128>(dx + at, dy + at, x + at, weight, center, scale, a, b, i, C)
    backRun<f32>(dx + at, dy + at, x + at, weight, center, scale, a, b, i, C)
  }
}

export function layer_norm_backward_params(
  dweight: usize, dbias: usize, dy: usize, x: usize, mean: usize, rstd: usize, M: i32, C: i32,
): void {
  for (let m = 0; m < M; m++) {
    const at = <usize>m * <usize>C << 2
    const center = load<f32>(mean + (<usize>m << 2)), scale = load<f32>(rstd + (<usize>m << 2))
    let i = 0
    if (ASC_FEATURE_SIMD) i = paramsRun<v128>(dweight, dbias, dy + at, x + at, center, scale, i, C)
    paramsRun<f32>(dweight, dbias, dy + at, x + at, center, scale, i, C)
  }
}

function normalizeRow(
  y: usize, mean: usize, rstd: usize, x: usize, weight: usize, bias: usize, C: i32, eps: f32,
): void {
  const n = <f32>C
  const center = rowSum(x, C) / n
  const scale: f32 = 1 / sqrt<f32>(rowSquares(x, center, C) / n + eps)
  store<f32>(mean, center)
  store<f32>(rstd, scale)
  let i = 0
  if (ASC_FEATURE_SIMD) i = normalizeRun<v128>(y, x, weight, bias, center, scale, i, C)
  normalizeRun<f32>(y, x, weight, bias, center, scale, i, C)
}

/** sum((dy * weight) * (x - mean)). */
function rowDotCentered(dy: usize, weight: usize, x: usize, mean: f32, n: i32): f32 {
  let s0: f32 = 0, s1: f32 = 0, s2: f32 = 0, s3: f32 = 0
  if (ASC_FEATURE_SIMD) {
    const s = centeredRun<v128>(dy, weight, x, mean, 0, n & ~3, f32x4.splat(0))
    s0 = f32x4.extract_lane(s, 0)
    s1 = f32x4.extract_lane(s, 1)
    s2 = f32x4.extract_lane(s, 2)
    s3 = f32x4.extract_lane(s, 3)
  }
  const i = tail(n)
  return fold(centeredRun<f32>(dy, weight, x, mean, i, n, s0), centeredRun<f32>(dy, weight, x, mean, i + 1, n, s1),
    centeredRun<f32>(dy, weight, x, mean, i + 2, n, s2), centeredRun<f32>(dy, weight, x, mean, i + 3, n, s3))
}

// @ts-ignore: decorator
@inline function centeredRun<T>(dy: usize, weight: usize, x: usize, mean: f32, i: i32, n: i32, s: T): T {
  for (; i < n; i += 4) {
    const at = <usize>i << 2
    const g = mul<T>(load<T>(dy + at), load<T>(weight + at))
    s = mulAdd<T>(g, sub<T>(load<T>(x + at), splat<T>(mean)), s)
  }
  return s
}

// @ts-ignore: decorator
@inline function addRun<T>(out: usize, a: usize, b: usize, i: i32, n: i32): i32 {
  for (; i <= n - lanes<T>(); i += lanes<T>()) {
    const at = <usize>i << 2
    store<T>(out + at, add<T>(load<T>(a + at), load<T>(b + at)))
  }
  return i
}

// @ts-ignore: decorator
@inline function normalizeRun<T>(
  y: usize, x: usize, weight: usize, bias: usize, mean: f32, rstd: f32, i: i32, n: i32,
): i32 {
  for (; i <= n - lanes<T>(); i += lanes<T>()) {
    const at = <usize>i << 2
    const h = mul<T>(sub<T>(load<T>(x + at), splat<T>(mean)), splat<T>(rstd))
    store<T>(y + at, mulAdd<T>(h, load<T>(weight + at), load<T>(bias + at)))
  }
  return i
}

// @ts-ignore: decorator
@inline function backRun<T>(
  dx: usize, dy: usize, x: usize, weight: usize, mean: f32, rstd: f32, a: f32, b: f32, i: i32, n: i32,
): i32 {
  for (; i <= n - lanes<T>(); i += lanes<T>()) {
    const at = <usize>i << 2
    const g = mul<T>(load<T>(dy + at), load<T>(weight + at))
    const h = mul<T>(sub<T>(load<T>(x + at), splat<T>(mean)), splat<T>(rstd))
    const d = sub<T>(sub<T>(g, splat<T>(a)), mul<T>(h, splat<T>(b)))
    store<T>(dx + at, mul<T>(d, splat<T>(rstd)))
  }
  return i
}

// @ts-ignore: decorator
@inline function paramsRun<T>(
  dweight: usize, dbias: usize, dy: usize, x: usize, mean: f32, rstd: f32, i: i32, n: i32,
): i32 {
  for (; i <= n - lanes<T>(); i += lanes<T>()) {
    const at = <usize>i << 2
    const d = load<T>(dy + at)
    const h = mul<T>(sub<T>(load<T>(x + at), splat<T>(mean)), splat<T>(rstd))
    store<T>(dweight + at, mulAdd<T>(d, h, load<T>(dweight + at)))
    store<T>(dbias + at, add<T>(load<T>(dbias + at), d))
  }
  return i
}
