/**
 * ln Γ, ln of binomial coefficients and the binomial distribution's tails.
 * @module
 */
import { exp, log, log1p, LN2, LN_2PI } from './elementary.ts'

/** Stirling's correction ln Γ(x+1) - (x + 1/2) ln x + x - ln(2π)/2, for x >= 16: error below 1e-17. */
function stirlingTail(x: number): number {
  const r = 1 / x
  const z = r * r
  return r * (1 / 12 - z * (1 / 360 - z * (1 / 1260 - z * (1 / 1680 - z * (1 / 1188 - z * (691 / 360360))))))
}

/** Stirling's correction for any whole n >= 0. */
function stirlingError(n: number): number {
  if (n >= 16) return stirlingTail(n)
  return n === 0 ? 0 : logGamma(n + 1) - ((n + 0.5) * log(n) - n + 0.5 * LN_2PI)
}

/** ln Γ(x) for x > 0; error about 1e-15 · max(1, |ln Γ|). */
export function logGamma(x: number): number {
  if (!(x > 0)) return x === 0 ? Infinity : NaN
  let product = 1
  while (x < 17) {
    product *= x
    x += 1
  }
  const n = x - 1
  return (n + 0.5) * log(n) - n + 0.5 * LN_2PI + stirlingTail(n) - log(product)
}

/** ln of n choose k for whole 0 <= k <= n; -Infinity outside. */
export function logBinomial(n: number, k: number): number {
  if (k < 0 || k > n) return -Infinity
  if (k === 0 || k === n) return 0
  const small = Math.min(k, n - k)
  if (small <= 64) {
    let sum = 0
    for (let i = 1; i <= small; i++) sum += log((n - small + i) / i)
    return sum
  }
  return logBinomialPmf(k, n, 0.5) + n * LN2
}

/** x ln(x/m) + m - x, without the cancellation at x near m. */
function deviance(x: number, m: number): number {
  const d = (x - m) / (x + m)
  if (Math.abs(d) > 0.1) return x * log(x / m) + m - x
  // Loader 2000, eq. 10: series in d = (x - m) / (x + m).
  let sum = (x - m) * d
  let term = 2 * x * d
  for (let j = 1; j < 60; j++) {
    term *= d * d
    const next = sum + term / (2 * j + 1)
    if (next === sum) break
    sum = next
  }
  return sum
}

/** ln P[Bin(n, p) = k], by the saddle-point form of Loader (2000): no cancellation for large n. */
export function logBinomialPmf(k: number, n: number, p: number): number {
  if (k < 0 || k > n) return -Infinity
  if (p <= 0) return k === 0 ? 0 : -Infinity
  if (p >= 1) return k === n ? 0 : -Infinity
  if (k === 0) return n * log1p(-p)
  if (k === n) return n * log(p)
  const q = 1 - p
  return stirlingError(n) - stirlingError(k) - stirlingError(n - k) - deviance(k, n * p) - deviance(n - k, n * q) +
    0.5 * (log(n / k) - log(n - k) - LN_2PI)
}

/** ln P[Bin(n, p) >= k], by summing from the larger end of the tail. */
export function logBinomialUpperTail(k: number, n: number, p: number): number {
  if (k <= 0) return 0
  if (k > n) return -Infinity
  if (k < n * p) return log1p(-exp(logBinomialLowerTail(k - 1, n, p)))
  const odds = p / (1 - p)
  let term = 1
  let sum = 1
  for (let i = k; i < n; i++) {
    term *= ((n - i) / (i + 1)) * odds
    sum += term
    if (term < 1e-18 * sum) break
  }
  return logBinomialPmf(k, n, p) + log(sum)
}

/** ln P[Bin(n, p) <= k]. */
export function logBinomialLowerTail(k: number, n: number, p: number): number {
  if (k < 0) return -Infinity
  return k >= n ? 0 : logBinomialUpperTail(n - k, n, 1 - p)
}

