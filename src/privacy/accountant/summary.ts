/**
 * The privacy promise in words other than ε and δ, for people who cannot read those.
 * @module
 */
import type { Accountant } from './accountant.ts'
import { gaussianDelta } from './gaussian.ts'
import { privacyCurve, type PrivacyCurve } from './pld/pld.ts'

/** What an attacker can reach at a given rate of false alarms. */
export interface AttackRate {
  readonly fpr: number
  readonly tpr: number
}

/** An accountant's answer in full. */
export interface PrivacySummary {
  readonly delta: number
  readonly epsilon: number
  /** Step of the loss grid behind μ and the attacker's rates; 0: exact. */
  readonly discretisation: number
  /**
   * The smallest μ such that the release looks like μ-Gaussian DP (Dong, Roth and Su 2019) at every ε from 0 to
   * `epsilon`, that is wherever δ(ε) is at least δ; for composed Gaussians without sampling it holds everywhere.
   */
  readonly mu: number
  /** False-positive rates and the largest true-positive rate at each. */
  readonly attacker: readonly AttackRate[]
}

/** ε values at which μ is fitted. */
const POINTS = 12

/**
 * Smallest μ with gaussianDelta(μ, ε) >= δ(ε) at 12 points from 0 to ε(δ), rounded up.
 */
export function fittedMu(curve: PrivacyCurve, delta: number): number {
  const most = curve.epsilon
  if (most === Infinity) return Infinity
  let mu = 0
  for (let i = 0; i < POINTS; i++) {
    const epsilon = most * i / (POINTS - 1)
    const goal = Math.max(delta, curve.delta(epsilon))
    if (gaussianDelta(mu, epsilon) >= goal) continue
    let low = mu
    let high = Math.max(1, 2 * mu)
    while (gaussianDelta(high, epsilon) < goal && high < 1e6) high *= 2
    while (high - low > 1e-9 * high) {
      const middle = (low + high) / 2
      if (gaussianDelta(middle, epsilon) < goal) low = middle
      else high = middle
    }
    mu = high
  }
  return mu
}

/** The default rates of false alarms: one in ten, a hundred, a thousand, a hundred thousand. */
export const FALSE_POSITIVE_RATES: readonly number[] = [0.1, 0.01, 0.001, 0.00001]

/** ε, μ and the attacker's success for what an accountant has composed. */
export function summarise(
  accountant: Accountant, delta: number, falsePositiveRates: readonly number[] = FALSE_POSITIVE_RATES,
): PrivacySummary {
  const curve = privacyCurve(accountant, delta)
  return Object.freeze({
    delta,
    epsilon: accountant.epsilon(delta),
    discretisation: curve.step,
    mu: fittedMu(curve, delta),
    attacker: Object.freeze(falsePositiveRates.map((fpr) => Object.freeze({ fpr, tpr: curve.truePositiveRate(fpr) }))),
  })
}
