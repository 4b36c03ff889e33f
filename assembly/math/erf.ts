/**
 * Error function of every f32. Error at most 2.25 ulp, tested; never above 1 in absolute value, odd.
 * erf(+-0) = +-0, erf(+-inf) = +-1, NaN stays NaN, denormals with gradual underflow.
 *
 * erf(a) = 1 - e^-(a + a h(a)) with h(a) = -log(erfc(a)) / a - 1, smooth on [0, 3.92]: one polynomial for all a.
 *
 * Order of operations, each with one rounding to f32:
 *   a = |x| < 3.92 ? |x| : 3.92;  b = a * a;  c = b * b
 *   low = (((H3 * a) + H2) * b) + ((H1 * a) + H0);  high = (H8 * c) + ((((H7 * a) + H6) * b) + ((H5 * a) + H4))
 *   h = (high * c) + low
 *   y = -expm1Below(-((a * h) + a)), with the sign of x
 */
import { absolute, lower, mul, mulAdd, negate, withSign } from '../lanes'
import { constant } from './constants'
import { expm1Below } from './exp'

const HIGHEST = memory.data<f32>([3.92])
const H0 = memory.data<f32>([0.128379166])
const H1 = memory.data<f32>([0.636619568])
const H2 = memory.data<f32>([0.102776304])
const H3 = memory.data<f32>([-0.0191478245])
const H4 = memory.data<f32>([-0.000169493956])
const H5 = memory.data<f32>([0.00167565665])
const H6 = memory.data<f32>([-0.000637346413])
const H7 = memory.data<f32>([0.000118854594])
const H8 = memory.data<f32>([-9.38696485e-06])

// @ts-ignore: decorator
@inline export function erf<T>(x: T): T {
  const a = lower<T>(absolute<T>(x), constant<T>(HIGHEST))
  // in pairs and fours: half the latency of one long chain
  const b = mul<T>(a, a), c = mul<T>(b, b)
  const low = mulAdd<T>(pair<T>(H3, a, H2), b, pair<T>(H1, a, H0))
  const high = mulAdd<T>(constant<T>(H8), c, mulAdd<T>(pair<T>(H7, a, H6), b, pair<T>(H5, a, H4)))
  const h = mulAdd<T>(high, c, low)
  return withSign<T>(expm1Below<T>(negate<T>(mulAdd<T>(a, h, a))), x)
}

// @ts-ignore: decorator
@inline function pair<T>(slope: usize, a: T, offset: usize): T {
  return mulAdd<T>(constant<T>(slope), a, constant<T>(offset))
}
