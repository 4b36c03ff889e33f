/**
 * Rényi divergences of the mechanisms. For a mechanism with output distributions P and Q on neighbouring data,
 * RDP(α) = ln E_Q[(P/Q)^α] / (α - 1) (Mironov 2017); it adds up over rounds.
 * @module
 */
import { exp, expm1, log, log1p, logAdd } from './num/elementary.ts'

/** ln((1 + u)^α - 1 - α u), given u > -1 and ln(1 + u): what is left of the binomial series from the square on. */
function logConvexRemainder(order: number, u: number, logRatio: number): number {
  if (Math.abs(u) < 0.5 && Math.abs(order * u) < 0.5) {
    let term = 0.5 * order * (order - 1) * u * u
    let sum = term
    for (let k = 3; k < 200 && Math.abs(term) > 1e-17 * sum; k++) {
      term *= ((order - k + 1) / k) * u
      sum += term
    }
    return log(sum)
  }
  const power = order * logRatio
  if (power < 600) return log(expm1(power) - order * u)
  return power + log1p(-exp(log(order) + logRatio - power))
}

/**
 * ln(E_Q[(P/Q)^α] - 1) by the trapezoid rule, which converges geometrically for analytic integrands. Because
 * E_Q[P/Q - 1] = 0, the integrand may be taken as (1+u)^α - 1 - αu >= 0 with u = P/Q - 1: nothing cancels, however
 * small the sampling rate.
 */
function logMomentMinusOne(
  order: number, sigma: number, from: number, to: number,
  at: (x: number) => { u: number, logRatio: number, logQ: number },
): number {
  const step = Math.min(sigma / 3, sigma * sigma / 4)
  const count = Math.ceil((to - from) / step)
  const values = new Float64Array(count + 1)
  let high = -Infinity
  for (let i = 0; i <= count; i++) {
    const { u, logRatio, logQ } = at(from + i * step)
    values[i] = logQ + (u === 0 ? -Infinity : logConvexRemainder(order, u, logRatio))
    if (values[i] > high) high = values[i]
  }
  if (high === -Infinity) return high
  let sum = 0
  for (let i = 0; i <= count; i++) sum += exp(values[i] - high)
  return high + log(sum * step)
}

const logAOverOrder = (logMinusOne: number, order: number): number =>
  (logMinusOne > 40 ? logMinusOne : log1p(exp(logMinusOne))) / (order - 1)

/** ln of the standard normal density's factor 1/(σ sqrt(2π)). */
const logScale = (sigma: number): number => -log(sigma) - 0.91893853320467274178

/** RDP of the Gaussian mechanism: α Δ² / (2σ²), Δ in clip norms. */
export function gaussianRdp(order: number, sigma: number, sensitivity = 1): number {
  return order * sensitivity * sensitivity / (2 * sigma * sigma)
}

/**
 * RDP of the Poisson-sampled Gaussian under add-remove or zero-out, the worse direction (Mironov, Talwar and Zhang
 * 2019, Theorem 4): P = (1-q) N(0, σ²) + q N(1, σ²), Q = N(0, σ²). Whole orders by the binomial sum (their section
 * 3.3) with the terms' total subtracted term by term, fractional orders by quadrature; relative error about 1e-11.
 */
export function poissonGaussianRdp(order: number, sigma: number, samplingRate: number): number {
  const q = samplingRate
  if (q === 0) return 0
  if (q === 1) return gaussianRdp(order, sigma)
  return logAOverOrder(
    Number.isInteger(order) ? logMomentWhole(order, sigma, q) : logMomentRemove(order, sigma, q), order)
}

function logMomentWhole(order: number, sigma: number, q: number): number {
  const logQ = log(q)
  const logRest = log1p(-q)
  let logChoose = log(order)
  let sum = -Infinity
  for (let k = 2; k <= order; k++) {
    logChoose += log((order - k + 1) / k)
    const growth = (k * k - k) / (2 * sigma * sigma)
    const logGrowth = growth < 40 ? log(expm1(growth)) : growth
    sum = logAdd(sum, logChoose + k * logQ + (order - k) * logRest + logGrowth)
  }
  return sum
}

function logMomentRemove(order: number, sigma: number, q: number): number {
  const variance = sigma * sigma
  const constant = logScale(sigma)
  return logMomentMinusOne(order, sigma, -14 * sigma, order + 14 * sigma, (x) => {
    const exponent = (2 * x - 1) / (2 * variance)
    const u = exponent > 700 ? Infinity : q * expm1(exponent)
    const logRatio = exponent > 30 ? logAdd(log1p(-q), log(q) + exponent) : log1p(u)
    return { u, logRatio, logQ: constant - x * x / (2 * variance) }
  })
}

/**
 * RDP in the other direction, P = N(0, σ²), Q = (1-q) N(0, σ²) + q N(1, σ²); never above `poissonGaussianRdp`, kept
 * to check that.
 */
export function poissonGaussianRdpAdd(order: number, sigma: number, samplingRate: number): number {
  const q = samplingRate
  if (q === 0) return 0
  if (q === 1) return gaussianRdp(order, sigma)
  const variance = sigma * sigma
  const constant = logScale(sigma)
  const moment = logMomentMinusOne(order, sigma, -14 * sigma - order, 1 + 14 * sigma, (x) => {
    const exponent = (2 * x - 1) / (2 * variance)
    const mixture = exponent > 30 ? logAdd(log1p(-q), log(q) + exponent) : log1p(q * expm1(exponent))
    return { u: expm1(-mixture), logRatio: -mixture, logQ: constant - x * x / (2 * variance) + mixture }
  })
  return logAOverOrder(moment, order)
}

/**
 * RDP of the Poisson-sampled Gaussian under substitution: P = (1-q) N(0, σ²) + q N(-1, σ²) against
 * Q = (1-q) N(0, σ²) + q N(1, σ²), σ in clip norms; symmetric in its two directions.
 */
export function poissonGaussianRdpSubstitute(order: number, sigma: number, samplingRate: number): number {
  const q = samplingRate
  if (q === 0) return 0
  if (q === 1) return gaussianRdp(order, sigma, 2)
  const variance = sigma * sigma
  const constant = logScale(sigma)
  const logRest = log1p(-q)
  const logQ = log(q)
  const moment = logMomentMinusOne(order, sigma, -2 * order - 1 - 14 * sigma, 2 * order + 1 + 14 * sigma, (x) => {
    const up = logAdd(logRest, logQ + (2 * x - 1) / (2 * variance))
    const down = logAdd(logRest, logQ + (-2 * x - 1) / (2 * variance))
    const spread = Math.abs(x / variance)
    // The ratio minus one is q (e^-x/σ² - e^x/σ²) e^(-1/2σ²) / (its denominator): exact for small q.
    const u = spread > 300 ? expm1(down - up)
      : q * exp(-0.5 / variance - up) * (x < 0 ? 1 : -1) * exp(spread) * -expm1(-2 * spread)
    return { u, logRatio: Math.abs(u) < 0.5 ? log1p(u) : down - up, logQ: constant - x * x / (2 * variance) + up }
  })
  return logAOverOrder(moment, order)
}

/** RDP of the Laplace mechanism with scale b in units of its L1 sensitivity (Mironov 2017, Proposition 6). */
export function laplaceRdp(order: number, scale: number): number {
  const a = log(order / (2 * order - 1)) + (order - 1) / scale
  const b = log((order - 1) / (2 * order - 1)) - order / scale
  return logAdd(a, b) / (order - 1)
}

/** RDP of any ε-DP mechanism (Bun and Steinke 2016, Proposition 3.3, with its exact two-point form). */
export function pureDpRdp(order: number, epsilon: number): number {
  // Two points with loss ±ε: E_Q[(P/Q)^α] = (e^(αε) + e^((1-α)ε)) / (1 + e^ε).
  const moment = logAdd(order * epsilon, (1 - order) * epsilon) - logAdd(0, epsilon)
  return moment / (order - 1)
}

