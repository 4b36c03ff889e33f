/**
 * One source for the SIMD and the scalar build. A kernel is written once over a lane type `T`: `v128` (four f32) or
 * `f32` (one). Both do the same IEEE operations on every element, so both builds give the same bits. A SIMD kernel
 * runs `v128` over the body and `f32` over the remainder; the scalar build runs `f32` alone.
 *
 * Comparisons come only as «if a < b then x else y»: a mask has no scalar twin. `lower` and `upper` are the
 * pseudo-minimum and -maximum: `max(+0, -0)` differs on one old engine, `a < b ? b : a` does not.
 */

/** f32 lanes in T: 4 or 1. */
// @ts-ignore: decorator
@inline export function lanes<T>(): i32 { return isVector<T>() ? 4 : 1 }

// @ts-ignore: decorator
@inline export function splat<T>(x: f32): T {
  if (isVector<T>()) return changetype<T>(f32x4.splat(x))
  return <T>x
}

// @ts-ignore: decorator
@inline export function add<T>(a: T, b: T): T {
  if (isVector<T>()) return changetype<T>(f32x4.add(changetype<v128>(a), changetype<v128>(b)))
  return <T>(a + b)
}

// @ts-ignore: decorator
@inline export function sub<T>(a: T, b: T): T {
  if (isVector<T>()) return changetype<T>(f32x4.sub(changetype<v128>(a), changetype<v128>(b)))
  return <T>(a - b)
}

// @ts-ignore: decorator
@inline export function mul<T>(a: T, b: T): T {
  if (isVector<T>()) return changetype<T>(f32x4.mul(changetype<v128>(a), changetype<v128>(b)))
  return <T>(a * b)
}

// @ts-ignore: decorator
@inline export function div<T>(a: T, b: T): T {
  if (isVector<T>()) return changetype<T>(f32x4.div(changetype<v128>(a), changetype<v128>(b)))
  return <T>(a / b)
}

/** a*b + c with two roundings: never fused. */
// @ts-ignore: decorator
@inline export function mulAdd<T>(a: T, b: T, c: T): T { return add<T>(mul<T>(a, b), c) }

// @ts-ignore: decorator
@inline export function root<T>(a: T): T {
  if (isVector<T>()) return changetype<T>(f32x4.sqrt(changetype<v128>(a)))
  return <T>sqrt<f32>(<f32>a)
}

// @ts-ignore: decorator
@inline export function absolute<T>(a: T): T {
  if (isVector<T>()) return changetype<T>(f32x4.abs(changetype<v128>(a)))
  return <T>abs<f32>(<f32>a)
}

// @ts-ignore: decorator
@inline export function negate<T>(a: T): T {
  if (isVector<T>()) return changetype<T>(f32x4.neg(changetype<v128>(a)))
  return <T>(-a)
}

/** a < b ? x : y, lane by lane; false where a or b is NaN. */
// @ts-ignore: decorator
@inline export function ifLess<T>(a: T, b: T, x: T, y: T): T {
  if (isVector<T>()) {
    return changetype<T>(v128.bitselect(changetype<v128>(x), changetype<v128>(y),
      f32x4.lt(changetype<v128>(a), changetype<v128>(b))))
  }
  return select<T>(x, y, a < b)
}

/** a == b ? x : y, lane by lane; `ifEqual(a, a, x, y)` tells NaN (y) from numbers (x). */
// @ts-ignore: decorator
@inline export function ifEqual<T>(a: T, b: T, x: T, y: T): T {
  if (isVector<T>()) {
    return changetype<T>(v128.bitselect(changetype<v128>(x), changetype<v128>(y),
      f32x4.eq(changetype<v128>(a), changetype<v128>(b))))
  }
  return select<T>(x, y, a == b)
}

/** a < b ? b : a. */
// @ts-ignore: decorator
@inline export function upper<T>(a: T, b: T): T {
  if (isVector<T>()) return changetype<T>(f32x4.pmax(changetype<v128>(a), changetype<v128>(b)))
  return select<T>(b, a, a < b)
}

/** b < a ? b : a. */
// @ts-ignore: decorator
@inline export function lower<T>(a: T, b: T): T {
  if (isVector<T>()) return changetype<T>(f32x4.pmin(changetype<v128>(a), changetype<v128>(b)))
  return select<T>(b, a, b < a)
}

/** |a| with the sign of s. */
// @ts-ignore: decorator
@inline export function withSign<T>(a: T, s: T): T {
  if (isVector<T>()) {
    return changetype<T>(v128.bitselect(changetype<v128>(s), changetype<v128>(a), i32x4.splat(<i32>0x80000000)))
  }
  return <T>copysign<f32>(<f32>a, <f32>s)
}

/** The f32 whose bits are the integer (bits of a) + (k << 23): a * 2^k while no exponent leaves its range. */
// @ts-ignore: decorator
@inline export function addBits<T>(a: T, b: T): T {
  if (isVector<T>()) return changetype<T>(i32x4.add(changetype<v128>(a), changetype<v128>(b)))
  return <T>reinterpret<f32>(reinterpret<i32>(<f32>a) + reinterpret<i32>(<f32>b))
}

/** The f32 whose bits are the integer (bits of a) - (bits of b). */
// @ts-ignore: decorator
@inline export function subBits<T>(a: T, b: T): T {
  if (isVector<T>()) return changetype<T>(i32x4.sub(changetype<v128>(a), changetype<v128>(b)))
  return <T>reinterpret<f32>(reinterpret<i32>(<f32>a) - reinterpret<i32>(<f32>b))
}

/** The bits of a, shifted left by n, as an f32. */
// @ts-ignore: decorator
@inline export function shiftLeft<T>(a: T, n: i32): T {
  if (isVector<T>()) return changetype<T>(i32x4.shl(changetype<v128>(a), n))
  return <T>reinterpret<f32>(reinterpret<i32>(<f32>a) << n)
}

/** The bits of a, shifted right by n with zeros, as an f32. */
// @ts-ignore: decorator
@inline export function shiftRight<T>(a: T, n: i32): T {
  if (isVector<T>()) return changetype<T>(i32x4.shr_u(changetype<v128>(a), n))
  return <T>reinterpret<f32>(reinterpret<u32>(<f32>a) >>> n)
}

/** The bits of a and of b, and-ed. */
// @ts-ignore: decorator
@inline export function andBits<T>(a: T, b: T): T {
  if (isVector<T>()) return changetype<T>(v128.and(changetype<v128>(a), changetype<v128>(b)))
  return <T>reinterpret<f32>(reinterpret<i32>(<f32>a) & reinterpret<i32>(<f32>b))
}

/** The f32 at ptr, in every lane. */
// @ts-ignore: decorator
@inline export function splatLoad<T>(ptr: usize): T {
  if (isVector<T>()) return changetype<T>(v128.load32_splat(ptr))
  return <T>load<f32>(ptr)
}
