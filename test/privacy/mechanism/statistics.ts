/** Bounds that statistical tests decide by. Each holds exactly or is a theorem; none is a normal approximation. */
import { logBinomialLowerTail, logBinomialUpperTail } from '../../../src/privacy/accountant/num/gamma.ts'
import { normalQuantile } from '../../../src/privacy/accountant/num/normal.ts'

/**
 * A chi-square of k degrees of freedom is above this with chance at most e^-x: k + 2 sqrt(k x) + 2 x
 * (Laurent and Massart 2000, lemma 1).
 */
export const chiSquareAbove = (k: number, x: number) => k + 2 * Math.sqrt(k * x) + 2 * x
/** ... and below this: k - 2 sqrt(k x). */
export const chiSquareBelow = (k: number, x: number) => k - 2 * Math.sqrt(k * x)

/** Upper Clopper-Pearson bound: the p at which k or fewer of n have chance alpha. */
export function upperBound(k: number, n: number, alpha: number): number {
  if (k === n) return 1
  let low = k / n, high = 1
  for (let i = 0; i < 60; i++) {
    const p = (low + high) / 2
    if (logBinomialLowerTail(k, n, p) > Math.log(alpha)) low = p
    else high = p
  }
  return high
}

/** Is k of n too many or too few for chance p, at level alpha? */
export function implausible(k: number, n: number, p: number, alpha: number): boolean {
  return Math.min(logBinomialUpperTail(k, n, p), logBinomialLowerTail(k, n, p)) < Math.log(alpha / 2)
}

/**
 * Lower bound of mu, at level alpha: a mu-GDP mechanism has FNR >= Phi(Phi^-1(1 - FPR) - mu) (Dong, Roth, Su,
 * arXiv 1905.02383), so mu >= Phi^-1(1 - FPR) - Phi^-1(FNR), with upper bounds of both rates, alpha / 2 each
 * (Nasr et al., arXiv 2302.07956).
 */
export function muLowerBound(falsePositives: number, falseNegatives: number, runs: number, alpha: number): number {
  const fpr = upperBound(falsePositives, runs, alpha / 2), fnr = upperBound(falseNegatives, runs, alpha / 2)
  return normalQuantile(1 - fpr) - normalQuantile(fnr)
}
