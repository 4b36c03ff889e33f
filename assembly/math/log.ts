/**
 * Natural logarithm of every f32. Error at most 0.85 ulp, tested, denormal inputs included.
 * log(+-0) = -inf, log(x < 0) = NaN, log(inf) = inf, log(1) = +0, NaN stays NaN.
 *
 * Order of operations, each with one rounding to f32; x = 2^k * (1 + f), 1 + f in [sqrt(1/2), sqrt(2)); where
 * x < 2^-126, x * 2^23 takes its place and k is less by 23:
 *   s = f / (2 + f);  z = s * s;  h = (0.5 * f) * f;  R = z * (((L3 * z + L2) * z + L1) * z + L0)
 *   log = ((((s * (h + R)) + k * LN2_LOW) - h) + f) + k * LN2_HIGH
 * The identity log(1+f) = f - h + s (h + R) keeps f itself, which is exact, as the leading term.
 */
import { add, addBits, andBits, div, ifEqual, ifLess, mul, mulAdd, shiftRight, splat, splatBits, sub } from '../lanes'

// @ts-ignore: decorator
@inline export function log<T>(x: T): T {
  const least = splat<T>(1.17549435e-38)
  const normal = ifLess<T>(x, least, mul<T>(x, splat<T>(8388608)), x)
  // bits of sqrt(1/2) are 0x3f3504f3: after the sum the exponent field holds k + 127, the mantissa 1 + f
  const b = addBits<T>(normal, splatBits<T>(0x3f800000 - 0x3f3504f3))
  const field = addBits<T>(shiftRight<T>(b, 23), splatBits<T>(0x4b000000))
  const k = sub<T>(field, ifLess<T>(x, least, splat<T>(8388608 + 127 + 23), splat<T>(8388608 + 127)))
  const f = sub<T>(addBits<T>(andBits<T>(b, splatBits<T>(0x007fffff)), splatBits<T>(0x3f3504f3)), splat<T>(1))

  const s = div<T>(f, add<T>(splat<T>(2), f))
  const z = mul<T>(s, s)
  let p = mulAdd<T>(splat<T>(0.242786825), z, splat<T>(0.284987956))
  p = mulAdd<T>(p, z, splat<T>(0.400009722))
  p = mulAdd<T>(p, z, splat<T>(0.666666627))
  const h = mul<T>(mul<T>(splat<T>(0.5), f), f)
  let y = mulAdd<T>(k, splat<T>(-0.000212194442), mul<T>(s, add<T>(h, mul<T>(z, p))))
  y = mulAdd<T>(k, splat<T>(0.693359375), add<T>(sub<T>(y, h), f))

  y = ifEqual<T>(x, splat<T>(Infinity), x, y)
  y = ifEqual<T>(x, splat<T>(0), splat<T>(-Infinity), y)
  y = ifLess<T>(x, splat<T>(0), splatBits<T>(0x7fc00000), y)
  return ifEqual<T>(x, x, y, x)
}
