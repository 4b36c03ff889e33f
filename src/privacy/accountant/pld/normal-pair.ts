/**
 * Pairs of normal mixtures with a common σ whose loss ln(P/Q) grows with x, cut into cells of the loss grid.
 * @module
 */
import { asinh, exp, expm1, log, log1p, sinh } from '../num/elementary.ts'
import { normalCdf } from '../num/normal.ts'
import { PairBuilder, type LossPair } from './loss-pmf.ts'

/** One normal N(mean, σ²) with its weight in P and in Q. */
interface Component {
  readonly mean: number
  readonly p: number
  readonly q: number
}

/** A monotone pair; `lossAt` and its inverse are increasing. */
export interface NormalPair {
  readonly sigma: number
  readonly components: readonly Component[]
  lossAt(x: number): number
  /** The x at which the loss is `loss`; -Infinity or Infinity outside the loss's range. */
  inverse(loss: number): number
  /** Infimum and supremum of the loss, where finite. */
  readonly low?: number
  readonly high?: number
}

/** Beyond this many standard deviations lies 1.8e-33 of a normal's mass: counted as infinite loss. */
const REACH = 12

/** P = N(shift, σ²) against Q = N(0, σ²), scaled to shift 1: the Gaussian mechanism with noise σ per unit of shift. */
export function gaussianPair(sigma: number): NormalPair {
  const variance = sigma * sigma
  return {
    sigma,
    components: [{ mean: 1, p: 1, q: 0 }, { mean: 0, p: 0, q: 1 }],
    lossAt: (x) => (2 * x - 1) / (2 * variance),
    inverse: (loss) => variance * loss + 0.5,
  }
}

/** P = (1-q) N(0, σ²) + q N(1, σ²) against Q = N(0, σ²): Poisson sampling; forward is «remove», backward «add». */
export function poissonPair(sigma: number, q: number): NormalPair {
  if (q === 1) return gaussianPair(sigma)
  const variance = sigma * sigma
  const logRest = log1p(-q)
  return {
    sigma,
    components: [{ mean: 0, p: 1 - q, q: 1 }, { mean: 1, p: q, q: 0 }],
    lossAt: (x) => {
      const exponent = (2 * x - 1) / (2 * variance)
      return exponent > 30 ? log(q) + exponent + log1p((1 - q) / q * exp(-exponent)) : log1p(q * expm1(exponent))
    },
    inverse: (loss) => {
      if (loss <= logRest) return -Infinity
      const t = loss > 700 ? loss - log(q) : log1p(expm1(loss) / q)
      return variance * t + 0.5
    },
    low: logRest,
  }
}

/** P = (1-q) N(0, σ²) + q N(1, σ²) against Q = (1-q) N(0, σ²) + q N(-1, σ²): Poisson sampling, substitution. */
export function poissonSubstitutePair(sigma: number, q: number): NormalPair {
  if (q === 1) return gaussianPair(sigma / 2)
  const variance = sigma * sigma
  const half = (x: number): number => {
    const exponent = (2 * x - 1) / (2 * variance)
    return exponent > 30 ? log(q) + exponent + log1p((1 - q) / q * exp(-exponent)) : log1p(q * expm1(exponent))
  }
  const factor = exp(0.5 / variance) * (1 - q) / q
  return {
    sigma,
    components: [{ mean: 0, p: 1 - q, q: 1 - q }, { mean: 1, p: q, q: 0 }, { mean: -1, p: 0, q }],
    lossAt: (x) => half(x) - half(-x),
    inverse: (loss) => Math.abs(loss) > 1300 ? variance * loss
      : variance * (asinh(sinh(loss / 2) * factor) + loss / 2),
  }
}

/** P = Σ p_i N(s_i, σ²) against Q = N(0, σ²), s_i >= 0 (Choquette-Choo et al. 2023, mixture of Gaussians). */
export function mixturePair(sigma: number, sensitivities: readonly number[], probabilities: readonly number[]): NormalPair {
  const variance = sigma * sigma
  const terms = sensitivities.map((s, i) => ({ s, logP: log(probabilities[i]), shift: s * s / (2 * variance) }))
    .filter((term) => term.logP > -Infinity)
  const lossAt = (x: number): number => {
    let high = -Infinity
    for (const { s, logP, shift } of terms) high = Math.max(high, logP + s * x / variance - shift)
    let sum = 0
    for (const { s, logP, shift } of terms) sum += exp(logP + s * x / variance - shift - high)
    return high + log(sum)
  }
  const still = probabilities.reduce((sum, p, i) => sensitivities[i] === 0 ? sum + p : sum, 0)
  const top = Math.max(...sensitivities)
  return {
    sigma,
    components: [{ mean: 0, p: 0, q: 1 }, ...sensitivities.map((s, i) => ({ mean: s, p: probabilities[i], q: 0 }))],
    lossAt,
    inverse: (loss) => still > 0 && loss <= log(still) ? -Infinity
      : bisect(lossAt, loss, -60 * sigma - top, top + 60 * sigma),
    ...(still > 0 && { low: log(still) }),
  }
}

/** The root of an increasing function by regula falsi with halving (Illinois); -Infinity below `low`, Infinity above. */
function bisect(f: (x: number) => number, target: number, low: number, high: number): number {
  let fLow = f(low) - target
  let fHigh = f(high) - target
  if (fLow >= 0) return -Infinity
  if (fHigh <= 0) return Infinity
  let side = 0
  for (let i = 0; i < 200; i++) {
    const x = i % 8 === 7 ? (low + high) / 2 : (low * fHigh - high * fLow) / (fHigh - fLow)
    const fx = f(x) - target
    if (fx === 0 || high - low <= 4e-16 * Math.max(Math.abs(low), Math.abs(high))) return x
    if (fx < 0) {
      low = x
      fLow = fx
      if (side < 0) fHigh /= 2
      side = -1
    } else {
      high = x
      fHigh = fx
      if (side > 0) fLow /= 2
      side = 1
    }
    if (Math.abs(fx) < 1e-15) return x
  }
  return (low + high) / 2
}

/** Smallest and largest loss that matter for either direction. */
export function lossRange(pair: NormalPair): { low: number, high: number } {
  const means = pair.components.map((component) => component.mean)
  return {
    low: Math.max(pair.low ?? -Infinity, pair.lossAt(Math.min(...means) - REACH * pair.sigma)),
    high: Math.min(pair.high ?? Infinity, pair.lossAt(Math.max(...means) + REACH * pair.sigma)),
  }
}

/** Both directions of the pair on the grid. @throws {RangeError} when the step is too small for the loss's range */
export function discretiseNormalPair(pair: NormalPair, step: number): LossPair {
  const { low, high } = lossRange(pair)
  const builder = new PairBuilder(step, low, high)
  const { sigma, components } = pair
  const kinds = components.length
  // Lower and upper tail mass at the last boundary: an interval is the difference of whichever pair is small.
  const lower = new Float64Array(kinds)
  const upper = new Float64Array(kinds)
  const interval = new Float64Array(kinds)
  const moveTo = (x: number): void => {
    for (let k = 0; k < kinds; k++) {
      const t = (x - components[k].mean) / sigma
      const small = t < 0 ? normalCdf(t) : normalCdf(-t)
      const nextLower = t < 0 ? small : 1 - small
      const nextUpper = t < 0 ? 1 - small : small
      interval[k] = upper[k] < 0.5 ? upper[k] - nextUpper : nextLower - lower[k]
      lower[k] = nextLower
      upper[k] = nextUpper
    }
  }
  const total = (masses: Float64Array, under: 'p' | 'q'): number => {
    let sum = 0
    for (let k = 0; k < kinds; k++) sum += components[k][under] * masses[k]
    return sum
  }
  moveTo(pair.inverse(builder.first * step))
  builder.below(total(lower, 'p'), total(lower, 'q'))
  for (let i = 0; i < builder.count; i++) {
    moveTo(pair.inverse((builder.first + i + 1) * step))
    builder.cell(i, total(interval, 'p'), total(interval, 'q'))
  }
  builder.above(total(upper, 'p'), total(upper, 'q'))
  return builder.finish({
    ...(pair.low !== undefined && { low: pair.low }), ...(pair.high !== undefined && { high: pair.high }),
  })
}

/** P and Q masses of the loss being above `loss`: δ(loss) = p - e^loss q is the exact hockey-stick divergence. */
export function hockeyStick(pair: NormalPair, loss: number, direction: 'forward' | 'backward'): number {
  const x = pair.inverse(direction === 'forward' ? loss : -loss)
  if (direction === 'forward' ? x === Infinity : x === -Infinity) return 0
  let p = 0
  let q = 0
  for (const component of pair.components) {
    const t = (x - component.mean) / pair.sigma
    const tail = normalCdf(direction === 'forward' ? -t : t)
    p += component.p * tail
    q += component.q * tail
  }
  return Math.max(0, direction === 'forward' ? p - exp(loss) * q : q - exp(loss) * p)
}
