/**
 * Composition of mechanisms known by (ε, δ) only.
 * @module
 */
import { aNumber, anInteger } from '../../assert.ts'
import { exp, expm1, log1p } from './num/elementary.ts'
import { logBinomial } from './num/gamma.ts'

/**
 * The smallest ε = (k - 2i) ε0 for which k mechanisms, each (ε0, δ0)-DP and otherwise unknown, are together
 * (ε, δ)-DP: optimal composition (Kairouz, Oh and Viswanath 2015, Theorem 3.3). Infinity when δ is below what the δ0
 * add up to.
 */
export function optimalComposition(epsilon0: number, delta0: number, count: number, delta: number): number {
  aNumber('epsilon0', epsilon0, 0)
  aNumber('delta0', delta0, 0, 1)
  const k = anInteger('count', count, 1)
  aNumber('delta', delta, 0, 1)
  const logKept = k * log1p(-delta0)
  const logNorm = k * (epsilon0 + log1p(exp(-epsilon0)))
  for (let i = Math.floor(k / 2); i >= 0; i--) {
    let failure = 0
    for (let l = 0; l < i; l++) {
      // e^((k-l)ε0) - e^((k-2i+l)ε0), each term scaled down by the norm before it can overflow.
      failure += exp(logBinomial(k, l) + (k - l) * epsilon0 - logNorm) * -expm1((2 * l - 2 * i) * epsilon0)
    }
    // 1 - (1-δ0)^k (1 - δ_i), without losing small values.
    if (-expm1(logKept) + exp(logKept) * failure <= delta) return (k - 2 * i) * epsilon0
  }
  return Infinity
}
