/**
 * Integer lanes: one source for the SIMD and the scalar build, as lanes.ts is for f32. `I` is `v128` (four 32-bit
 * integers) or `i32` (one). Every operation is modulo 2^32.
 */

// @ts-ignore: decorator
@inline export function splatInt<I>(x: i32): I {
  if (isVector<I>()) return changetype<I>(i32x4.splat(x))
  return <I>x
}

/** x, x + 1, x + 2, x + 3 in the lanes; x alone in one. */
// @ts-ignore: decorator
@inline export function countFrom<I>(x: i32): I {
  if (isVector<I>()) return changetype<I>(i32x4.add(i32x4.splat(x), i32x4(0, 1, 2, 3)))
  return <I>x
}

// @ts-ignore: decorator
@inline export function addInt<I>(a: I, b: I): I {
  if (isVector<I>()) return changetype<I>(i32x4.add(changetype<v128>(a), changetype<v128>(b)))
  return <I>(a + b)
}

// @ts-ignore: decorator
@inline export function subInt<I>(a: I, b: I): I {
  if (isVector<I>()) return changetype<I>(i32x4.sub(changetype<v128>(a), changetype<v128>(b)))
  return <I>(a - b)
}

// @ts-ignore: decorator
@inline export function and<I>(a: I, b: I): I {
  if (isVector<I>()) return changetype<I>(v128.and(changetype<v128>(a), changetype<v128>(b)))
  return <I>(a & b)
}

// @ts-ignore: decorator
@inline export function or<I>(a: I, b: I): I {
  if (isVector<I>()) return changetype<I>(v128.or(changetype<v128>(a), changetype<v128>(b)))
  return <I>(a | b)
}

// @ts-ignore: decorator
@inline export function xor<I>(a: I, b: I): I {
  if (isVector<I>()) return changetype<I>(v128.xor(changetype<v128>(a), changetype<v128>(b)))
  return <I>(a ^ b)
}

// @ts-ignore: decorator
@inline export function left<I>(a: I, n: i32): I {
  if (isVector<I>()) return changetype<I>(i32x4.shl(changetype<v128>(a), n))
  return <I>(a << n)
}

/** Shifts zeros in from the left. */
// @ts-ignore: decorator
@inline export function right<I>(a: I, n: i32): I {
  if (isVector<I>()) return changetype<I>(i32x4.shr_u(changetype<v128>(a), n))
  return <I>(<u32>a >> n)
}

/** Signed a < b ? x : y, lane by lane. */
// @ts-ignore: decorator
@inline export function ifBelow<I>(a: I, b: I, x: I, y: I): I {
  if (isVector<I>()) {
    return changetype<I>(v128.bitselect(changetype<v128>(x), changetype<v128>(y),
      i32x4.lt_s(changetype<v128>(a), changetype<v128>(b))))
  }
  return select<I>(x, y, a < b)
}

/** The low 32 bits of the unsigned product. */
// @ts-ignore: decorator
@inline export function productLow<I>(a: I, b: I): I {
  if (isVector<I>()) {
    return changetype<I>(v128.shuffle<i32>(
      i64x2.extmul_low_i32x4_u(changetype<v128>(a), changetype<v128>(b)),
      i64x2.extmul_high_i32x4_u(changetype<v128>(a), changetype<v128>(b)), 0, 2, 4, 6))
  }
  return <I>(a * b)
}

/** The high 32 bits of the unsigned product. */
// @ts-ignore: decorator
@inline export function productHigh<I>(a: I, b: I): I {
  if (isVector<I>()) {
    return changetype<I>(v128.shuffle<i32>(
      i64x2.extmul_low_i32x4_u(changetype<v128>(a), changetype<v128>(b)),
      i64x2.extmul_high_i32x4_u(changetype<v128>(a), changetype<v128>(b)), 1, 3, 5, 7))
  }
  return <I>(<u64><u32>a * <u64><u32>b >> 32)
}

/** The lanes of an f32 vector as integers, bit by bit. */
// @ts-ignore: decorator
@inline export function bitsOf<T, I>(a: T): I {
  if (isVector<T>()) return changetype<I>(a)
  return <I>reinterpret<i32>(<f32>a)
}

/** Integers as the f32 of the same bits. */
// @ts-ignore: decorator
@inline export function fromBits<T, I>(a: I): T {
  if (isVector<T>()) return changetype<T>(a)
  return <T>reinterpret<f32>(<i32>a)
}
