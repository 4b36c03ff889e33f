/**
 * Hyperbolic tangent of every f32. Error at most 2.5 ulp, tested; never above 1 in absolute value, odd.
 * tanh(+-0) = +-0, tanh(+-inf) = +-1, denormals come back unchanged, NaN stays NaN.
 *
 * Order of operations, each with one rounding to f32:
 *   a = |x| < 10 ? |x| : 10;  t = expm1Below(-2 * a);  y = (-t) / (t + 2), with the sign of x
 */
import { absolute, add, div, lower, mul, negate, splat, withSign } from '../lanes'
import { expm1Below } from './exp'

// @ts-ignore: decorator
@inline export function tanh<T>(x: T): T {
  const a = lower<T>(absolute<T>(x), splat<T>(10))
  const t = expm1Below<T>(mul<T>(a, splat<T>(-2)))
  return withSign<T>(div<T>(negate<T>(t), add<T>(t, splat<T>(2))), x)
}
