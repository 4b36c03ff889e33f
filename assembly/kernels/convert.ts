/**
 * Half-precision numbers to f32 and back; arrays of n elements, 2 bytes each on the narrow side.
 *
 * f16_to_f32, bf16_to_f32: exact for all 65536 inputs, denormals, infinities and NaN payloads included.
 * f32_to_f16, f32_to_bf16: round to nearest, ties to even; beyond the largest finite number infinity; gradual
 * underflow; NaN becomes a quiet NaN with the sign and the upper payload bits.
 *
 * Overwrites (`=`). `out` must not overlap `x`. Everything is integer arithmetic on the bits, but for f16 denormals,
 * which one exact f32 sum or difference puts in their place.
 */
import { halfBits } from '../half'
import { addInt, and, bitsOf, fromBits, ifBelow, left, or, right, splatInt, subInt } from '../integers'
import { add, lanes, splat } from '../lanes'

export function f16_to_f32(out: usize, x: usize, n: i32): void {
  let i = 0
  if (ASC_FEATURE_SIMD) i = widenHalf<v128, v128>(out, x, i, n)
  widenHalf<f32, i32>(out, x, i, n)
}

export function bf16_to_f32(out: usize, x: usize, n: i32): void {
  let i = 0
  if (ASC_FEATURE_SIMD) i = widenBrain<v128, v128>(out, x, i, n)
  widenBrain<f32, i32>(out, x, i, n)
}

export function f32_to_f16(out: usize, x: usize, n: i32): void {
  let i = 0
  if (ASC_FEATURE_SIMD) i = narrowHalf<v128, v128>(out, x, i, n)
  narrowHalf<f32, i32>(out, x, i, n)
}

export function f32_to_bf16(out: usize, x: usize, n: i32): void {
  let i = 0
  if (ASC_FEATURE_SIMD) i = narrowBrain<v128, v128>(out, x, i, n)
  narrowBrain<f32, i32>(out, x, i, n)
}

/** 16-bit words at ptr as unsigned integers. */
// @ts-ignore: decorator
@inline function loadWords<I>(ptr: usize): I {
  if (isVector<I>()) return changetype<I>(v128.load_ext<u16>(ptr))
  return <I><i32>load<u16>(ptr)
}

/** Integers in [0, 65535] as 16-bit words. */
// @ts-ignore: decorator
@inline function storeWords<I>(ptr: usize, words: I): void {
  if (isVector<I>()) {
    v128.store_lane<u64>(ptr, i16x8.narrow_i32x4_u(changetype<v128>(words), changetype<v128>(words)), 0)
  } else {
    store<u16>(ptr, <u16><i32>words)
  }
}

// @ts-ignore: decorator
@inline function widenHalf<T, I>(out: usize, x: usize, i: i32, n: i32): i32 {
  for (; i <= n - lanes<T>(); i += lanes<T>()) {
    store<I>(out + (<usize>i << 2), halfBits<T, I>(loadWords<I>(x + (<usize>i << 1))))
  }
  return i
}

// @ts-ignore: decorator
@inline function widenBrain<T, I>(out: usize, x: usize, i: i32, n: i32): i32 {
  for (; i <= n - lanes<T>(); i += lanes<T>()) {
    store<I>(out + (<usize>i << 2), left<I>(loadWords<I>(x + (<usize>i << 1)), 16))
  }
  return i
}

// @ts-ignore: decorator
@inline function narrowHalf<T, I>(out: usize, x: usize, i: i32, n: i32): i32 {
  for (; i <= n - lanes<T>(); i += lanes<T>()) {
    const bits = load<I>(x + (<usize>i << 2))
    const size = and<I>(bits, splatInt<I>(0x7fffffff))
    // half a unit less one, and the odd bit: ties go to even
    const odd = and<I>(right<I>(size, 13), splatInt<I>(1))
    const normal = right<I>(addInt<I>(subInt<I>(size, splatInt<I>((112 << 23) - 0xfff)), odd), 13)
    // the sum with 1/2 rounds to a multiple of 2^-24, the unit of f16 denormals
    const half = splat<T>(0.5)
    const denormal = subInt<I>(bitsOf<T, I>(add<T>(fromBits<T, I>(size), half)), bitsOf<T, I>(half))
    const payload = or<I>(and<I>(right<I>(size, 13), splatInt<I>(0x3ff)), splatInt<I>(0x7e00))
    let h = ifBelow<I>(size, splatInt<I>(113 << 23), denormal, normal)
    h = ifBelow<I>(size, splatInt<I>(0x477ff000), h, splatInt<I>(0x7c00))
    h = ifBelow<I>(splatInt<I>(0x7f800000), size, payload, h)
    storeWords<I>(out + (<usize>i << 1), or<I>(h, right<I>(and<I>(bits, splatInt<I>(<i32>0x80000000)), 16)))
  }
  return i
}

// @ts-ignore: decorator
@inline function narrowBrain<T, I>(out: usize, x: usize, i: i32, n: i32): i32 {
  for (; i <= n - lanes<T>(); i += lanes<T>()) {
    const bits = load<I>(x + (<usize>i << 2))
    const size = and<I>(bits, splatInt<I>(0x7fffffff))
    const odd = and<I>(right<I>(bits, 16), splatInt<I>(1))
    const number = right<I>(addInt<I>(addInt<I>(bits, splatInt<I>(0x7fff)), odd), 16)
    const quiet = or<I>(right<I>(bits, 16), splatInt<I>(0x40))
    storeWords<I>(out + (<usize>i << 1), ifBelow<I>(splatInt<I>(0x7f800000), size, quiet, number))
  }
  return i
}
