/**
 * The normal distribution: erfc, log Φ, Φ of an interval and Φ^-1, from own exp and log. The scaled function
 * (1 + 2x) e^(x²) erfc(x) is a Chebyshev sum in (x - 3.75) / (x + 3.75) (Shepherd and Laframboise, Math. Comp. 36,
 * 1981); coefficients computed to 50 digits for this file, those below 1e-18 dropped.
 * Relative error: erfcx 1e-15; log Φ 1e-15 · max(1, |log Φ|) in the lower tail.
 * @module
 */
import { exp, log, log1p, LN_2PI } from './elementary.ts'

const SQRT_HALF = 0.70710678118654752440
const INVERSE_SQRT_2PI = 0.39894228040143267794

const ERFCX = /* @__PURE__ */ new Float64Array([
  1.1775789345674017541, -0.0045900545806464773309, -0.084249133366517915584, 0.059209939998191890498,
  -0.026658668435305752277, 0.0090749976707052650939, -0.0024131635404176081909, 0.00049077583652580863229,
  -0.000069169733025012063671, 4.1390279860730101675e-6, 7.7403830661984906686e-7, -2.1886401049234395661e-7,
  1.0764999465670910377e-8, 4.5219598112182868979e-9, -7.7544002088313511065e-10, -6.3180883408866844944e-11,
  2.8687950109306698981e-11, 1.945586854577734723e-13, -9.6546967484334389059e-13, 3.2525481481487398415e-14,
  3.3478119482868053878e-14, -1.8645628804193131015e-15, -1.2507950530688647085e-15, 7.418235256624043463e-17,
  5.0681489047961113168e-17, -2.2370566594359995974e-18, -2.187342944303017665e-18,
])

/** e^(x²) erfc(x) for x >= 0. */
export function erfcx(x: number): number {
  const t = (x - 3.75) / (x + 3.75)
  const twice = 2 * t
  let a = 0
  let b = 0
  for (let k = ERFCX.length - 1; k > 0; k--) {
    const next = twice * a - b + ERFCX[k]
    b = a
    a = next
  }
  return (t * a - b + ERFCX[0]) / (1 + 2 * x)
}

/** e^(-x²/2), with the square split in two parts so that its rounding does not grow into the result. */
function gaussian(x: number): number {
  const high = Math.floor(x * 16 + 0.5) / 16
  return exp(-0.5 * high * high) * exp(-0.5 * (x - high) * (x + high))
}

/** Density of the standard normal. */
export function normalDensity(x: number): number {
  return INVERSE_SQRT_2PI * gaussian(x)
}

/** Φ(x), relative error about 1e-15 in both tails. */
export function normalCdf(x: number): number {
  if (x > 0) return 1 - normalCdf(-x)
  if (x < -38.6) return 0
  return 0.5 * erfcx(-x * SQRT_HALF) * gaussian(x)
}

/** ln Φ(x), also where Φ itself underflows. */
export function logNormalCdf(x: number): number {
  if (x > 0) return log1p(-normalCdf(-x))
  if (x > -1e7) return log(0.5 * erfcx(-x * SQRT_HALF)) - 0.5 * x * x
  return -0.5 * x * x - 0.5 * LN_2PI - log(-x)
}

/** Φ(b) - Φ(a) for a <= b, taken in the tail where both are small, so that it loses nothing there. */
export function normalInterval(a: number, b: number): number {
  return a > 0 ? normalCdf(-a) - normalCdf(-b) : normalCdf(b) - normalCdf(a)
}

/** Φ^-1(p), by Newton's method on ln Φ; ±Infinity at 1 and 0. */
export function normalQuantile(p: number): number {
  if (p > 0.5) return -logNormalQuantile(log1p(-p))
  return logNormalQuantile(log(p))
}

/** The x with ln Φ(x) = logP. */
export function logNormalQuantile(logP: number): number {
  if (logP >= 0) return logP === 0 ? Infinity : NaN
  if (logP === -Infinity) return -Infinity
  // ln Φ is concave and increasing: Newton's method from the left of the root is monotone after one step.
  let x = logP > -0.7 ? 0 : -Math.sqrt(-2 * logP)
  for (let i = 0; i < 100; i++) {
    const value = logNormalCdf(x)
    const slope = exp(-0.5 * x * x - 0.5 * LN_2PI - value)
    const step = (value - logP) / slope
    x -= step
    if (Math.abs(step) <= 1e-15 * Math.max(1, Math.abs(x))) break
  }
  return x
}
