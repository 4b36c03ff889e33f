/**
 * Softmax in place, of one row or of every column at once: m = maximum; e_j = exp(s_j - m); z = sum of e; p_j = e_j * (1 / z).
 * Element j goes to the partial sum j mod 4, ascending, each from +0; z = (z0 + z1) + (z2 + z3).
 */
import { add, div, lanes, mul, splat, sub, upper } from '../lanes'
import { exp } from '../math/exp'
import { fold, rowMax } from '../reduce'

export function softmaxRow(row: usize, n: i32): void {
  const top = rowMax(row, n)
  let s0: f32 = 0, s1: f32 = 0, s2: f32 = 0, s3: f32 = 0
  let j = 0
  if (ASC_FEATURE_SIMD) {
    const m = f32x4.splat(top)
    let s = f32x4.splat(0)
    for (; j <= n - 4; j += 4) s = add<v128>(s, power<v128>(row + (<usize>j << 2), m))
    s0 = f32x4.extract_lane(s, 0)
    s1 = f32x4.extract_lane(s, 1)
    s2 = f32x4.extract_lane(s, 2)
    s3 = f32x4.extract_lane(s, 3)
  }
  for (; j < n; j += 4) {
    const at = row + (<usize>j << 2)
    s0 += power<f32>(at, top)
    if (j + 1 < n) s1 += power<f32>(at + 4, top)
    if (j + 2 < n) s2 += power<f32>(at + 8, top)
    if (j + 3 < n) s3 += power<f32>(at + 12, top)
  }
  scaleRow(row, <f32>1 / fold(s0, s1, s2, s3), n)
}

/** Each column of s[n, columns]. */
export function softmaxColumns(s: usize, columns: i32, n: i32): void {
  let c = 0
  if (ASC_FEATURE_SIMD) c = columnsRun<v128>(s, columns, n, c)
  columnsRun<f32>(s, columns, n, c)
}

/** x = x * factor. */
export function scaleRow(x: usize, factor: f32, n: i32): void {
  let i = 0
  if (ASC_FEATURE_SIMD) i = scaleRun<v128>(x, factor, i, n)
  scaleRun<f32>(x, factor, i, n)
}

// @ts-ignore: decorator
@inline
function columnsRun<T>(s: usize, columns: i32, n: i32, c: i32): i32 {
  const down = <usize>columns << 2, fours = <usize>(n & ~3) * down, end = <usize>n * down
  for (; c <= columns - lanes<T>(); c += lanes<T>()) {
    const column = s + (<usize>c << 2)
    let m0 = splat<T>(-Infinity), m1 = m0, m2 = m0, m3 = m0
    let j: usize = 0
    for (; j < fours; j += 4 * down) {
      const at = column + j
      m0 = upper<T>(m0, load<T>(at))
      m1 = upper<T>(m1, load<T>(at + down))
      m2 = upper<T>(m2, load<T>(at + 2 * down))
      m3 = upper<T>(m3, load<T>(at + 3 * down))
    }
    for (; j < end; j += down) m0 = upper<T>(m0, load<T>(column + j))
    const m = upper<T>(upper<T>(m0, m1), upper<T>(m2, m3))
    let s0 = splat<T>(0), s1 = s0, s2 = s0, s3 = s0
    for (j = 0; j < fours; j += 4 * down) {
      const at = column + j
      s0 = add<T>(s0, power<T>(at, m))
      s1 = add<T>(s1, power<T>(at + down, m))
      s2 = add<T>(s2, power<T>(at + 2 * down, m))
      s3 = add<T>(s3, power<T>(at + 3 * down, m))
    }
    if (j < end) s0 = add<T>(s0, power<T>(column + j, m))
    if (j + down < end) s1 = add<T>(s1, power<T>(column + j + down, m))
    if (j + 2 * down < end) s2 = add<T>(s2, power<T>(column + j + 2 * down, m))
    const inverse = div<T>(splat<T>(1), add<T>(add<T>(s0, s1), add<T>(s2, s3)))
    for (j = 0; j < end; j += down) store<T>(column + j, mul<T>(load<T>(column + j), inverse))
  }
  return c
}

/** exp(s - m), written back. */
// @ts-ignore: decorator
@inline
function power<T>(at: usize, m: T): T {
  const e = exp<T>(sub<T>(load<T>(at), m))
  store<T>(at, e)
  return e
}

// @ts-ignore: decorator
@inline
function scaleRun<T>(x: usize, factor: f32, i: i32, n: i32): i32 {
  const f = splat<T>(factor)
  for (; i <= n - lanes<T>(); i += lanes<T>()) {
    const at = x + (<usize>i << 2)
    store<T>(at, mul<T>(load<T>(at), f))
  }
  return i
}
