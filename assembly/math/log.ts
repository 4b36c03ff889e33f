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
import { add, addBits, andBits, div, ifEqual, ifLess, mul, mulAdd, shiftRight, splat, sub } from '../lanes'
import { constant, HALF, ONE, TWO } from './constants'

const LEAST = memory.data<f32>([1.17549435e-38])
const UP = memory.data<f32>([8388608])
const LN2_HIGH = memory.data<f32>([0.693359375])
const LN2_LOW = memory.data<f32>([-0.000212194442])
const L0 = memory.data<f32>([0.666666627])
const L1 = memory.data<f32>([0.400009722])
const L2 = memory.data<f32>([0.284987956])
const L3 = memory.data<f32>([0.242786825])
const INFINITE = memory.data<f32>([Infinity])
const MINUS_INFINITE = memory.data<f32>([-Infinity])
const NOT_A_NUMBER = memory.data<i32>([0x7fc00000])
const ROOT = memory.data<i32>([0x3f3504f3])
const ONE_LESS_ROOT = memory.data<i32>([0x3f800000 - 0x3f3504f3])
const MANTISSA = memory.data<i32>([0x007fffff])
const FIELD = memory.data<i32>([0x4b000000])
const OFFSET = memory.data<f32>([8388608 + 127])
const OFFSET_UP = memory.data<f32>([8388608 + 127 + 23])

// @ts-ignore: decorator
@inline export function log<T>(x: T): T {
  const least = constant<T>(LEAST)
  const normal = ifLess<T>(x, least, mul<T>(x, constant<T>(UP)), x)
  // bits of sqrt(1/2) are 0x3f3504f3: after the sum the exponent field holds k + 127, the mantissa 1 + f
  const b = addBits<T>(normal, constant<T>(ONE_LESS_ROOT))
  const field = addBits<T>(shiftRight<T>(b, 23), constant<T>(FIELD))
  const k = sub<T>(field, ifLess<T>(x, least, constant<T>(OFFSET_UP), constant<T>(OFFSET)))
  const f = sub<T>(addBits<T>(andBits<T>(b, constant<T>(MANTISSA)), constant<T>(ROOT)), constant<T>(ONE))

  const s = div<T>(f, add<T>(constant<T>(TWO), f))
  const z = mul<T>(s, s)
  let p = mulAdd<T>(constant<T>(L3), z, constant<T>(L2))
  p = mulAdd<T>(p, z, constant<T>(L1))
  p = mulAdd<T>(p, z, constant<T>(L0))
  const h = mul<T>(mul<T>(constant<T>(HALF), f), f)
  let y = mulAdd<T>(k, constant<T>(LN2_LOW), mul<T>(s, add<T>(h, mul<T>(z, p))))
  y = mulAdd<T>(k, constant<T>(LN2_HIGH), add<T>(sub<T>(y, h), f))

  y = ifEqual<T>(x, constant<T>(INFINITE), x, y)
  y = ifEqual<T>(x, splat<T>(0), constant<T>(MINUS_INFINITE), y)
  y = ifLess<T>(x, splat<T>(0), constant<T>(NOT_A_NUMBER), y)
  return ifEqual<T>(x, x, y, x)
}
