/** The functions of assembly/math in double precision, to about 1e-15 relative. */

export const exp = Math.exp
export const log = Math.log
export const tanh = Math.tanh

/** Error function: the series of positive terms below 3, the continued fraction of erfc above. */
export function erf(x: number): number {
  const a = Math.abs(x)
  if (Number.isNaN(a)) return x
  const y = a < 3 ? series(a) : 1 - (a > 26.5 ? 0 : fraction(a))
  return x < 0 ? -y : y
}

/** erf(a) = 2 / sqrt(pi) e^(-a^2) sum_k 2^k a^(2k+1) / (1 * 3 * ... * (2k+1)) (Abramowitz and Stegun 7.1.6). */
function series(a: number): number {
  let term = a, sum = a
  for (let k = 1; term > sum * 1e-17; k++) {
    term *= 2 * a * a / (2 * k + 1)
    sum += term
  }
  return 2 / Math.sqrt(Math.PI) * Math.exp(-a * a) * sum
}

/** erfc(a) = e^(-a^2) / sqrt(pi) / (a + (1/2) / (a + 1 / (a + (3/2) / (a + ...)))) (7.1.14), from the inside. */
function fraction(a: number): number {
  let below = a
  for (let k = 60; k > 0; k--) below = a + k / 2 / below
  return Math.exp(-a * a) / Math.sqrt(Math.PI) / below
}

/** The share of the normal distribution below x, with its relative accuracy on either side. */
export function phi(x: number): number {
  const a = x / Math.SQRT2
  return x < -4 ? (a < -26.5 ? 0 : fraction(-a)) / 2 : (1 + erf(a)) / 2
}

/** A unit in the last place of f32 at y: 2^-149 below 2^-126. */
export function ulp(y: number): number {
  word[0] = y
  const exponent = ((high[1] >>> 20) & 0x7ff) - 1023
  return 2 ** (Math.max(-126, Math.min(127, exponent)) - 23)
}

const word = new Float64Array(1)
const high = new Uint32Array(word.buffer)
