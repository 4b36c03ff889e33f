/**
 * Whether integers can be noise of a scale: all that can be asked of noise whose key nobody has.
 *
 * For d independent discrete Gaussians of scale s (sub-Gaussian with s^2: Canonne, Kamath, Steinke, arXiv 2004.00010) and
 * X = sum x_i^2 / s^2, by Laurent and Massart (2000, lemma 1; for the continuous law, which the discrete one follows closely
 * from s = 256 on)
 *
 *   P[X > d + 2 sqrt(d t) + 2 t] <= e^-t,   P[X < d - 2 sqrt(d t)] <= e^-t,   P[max |x_i| > s sqrt(2 (t + ln 2d))] <= e^-t.
 * @module
 */

/** Exponent t: honest noise is refused with a chance of 3 e^-40, below 2^-56. */
const T = 40

/** What is wrong with the noise, in words; undefined where it may be. */
export function noiseProblem(noise: Int32Array, sigma: number): { readonly message: string, readonly index?: number } | undefined {
  const d = noise.length
  const most = sigma * Math.sqrt(2 * (T + lnAbove(2 * d)))
  let sum = 0
  for (let i = 0; i < d; i++) {
    if (Math.abs(noise[i]) > most) {
      return { index: i, message: `noise of scale ${sigma} expected numbers of at most ${Math.floor(most)} in size, got ${noise[i]}` }
    }
    sum += noise[i] * noise[i]
  }
  const x = sum / (sigma * sigma)
  const high = d + 2 * Math.sqrt(d * T) + 2 * T, low = d - 2 * Math.sqrt(d * T)
  if (x <= high && x >= low) return undefined
  return { message: `noise of scale ${sigma} expected a standard deviation near it, got ${(sigma * Math.sqrt(x / d)).toPrecision(4)}` }
}

/** Not below the natural logarithm. */
function lnAbove(x: number): number {
  let bits = 0
  while (2 ** bits < x) bits++
  return bits * 0.6931471805599454
}
