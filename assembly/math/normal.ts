/**
 * The normal distribution: Phi(x), the share of it below x, from g = e^(-x^2 / 2).
 *
 * Phi: absolute error at most 4 * 2^-24, tested. Phi(-inf) = 0, Phi(inf) = 1, NaN stays NaN. Below 0 also its relative error
 * is at most 2^-18 while x > -8.
 *
 * Phi(-a) = g Q(t) t for a >= 0 with t = 1 / (1 + 0.3 a): Q is smooth on [0, 1], a polynomial of degree 7.
 *
 * Order of operations, each with one rounding to f32:
 *   g = exp((-0.5 * x) * x);  a = |x|;  t = 1 / (1 + (0.3 * a));  z = t * t;  w = z * z
 *   low = (((Q3 * t) + Q2) * z) + ((Q1 * t) + Q0);  high = (((Q7 * t) + Q6) * z) + ((Q5 * t) + Q4)
 *   tail = (((high * w) + low) * t) * g;  Phi = x < 0 ? tail : 1 - tail
 */
import { absolute, add, div, ifLess, mul, mulAdd, splat, sub } from '../lanes'
import { constant, ONE } from './constants'
import { exp } from './exp'

const MINUS_HALF = memory.data<f32>([-0.5])
const NEARNESS = memory.data<f32>([0.3])
const Q0 = memory.data<f32>([0.119627416])
const Q1 = memory.data<f32>([0.120790929])
const Q2 = memory.data<f32>([0.0996278077])
const Q3 = memory.data<f32>([0.129697025])
const Q4 = memory.data<f32>([-0.0562043712])
const Q5 = memory.data<f32>([0.2094993])
const Q6 = memory.data<f32>([-0.159259811])
const Q7 = memory.data<f32>([0.0362217166])

/** e^(-x^2 / 2). */
// @ts-ignore: decorator
@inline export function density<T>(x: T): T { return exp<T>(mul<T>(mul<T>(constant<T>(MINUS_HALF), x), x)) }

/** Phi(x), given g = density(x). */
// @ts-ignore: decorator
@inline export function phi<T>(x: T, g: T): T {
  const one = constant<T>(ONE)
  const t = div<T>(one, mulAdd<T>(constant<T>(NEARNESS), absolute<T>(x), one))
  const z = mul<T>(t, t), w = mul<T>(z, z)
  const low = mulAdd<T>(pair<T>(Q3, t, Q2), z, pair<T>(Q1, t, Q0))
  const high = mulAdd<T>(pair<T>(Q7, t, Q6), z, pair<T>(Q5, t, Q4))
  const tail = mul<T>(mul<T>(mulAdd<T>(high, w, low), t), g)
  return ifLess<T>(x, splat<T>(0), tail, sub<T>(one, tail))
}

// @ts-ignore: decorator
@inline function pair<T>(slope: usize, a: T, offset: usize): T {
  return mulAdd<T>(constant<T>(slope), a, constant<T>(offset))
}
