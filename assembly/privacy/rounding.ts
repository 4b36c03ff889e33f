/**
 * From f32 to integers and back.
 *
 * slice_norm_squared: sum of x_i^2 in f64: four partial sums over i = 0, 1, 2, 3 modulo 4, then (s0 + s1) + (s2 + s3).
 *                     Squares of f32 are exact in f64; the result is finite exactly where every x_i is.
 * slice_scale:        out_i = f32(f64(x_i) * factor)
 * round_nearest:      out_i = x_i to the nearest integer, ties to even
 * round_stochastic:   out_i = floor(x_i) + 1 with chance x_i - floor(x_i) (to 24 bits), else floor(x_i)
 * lattice_to_real:    out_i = f32(f64(v_i) * factor)
 *
 * Rounding is exact for |x_i| <= 2^24 and cuts to i32 beyond. Coordinates 256 j .. 256 j + 255 take the
 * j-th whole buffer of the stream, a word each.
 */
import { BUFFER_BYTES, buffer, refill } from './chacha20'
import { ifLess, lanes, mul, splat, add, sub } from '../lanes'

export function slice_norm_squared(x: usize, n: i32): f64 {
  let s0: f64 = 0, s1: f64 = 0, s2: f64 = 0, s3: f64 = 0
  let i = 0
  for (; i <= n - 4; i += 4) {
    const at = x + (<usize>i << 2)
    const a = <f64>load<f32>(at), b = <f64>load<f32>(at, 4), c = <f64>load<f32>(at, 8), d = <f64>load<f32>(at, 12)
    s0 += a * a
    s1 += b * b
    s2 += c * c
    s3 += d * d
  }
  const last = x + (<usize>i << 2)
  if (i < n) s0 += square(last)
  if (i + 1 < n) s1 += square(last + 4)
  if (i + 2 < n) s2 += square(last + 8)
  return (s0 + s1) + (s2 + s3)
}

// @ts-ignore: decorator
@inline function square(at: usize): f64 {
  const a = <f64>load<f32>(at)
  return a * a
}

export function slice_scale(out: usize, x: usize, factor: f64, n: i32): void {
  let i: usize = 0
  const bytes = <usize>n << 2
  if (ASC_FEATURE_SIMD) {
    const by = f64x2.splat(factor)
    for (; i + 16 <= bytes; i += 16) {
      const v = v128.load(x + i)
      v128.store(out + i, narrow(f64x2.mul(f64x2.promote_low_f32x4(v), by), f64x2.mul(f64x2.promote_low_f32x4(upperHalf(v)), by)))
    }
  }
  for (; i < bytes; i += 4) store<f32>(out + i, <f32>(<f64>load<f32>(x + i) * factor))
}

export function lattice_to_real(out: usize, v: usize, factor: f64, n: i32): void {
  let i: usize = 0
  const bytes = <usize>n << 2
  if (ASC_FEATURE_SIMD) {
    const by = f64x2.splat(factor)
    for (; i + 16 <= bytes; i += 16) {
      const w = v128.load(v + i)
      v128.store(out + i, narrow(f64x2.mul(f64x2.convert_low_i32x4_s(w), by), f64x2.mul(f64x2.convert_low_i32x4_s(upperHalf(w)), by)))
    }
  }
  for (; i < bytes; i += 4) store<f32>(out + i, <f32>(<f64>load<i32>(v + i) * factor))
}

/** Four f64 to f32, each rounded once. */
// @ts-ignore: decorator
@inline function narrow(low: v128, high: v128): v128 {
  return v128.shuffle<i32>(f32x4.demote_f64x2_zero(low), f32x4.demote_f64x2_zero(high), 0, 1, 4, 5)
}

// @ts-ignore: decorator
@inline function upperHalf(v: v128): v128 { return v128.shuffle<i32>(v, v, 2, 3, 2, 3) }

export function round_nearest(out: usize, x: usize, n: i32): void {
  for (let i: usize = 0; i < <usize>n << 2; i += 4) store<i32>(out + i, saturate(nearest<f32>(load<f32>(x + i))))
}

export function round_stochastic(out: usize, x: usize, n: i32, stream: usize): void {
  const whole = <i32>(BUFFER_BYTES >> 2)
  for (let from = 0; from < n; from += whole) {
    refill(stream)
    const at = <usize>from << 2, size = min(n - from, whole)
    let i = 0
    if (ASC_FEATURE_SIMD) i = roundRun<v128>(out + at, x + at, buffer(stream), i, size)
    roundRun<f32>(out + at, x + at, buffer(stream), i, size)
  }
}

// @ts-ignore: decorator
@inline function roundRun<T>(out: usize, x: usize, words: usize, i: i32, n: i32): i32 {
  const one = splat<T>(1), unit = splat<T>(16777216)
  for (; i <= n - lanes<T>(); i += lanes<T>()) {
    const at = <usize>i << 2
    const value = load<T>(x + at), low = down<T>(value)
    const chance = mul<T>(sub<T>(value, low), unit)
    storeInteger<T>(out + at, ifLess<T>(high24<T>(words + at), chance, add<T>(low, one), low))
  }
  return i
}

// @ts-ignore: decorator
@inline function down<T>(x: T): T {
  if (isVector<T>()) return changetype<T>(f32x4.floor(changetype<v128>(x)))
  return <T>floor<f32>(<f32>x)
}

/** The high 24 bits of a word, as a number. */
// @ts-ignore: decorator
@inline function high24<T>(at: usize): T {
  if (isVector<T>()) return changetype<T>(f32x4.convert_i32x4_s(i32x4.shr_u(v128.load(at), 8)))
  return <T><f32>(load<u32>(at) >>> 8)
}

// @ts-ignore: decorator
@inline function storeInteger<T>(at: usize, x: T): void {
  if (isVector<T>()) v128.store(at, i32x4.trunc_sat_f32x4_s(changetype<v128>(x)))
  else store<i32>(at, saturate(<f32>x))
}

/** The integer part, cut to i32, as the vector instruction does: no kernel traps. NaN gives 0. */
// @ts-ignore: decorator
@inline function saturate(x: f32): i32 {
  if (x >= 2147483648) return i32.MAX_VALUE
  if (!(x >= -2147483648)) return x == x ? i32.MIN_VALUE : 0
  return <i32>x
}
