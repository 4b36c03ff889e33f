/**
 * Exponential function.
 *
 * exp:          e^x for every f32. Error at most 1.01 ulp (results below 2^-126: of 2^-149), tested.
 *               exp(-inf) = 0, exp(inf) = inf, exp(+-0) = 1, NaN stays NaN; gradual underflow to 2^-149, then 0.
 * expm1Below:   e^x - 1 for x in [-80, 0] or NaN. Relative accuracy is kept near 0; -0 for -0.
 *
 * Order of operations, each with one rounding to f32; c = 1.5 * 2^23 + bias, bias 254 in exp, 127 in expm1Below:
 *   t = (x * LOG2E) + c;  n = t - c (an integer);  r = (x - n * LN2_HIGH) - n * LN2_LOW
 *   p = (((P4 * r + P3) * r + P2) * r + P1) * r + P0;  q = (r * r) * p + r
 *   exp:        x first clamped to [-104, 89]; e = 1 + q; (e * 2^i) * 2^(n - i), i = floor(n / 2)
 *   expm1Below: (2^n * q) + (2^n - 1)
 * The constants, exact f32, stand in the code. n * LN2_HIGH is exact (9 bits times at most 8). Two factors 2^n: no single f32 holds 2^-150 or 2^128.
 */
import { add, andBits, lower, mul, mulAdd, shiftLeft, shiftRight, splat, splatBits, sub, subBits, upper } from '../lanes'

// @ts-ignore: decorator
@inline const MAGIC: f32 = 12582912

/** x * LOG2E, rounded to an integer n and kept in the low bits of magic + bias + n. */
// @ts-ignore: decorator
@inline function steps<T>(x: T, bias: f32): T {
  return mulAdd<T>(x, splat<T>(1.44269502), splat<T>(MAGIC + bias))
}

/** e^r - 1, r = x - n ln 2 in about [-0.347, 0.347]. */
// @ts-ignore: decorator
@inline function rest<T>(x: T, n: T): T {
  const r = sub<T>(sub<T>(x, mul<T>(n, splat<T>(0.693359375))), mul<T>(n, splat<T>(-0.000212194442)))
  let p = mulAdd<T>(splat<T>(0.0013835571), r, splat<T>(0.00836711843))
  p = mulAdd<T>(p, r, splat<T>(0.0416677557))
  p = mulAdd<T>(p, r, splat<T>(0.16666539))
  p = mulAdd<T>(p, r, splat<T>(0.49999997))
  return mulAdd<T>(mul<T>(r, r), p, r)
}

// @ts-ignore: decorator
@inline export function exp<T>(x: T): T {
  const inside = upper<T>(lower<T>(x, splat<T>(89)), splat<T>(-104))
  const t = steps<T>(inside, 254)
  const e = add<T>(splat<T>(1), rest<T>(inside, sub<T>(t, splat<T>(MAGIC + 254))))
  // the low 9 bits of t are k = n + 254 in [104, 382]: halves of it are the biased exponents of two factors
  const k = shiftLeft<T>(t, 23)
  const first = andBits<T>(shiftRight<T>(k, 1), splatBits<T>(0x7f800000))
  return mul<T>(mul<T>(e, first), subBits<T>(k, first))
}

// @ts-ignore: decorator
@inline export function expm1Below<T>(x: T): T {
  const t = steps<T>(x, 127)
  const q = rest<T>(x, sub<T>(t, splat<T>(MAGIC + 127)))
  const power = shiftLeft<T>(t, 23)
  return mulAdd<T>(power, q, sub<T>(power, splat<T>(1)))
}
