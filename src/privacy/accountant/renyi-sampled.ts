/**
 * Rényi divergences of fixed-size sampling and of mechanisms with few outcomes.
 * @module
 */
import { exp, expm1, log, logAdd, logSumExp, LN2, LN_2PI } from './num/elementary.ts'
import { logBinomial } from './num/gamma.ts'
import type { Atom } from './pld/discretise.ts'

/**
 * ln E_(x~Q)[(P/Q - 1)^l] for even l, P = N(1, σ²), Q = N(0, σ²): the l-th forward difference at 0 of
 * e^((α-1) RDP(α)), which as an alternating sum would lose every digit. Trapezoid rule on an integrand >= 0.
 */
function logDifference(l: number, sigma: number): number {
  const variance = sigma * sigma
  const step = Math.min(sigma / 3, variance / 4)
  const low = -14 * sigma
  const count = Math.ceil((l + 28 * sigma) / step)
  const values = new Float64Array(count + 1)
  for (let i = 0; i <= count; i++) {
    const x = low + i * step
    const exponent = (2 * x - 1) / (2 * variance)
    const size = exponent > 30 ? exponent : log(Math.abs(expm1(exponent)))
    values[i] = l * size - x * x / (2 * variance)
  }
  return logSumExp(values) + log(step) - log(sigma) - 0.5 * LN_2PI
}

/**
 * RDP of a Gaussian of noise σ (in units of the full substitution sensitivity) on a sample of a share q without
 * replacement, under substitution (Wang, Balle and Kasiviswanathan 2019, Theorem 27); between whole orders by the
 * convexity of (α-1) RDP(α).
 */
export function fixedSizeRdp(orders: readonly number[], sigma: number, q: number): number[] {
  const differences = new Map<number, number>()
  const difference = (l: number): number => {
    let value = differences.get(l)
    if (value === undefined) {
      value = logDifference(l, sigma)
      differences.set(l, value)
    }
    return value
  }
  const rho = (order: number): number => order / (2 * sigma * sigma)
  const whole = new Map<number, number>([[1, 0]])
  /** (α-1) RDP(α) at a whole order. */
  const at = (order: number): number => {
    let value = whole.get(order)
    if (value !== undefined) return value
    value = 0
    for (let j = 2; j <= order; j++) {
      const direct = j === 2
        ? Math.min(2 * LN2 + log(expm1(rho(2))), rho(2) + LN2)
        : Math.min(2 * LN2 + 0.5 * (difference(2 * Math.floor(j / 2)) + difference(2 * Math.ceil(j / 2))),
          LN2 + (j - 1) * rho(j))
      value = logAdd(value, j * log(q) + logBinomial(order, j) + direct)
    }
    whole.set(order, value)
    return value
  }
  return orders.map((order) => {
    const floor = Math.floor(order)
    const share = order - floor
    const moment = share === 0 ? at(order) : (1 - share) * at(floor) + share * at(floor + 1)
    // Sampling never costs more than no sampling.
    return Math.min(moment / (order - 1), rho(order))
  })
}

/** The larger RDP of the two directions of a pair given by atoms; order 1 is the Kullback-Leibler divergence. */
export function atomsRdp(order: number, atoms: readonly Atom[]): number {
  const one = (pairs: readonly Atom[]): number => {
    if (pairs.some(([p, q]) => p > 0 && q === 0)) return Infinity
    const live = pairs.filter(([p]) => p > 0)
    if (order === 1) return live.reduce((sum, [p, q]) => sum + p * log(p / q), 0)
    return logSumExp(live.map(([p, q]) => order * log(p) + (1 - order) * log(q))) / (order - 1)
  }
  return Math.max(one(atoms), one(atoms.map(([p, q]) => [q, p] as const)))
}

/**
 * RDP of a mechanism whose loss has range at most ε, such as the exponential mechanism (Dong, Durfee and Rogers 2020,
 * Theorem 2): the worst two-point pair with losses t and t - ε, over 0 <= t <= ε.
 */
export function boundedRangeRdp(order: number, epsilon: number): number {
  if (epsilon === 0) return 0
  if (order === 1) {
    const x = epsilon / expm1(epsilon)
    return x - 1 - log(x)
  }
  const value = (t: number): number => {
    const high = (exp(epsilon) - exp(t)) / expm1(epsilon)
    return log(high * exp((order - 1) * t) + (1 - high) * exp((order - 1) * (t - epsilon))) / (order - 1)
  }
  const golden = 0.6180339887498949
  let low = 0
  let high = epsilon
  for (let i = 0; i < 80; i++) {
    const a = high - golden * (high - low)
    const b = low + golden * (high - low)
    if (value(a) < value(b)) low = a
    else high = b
  }
  return value((low + high) / 2)
}
