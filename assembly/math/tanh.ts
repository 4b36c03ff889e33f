/**
 * Hyperbolic tangent of every f32. Error at most 2.5 ulp, tested; never above 1 in absolute value, odd.
 * tanh(+-0) = +-0, tanh(+-inf) = +-1, denormals come back unchanged, NaN stays NaN.
 *
 * Order of operations, each with one rounding to f32:
 *   a = |x| < 10 ? |x| : 10;  t = expm1Below(-2 * a);  y = (-t) / (t + 2), with the sign of x
 */
import { absolute, add, div, lower, mul, negate, withSign } from '../lanes'
import { constant, TWO } from './constants'
import { expm1Below } from './exp'

const HIGHEST = memory.data<f32>([10])
const MINUS_TWO = memory.data<f32>([-2])

// @ts-ignore: decorator
@inline export function tanh<T>(x: T): T {
  const a = lower<T>(absolute<T>(x), constant<T>(HIGHEST))
  const t = expm1Below<T>(mul<T>(a, constant<T>(MINUS_TWO)))
  return withSign<T>(div<T>(negate<T>(t), add<T>(t, constant<T>(TWO))), x)
}
