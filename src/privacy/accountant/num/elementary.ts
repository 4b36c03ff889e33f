/**
 * exp, expm1, log and log1p in double precision from + - * / alone, so that every engine gives the same bits
 * (`Math.exp` and `Math.log` differ between engines). Argument reduction and the minimax polynomials are those of
 * fdlibm (Sun Microsystems, 1993). Error: exp, log below 1 ulp; expm1, log1p below 2 ulp.
 * @module
 */

const LN2_HIGH = 6.93147180369123816490e-1
const LN2_LOW = 1.90821492927058770002e-10
const INVERSE_LN2 = 1.44269504088896338700

export const LN2 = 0.69314718055994530942
export const LN_2PI = 1.8378770664093454836

/** 2^k for every k that gives a finite, non-zero double, made by exact doubling and halving. */
const POWERS_OF_TWO = /* @__PURE__ */ (() => {
  const table = new Float64Array(1074 + 1024)
  let value = 1
  for (let k = 0; k < 1024; k++, value *= 2) table[1074 + k] = value
  value = 1
  for (let k = 0; k <= 1074; k++, value /= 2) table[1074 - k] = value
  return table
})()

/** 2^k as a double, exact; k an integer. 0 below -1074, Infinity above 1023. */
export function powerOfTwo(k: number): number {
  if (k < -1074) return 0
  return k > 1023 ? Infinity : POWERS_OF_TWO[1074 + k]
}

/** x · 2^k with one rounding, also where 2^k alone would be out of range. */
function scale(x: number, k: number): number {
  if (k > 1000) return x * POWERS_OF_TWO[1074 + 1000] * powerOfTwo(k - 1000)
  if (k < -1000) return x * POWERS_OF_TWO[1074 + k + 200] * POWERS_OF_TWO[1074 - 200]
  return x * POWERS_OF_TWO[1074 + k]
}

/** e^x. */
export function exp(x: number): number {
  if (x !== x) return x
  if (x > 709.782712893384) return Infinity
  if (x < -745.1332191019412) return 0
  const k = Math.floor(INVERSE_LN2 * x + 0.5)
  const high = x - k * LN2_HIGH
  const low = k * LN2_LOW
  const r = high - low
  const t = r * r
  const c = r - t * (1.66666666666666019037e-1 + t * (-2.77777777770155933842e-3 + t * (6.61375632143793436117e-5 +
    t * (-1.65339022054652515390e-6 + t * 4.13813679705723846039e-8))))
  if (k === 0) return 1 - ((r * c) / (c - 2) - r)
  return scale(1 - ((low - (r * c) / (2 - c)) - high), k)
}

/** e^x - 1 without cancellation near 0. */
export function expm1(x: number): number {
  if (x !== x) return x
  if (x > 709.782712893384) return Infinity
  if (x < -40) return -1
  let k = 0
  let r = x
  let c = 0
  if (Math.abs(x) > 0.5 * LN2) {
    k = Math.floor(INVERSE_LN2 * x + 0.5)
    const high = x - k * LN2_HIGH
    const low = k * LN2_LOW
    r = high - low
    c = (high - r) - low
  } else if (Math.abs(x) < 5.5e-17) return x
  const half = 0.5 * r
  const square = r * half
  const r1 = 1 + square * (-3.33333333333331316428e-2 + square * (1.58730158725481460165e-3 +
    square * (-7.93650757867487942473e-5 + square * (4.00821782732936239552e-6 - square * 2.01099218183624371326e-7))))
  const t = 3 - r1 * half
  let e = square * ((r1 - t) / (6 - r * t))
  if (k === 0) return r - (r * e - square)
  e = r * (e - c) - c - square
  if (k === -1) return 0.5 * (r - e) - 0.5
  if (k === 1) return r < -0.25 ? -2 * (e - (r + 0.5)) : 1 + 2 * (r - e)
  if (k <= -2 || k > 56) return scale(1 - (e - r), k) - 1
  const small = powerOfTwo(-k)
  return k < 20 ? scale((1 - small) - (e - r), k) : scale(r - (e + small) + 1, k)
}

const WORDS = /* @__PURE__ */ new DataView(new ArrayBuffer(8))

/** Natural logarithm; NaN below 0, -Infinity at 0. */
export function log(x: number): number {
  if (!(x > 0)) return x === 0 ? -Infinity : NaN
  if (x === Infinity) return x
  let k = 0
  if (x < 2.2250738585072014e-308) {
    x *= 18014398509481984
    k = -54
  }
  WORDS.setFloat64(0, x)
  const top = WORDS.getInt32(0)
  // The mantissa is brought into [sqrt(1/2), sqrt(2)), where the series in s converges fastest.
  const shift = ((top & 0xfffff) + 0x95f64) & 0x100000
  k += (top >> 20) - 1023 + (shift >> 20)
  WORDS.setInt32(0, (top & 0xfffff) | (shift ^ 0x3ff00000))
  const f = WORDS.getFloat64(0) - 1
  const s = f / (2 + f)
  const z = s * s
  const w = z * z
  const even = w * (3.999999999940941908e-1 + w * (2.222219843214978396e-1 + w * 1.531383769920937332e-1))
  const odd = z * (6.666666666666735130e-1 + w * (2.857142874366239149e-1 + w * (1.818357216161805012e-1 +
    w * 1.479819860511658591e-1)))
  const half = 0.5 * f * f
  if (k === 0) return f - (half - s * (half + (even + odd)))
  return k * LN2_HIGH - ((half - (s * (half + (even + odd)) + k * LN2_LOW)) - f)
}

/** ln(1 + x) without cancellation near 0. */
export function log1p(x: number): number {
  if (x < -1 || x !== x) return NaN
  if (x === -1 || x === Infinity) return x === -1 ? -Infinity : Infinity
  const u = 1 + x
  if (u === 1) return x
  if (x > 1e15) return log(x)
  // The rounding error of 1 + x is itself exact: what u lacks is added back to first order.
  const lost = Math.abs(x) < 1 ? x - (u - 1) : 1 - (u - x)
  return log(u) + lost / u
}

/** ln(e^a + e^b). */
export function logAdd(a: number, b: number): number {
  const high = a > b ? a : b
  if (high === -Infinity || high === Infinity) return high
  return high + log1p(exp((a > b ? b : a) - high))
}

/** ln(e^a - e^b) for a >= b; -Infinity where they are equal. */
export function logSubtract(a: number, b: number): number {
  if (b >= a) return -Infinity
  return a + log1mexp(a - b)
}

/** ln(1 - e^-x) for x > 0, accurate for small and large x (Maechler 2012). */
export function log1mexp(x: number): number {
  return x < LN2 ? log(-expm1(-x)) : log1p(-exp(-x))
}

/** ln sum e^(x_i), subtracting the largest first. */
export function logSumExp(values: ArrayLike<number>): number {
  let high = -Infinity
  for (let i = 0; i < values.length; i++) if (values[i] > high) high = values[i]
  if (high === -Infinity || high === Infinity) return high
  let sum = 0
  for (let i = 0; i < values.length; i++) sum += exp(values[i] - high)
  return high + log(sum)
}

/** x^y for x > 0, as e^(y ln x): relative error about |y ln x| · 1e-16. */
export function power(x: number, y: number): number {
  return exp(y * log(x))
}

/** sinh x. */
export function sinh(x: number): number {
  if (Math.abs(x) < 22) {
    const t = expm1(Math.abs(x))
    const value = 0.5 * (t + t / (t + 1))
    return x < 0 ? -value : value
  }
  const value = 0.5 * exp(Math.abs(x))
  return x < 0 ? -value : value
}

/** Inverse of sinh. */
export function asinh(x: number): number {
  const a = Math.abs(x)
  const value = a > 1e8 ? log(a) + LN2 : log1p(a + (a * a) / (1 + Math.sqrt(1 + a * a)))
  return x < 0 ? -value : value
}
