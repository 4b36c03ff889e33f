/**
 * Error function of every f32. Error at most 2.05 ulp, tested; never above 1 in absolute value, odd.
 * erf(+-0) = +-0, erf(+-inf) = +-1, NaN stays NaN, denormals with gradual underflow.
 *
 * erf(a) = 1 - e^-(a + a h(a)) with h(a) = -log(erfc(a)) / a - 1, smooth on [0, 3.92]: one polynomial for all a.
 *
 * Order of operations, each with one rounding to f32:
 *   a = |x| < 3.92 ? |x| : 3.92;  h = ((H8 * a + H7) * a + ...) * a + H0
 *   y = -expm1Below(-((a * h) + a)), with the sign of x
 */
import { absolute, lower, mulAdd, negate, splat, withSign } from '../lanes'
import { expm1Below } from './exp'

// @ts-ignore: decorator
@inline export function erf<T>(x: T): T {
  const a = lower<T>(absolute<T>(x), splat<T>(3.92))
  let h = mulAdd<T>(splat<T>(-9.38696485e-06), a, splat<T>(0.000118854594))
  h = mulAdd<T>(h, a, splat<T>(-0.000637346413))
  h = mulAdd<T>(h, a, splat<T>(0.00167565665))
  h = mulAdd<T>(h, a, splat<T>(-0.000169493956))
  h = mulAdd<T>(h, a, splat<T>(-0.0191478245))
  h = mulAdd<T>(h, a, splat<T>(0.102776304))
  h = mulAdd<T>(h, a, splat<T>(0.636619568))
  h = mulAdd<T>(h, a, splat<T>(0.128379166))
  return withSign<T>(expm1Below<T>(negate<T>(mulAdd<T>(a, h, a))), x)
}
