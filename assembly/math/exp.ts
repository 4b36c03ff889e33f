/**
 * Exponential function.
 *
 * exp:          e^x for every f32. Error at most 1.03 ulp (results below 2^-126: of 2^-149), tested.
 *               exp(-inf) = 0, exp(inf) = inf, exp(+-0) = 1, NaN stays NaN; gradual underflow to 2^-149, then 0.
 * expm1Below:   e^x - 1 for x in [-80, 0] or NaN. Relative accuracy is kept near 0; -0 for -0.
 *
 * Order of operations, each with one rounding to f32; c = 1.5 * 2^23 + bias, bias 254 in exp, 127 in expm1Below:
 *   t = (x * LOG2E) + c;  n = t - c (an integer);  r = (x - n * LN2_HIGH) - n * LN2_LOW
 *   z = r * r;  p = (((P4 * z) + ((P3 * r) + P2)) * z) + ((P1 * r) + P0);  q = (z * p) + r
 *   exp:        x first clamped to [-104, 89]; e = 1 + q; (e * 2^i) * 2^(n - i), i = floor(n / 2)
 *   expm1Below: (2^n * q) + (2^n - 1)
 * The constants, exact f32, stand in the code. n * LN2_HIGH is exact (9 bits times at most 8). The power of two comes
 * in two factors, for no single f32 holds 2^-150 or 2^128.
 */
import { add, andBits, lower, mul, mulAdd, shiftLeft, shiftRight, sub, subBits, upper } from '../lanes'
import { constant, ONE } from './constants'

const LOG2E = memory.data<f32>([1.44269502])
const LN2_HIGH = memory.data<f32>([0.693359375])
const LN2_LOW = memory.data<f32>([-0.000212194442])
const P0 = memory.data<f32>([0.49999997])
const P1 = memory.data<f32>([0.16666539])
const P2 = memory.data<f32>([0.0416677557])
const P3 = memory.data<f32>([0.00836711843])
const P4 = memory.data<f32>([0.0013835571])
const HIGHEST = memory.data<f32>([89])
const LOWEST = memory.data<f32>([-104])
const SHIFT_TWICE = memory.data<f32>([12582912 + 254])
const SHIFT_ONCE = memory.data<f32>([12582912 + 127])
const EXPONENT = memory.data<i32>([0x7f800000])

/** e^r - 1, r = x - n ln 2 in about [-0.347, 0.347]. */
// @ts-ignore: decorator
@inline function rest<T>(x: T, n: T): T {
  const r = sub<T>(sub<T>(x, mul<T>(n, constant<T>(LN2_HIGH))), mul<T>(n, constant<T>(LN2_LOW)))
  const z = mul<T>(r, r)
  const low = mulAdd<T>(constant<T>(P1), r, constant<T>(P0))
  const high = mulAdd<T>(constant<T>(P4), z, mulAdd<T>(constant<T>(P3), r, constant<T>(P2)))
  return mulAdd<T>(z, mulAdd<T>(high, z, low), r)
}

// @ts-ignore: decorator
@inline export function exp<T>(x: T): T {
  const inside = upper<T>(lower<T>(x, constant<T>(HIGHEST)), constant<T>(LOWEST))
  const t = mulAdd<T>(inside, constant<T>(LOG2E), constant<T>(SHIFT_TWICE))
  const e = add<T>(constant<T>(ONE), rest<T>(inside, sub<T>(t, constant<T>(SHIFT_TWICE))))
  // the low 9 bits of t are k = n + 254 in [104, 382]: halves of it are the biased exponents of two factors
  const k = shiftLeft<T>(t, 23)
  const first = andBits<T>(shiftRight<T>(k, 1), constant<T>(EXPONENT))
  return mul<T>(mul<T>(e, first), subBits<T>(k, first))
}

// @ts-ignore: decorator
@inline export function expm1Below<T>(x: T): T {
  const t = mulAdd<T>(x, constant<T>(LOG2E), constant<T>(SHIFT_ONCE))
  const q = rest<T>(x, sub<T>(t, constant<T>(SHIFT_ONCE)))
  const power = shiftLeft<T>(t, 23)
  return mulAdd<T>(power, q, sub<T>(power, constant<T>(ONE)))
}
