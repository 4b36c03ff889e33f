/**
 * From events to discretised pairs: which two distributions dominate an event under an adjacency.
 * @module
 */
import { UnsupportedEventError } from '../accountant.ts'
import type { AtomicEvent, DiscreteGaussianEvent, PrivacyEvent } from '../event.ts'
import { squaredMu } from '../gaussian-equivalent.ts'
import type { Adjacency } from '../neighbourhood.ts'
import { sensitivityOf } from '../neighbourhood.ts'
import { exp, expm1, log } from '../num/elementary.ts'
import { logBinomialUpperTail } from '../num/gamma.ts'
import { PairBuilder, mixture, type LossPair, type LossPmf } from './loss-pmf.ts'
import {
  discretiseNormalPair, gaussianPair, lossRange, mixturePair, poissonPair, poissonSubstitutePair, type NormalPair,
} from './normal-pair.ts'

/** What dominates an event: a monotone pair of normal mixtures, or something with a discretiser of its own. */
export type Dominating =
  | { readonly kind: 'normal', readonly pair: NormalPair }
  | { readonly kind: 'other', readonly range: { low: number, high: number }, discretise(step: number): LossPair }

const NAME = 'PLD'
const refuse = (event: PrivacyEvent, reason: string): never => { throw new UnsupportedEventError(NAME, event, reason) }

/** The dominating pair of an event, Gaussian ones included. @throws {UnsupportedEventError} */
export function dominating(event: AtomicEvent, adjacency: Adjacency): Dominating {
  const sensitivity = sensitivityOf(adjacency)
  const square = event.kind === 'discrete-gaussian' && event.dimension === 1 && event.sigma < 16 ? undefined : squaredMu(event)
  if (square !== undefined) return normal(gaussianPair(1 / (Math.sqrt(square) * sensitivity)))
  switch (event.kind) {
    case 'poisson-sampled': {
      const inner = squaredMu(event.event)
      if (inner === undefined) return refuse(event.event, 'only Gaussians can be Poisson-sampled here')
      const sigma = 1 / Math.sqrt(inner)
      return normal(adjacency === 'substitute'
        ? poissonSubstitutePair(sigma, event.samplingRate) : poissonPair(sigma, event.samplingRate))
    }
    case 'fixed-size-sampled': {
      const inner = squaredMu(event.event)
      if (inner === undefined) return refuse(event.event, 'only Gaussians can be sampled with a fixed size here')
      if (adjacency !== 'substitute') {
        return refuse(event, `a fixed cohort size has no ${adjacency} neighbour with the same bound: use adjacency "substitute"`)
      }
      return fixedSize(1 / (Math.sqrt(inner) * sensitivity), event.cohort / event.population)
    }
    case 'truncated-poisson':
      if (adjacency !== 'add-remove') return refuse(event, 'truncated Poisson sampling has a known bound for "add-remove" only')
      return truncated(event.population, event.samplingRate, event.cap, event.noiseMultiplier)
    case 'mixture-gaussian':
      if (adjacency === 'substitute') return refuse(event, 'a mixture of Gaussians has a known bound for one-sided neighbours only')
      return normal(mixturePair(event.noiseMultiplier, event.sensitivities, event.probabilities))
    case 'laplace': return laplacePair(event.noiseMultiplier / sensitivity)
    case 'discrete-laplace': return discreteLaplacePair(event.parameter, event.sensitivity * sensitivity)
    case 'discrete-gaussian':
      return event.dimension === 1 ? atoms(discreteGaussianAtoms(event, sensitivity))
        : refuse(event, 'in several dimensions the noise must be above 2 lattice steps')
    // A pure ε-DP mechanism is dominated by randomised response on two answers (Kairouz, Oh and Viswanath 2015).
    case 'exponential': return atoms(pure(event.epsilon, 0), event.epsilon)
    case 'approximate-dp': return atoms(pure(event.epsilon, event.delta), event.epsilon)
    case 'randomized-response': {
      if (adjacency === 'add-remove') return refuse(event, 'randomised response has no neighbour without the unit: use "zero-out" or "substitute"')
      return atoms(randomizedResponseAtoms(event.noiseParameter, event.buckets, adjacency))
    }
    default: return refuse(event, `no privacy loss distribution is known for "${event.kind}"`)
  }
}

const normal = (pair: NormalPair): Dominating => ({ kind: 'normal', pair })

/** The pair on a grid. */
export function discretise(dominator: Dominating, step: number): LossPair {
  return dominator.kind === 'normal' ? discretiseNormalPair(dominator.pair, step) : dominator.discretise(step)
}

/** Range of losses, for choosing a step. */
export function rangeOf(dominator: Dominating): { low: number, high: number } {
  return dominator.kind === 'normal' ? lossRange(dominator.pair) : dominator.range
}

/**
 * Sampling without replacement under substitution (Zhu, Dong and Wang 2022, Theorem 11): for ε >= 0 the curve is that
 * of ((1-q) N(0) + q N(1), N(0)), for ε < 0 that of (N(0), (1-q) N(0) + q N(1)), both at the full substitution
 * sensitivity. The distribution with that curve takes its losses above 0 from the first and below 0 from the second; the
 * rest of the mass sits at 0, where the two slopes meet. (Composing it is sound; see also Lebeda et al. 2024.)
 */
function fixedSize(sigma: number, q: number): Dominating {
  const pair = poissonPair(sigma, q)
  const { low, high } = lossRange(pair)
  const reach = Math.max(-low, high)
  return {
    kind: 'other',
    range: { low: -reach, high: reach },
    discretise(step) {
      const both = discretiseNormalPair(pair, step)
      const first = Math.min(both.forward.first, both.backward.first, 0)
      const last = Math.max(endOf(both.forward), endOf(both.backward), 0)
      const mass = new Float64Array(last - first + 1)
      let total = both.forward.infinity
      const add = (index: number, value: number): void => {
        mass[index - first] += value
        total += value
      }
      // The grid has a point at 0, so no cell straddles it; what the two cells next to 0 put on it is in the rest.
      both.forward.mass.forEach((value, i) => { if (both.forward.first + i > 0) add(both.forward.first + i, value) })
      both.backward.mass.forEach((value, i) => { if (both.backward.first + i < 0) add(both.backward.first + i, value) })
      mass[-first] += Math.max(0, 1 - total)
      const pmf: LossPmf = { step, first, mass, infinity: both.forward.infinity, maximum: last * step }
      return { forward: pmf, backward: pmf }
    },
  }
}

const endOf = (pmf: LossPmf): number => pmf.first + pmf.mass.length - 1

/**
 * Poisson sampling cut to `cap` units (Ganesh 2025, arXiv 2508.15089): with probability t = P[Bin(N-1, q) >= cap] the
 * unit may take another's place, and the substitution pair at twice the sensitivity applies with rate
 * P[Bin(N, q) > cap]·cap / (N t); otherwise plain Poisson sampling.
 */
function truncated(population: number, q: number, cap: number, sigma: number): Dominating {
  const plain = poissonPair(sigma, q)
  const logFull = logBinomialUpperTail(cap, population - 1, q)
  const full = exp(logFull)
  if (!(full > 0)) return normal(plain)
  const rate = Math.min(1, exp(logBinomialUpperTail(cap + 1, population, q) - logFull) * cap / population)
  const crowded = poissonSubstitutePair(sigma / 2, rate)
  const a = lossRange(plain)
  const b = lossRange(crowded)
  return {
    kind: 'other',
    range: { low: Math.min(a.low, b.low), high: Math.max(a.high, b.high) },
    discretise: (step) => mixture(full, discretiseNormalPair(crowded, step), discretiseNormalPair(plain, step)),
  }
}

/** Laplace noise of scale b against a shift of 1: loss ±1/b at the ends, in between (1 - 2x)/b for 0 < x < 1. */
function laplacePair(scale: number): Dominating {
  const top = 1 / scale
  const range = { low: -top, high: top }
  return {
    kind: 'other',
    range,
    discretise(step) {
      const builder = new PairBuilder(step, -top, top)
      const edge = 0.5 * exp(-top)
      // P is centred at 0 and Q at 1, so the loss falls with x: P's density is e^(-x/b)/(2b), Q's e^((x-1)/b)/(2b).
      builder.atom(0.5, edge)
      builder.atom(edge, 0.5)
      for (let i = 0; i < builder.count; i++) {
        const low = Math.max(-top, (builder.first + i) * step)
        const high = Math.min(top, (builder.first + i + 1) * step)
        if (high <= low) continue
        // With l = (1 - 2x)/b: x/b = (1/b - l)/2, so the masses are differences of e^((l - 1/b)/2) and e^(-(l + 1/b)/2).
        builder.cell(i, 0.5 * exp((low - top) / 2) * expm1((high - low) / 2),
          0.5 * exp(-(low + top) / 2) * -expm1((low - high) / 2))
      }
      return builder.finish(range)
    },
  }
}

/** Masses of an atom under P and Q. */
export type Atom = readonly [p: number, q: number]

/** A pair given by atoms; `top` is the largest finite loss where it is known without rounding. */
function atoms(list: readonly Atom[], top?: number): Dominating {
  let low = 0
  let high = 0
  for (const [p, q] of list) {
    if (!(p > 0) || !(q > 0)) continue
    low = Math.min(low, log(p / q))
    high = Math.max(high, log(p / q))
  }
  return {
    kind: 'other',
    range: { low, high },
    discretise(step) {
      const builder = new PairBuilder(step, low, Math.max(high, low + step))
      for (const [p, q] of list) builder.atom(p, q)
      return builder.finish(top === undefined ? { low, high } : { low: -top, high: top })
    },
  }
}

function pure(epsilon: number, delta: number): Atom[] {
  const less = (1 - delta) / (1 + exp(epsilon))
  const more = less * exp(epsilon)
  return [[more, less], [less, more], [delta, 0], [0, delta]]
}

/** Integer noise e^(-a|k|) against a shift of s: tails of loss ±a s, and s - 1 points between. */
function discreteLaplacePair(a: number, shift: number): Dominating {
  const norm = -expm1(-a) / (1 + exp(-a))
  const below = 1 / (1 + exp(-a))
  const list: Atom[] = [[below, below * exp(-a * shift)], [below * exp(-a * shift), below]]
  for (let k = 1; k < shift; k++) list.push([norm * exp(-a * k), norm * exp(-a * (shift - k))])
  return atoms(list, a * shift)
}

/** The answer's true bucket, one other, and all the rest, seen from two neighbours. */
export function randomizedResponseAtoms(noise: number, buckets: number, adjacency: Adjacency): Atom[] {
  const other = noise / buckets
  const truth = 1 - noise + other
  if (adjacency === 'zero-out') return [[truth, 1 / buckets], [other * (buckets - 1), (buckets - 1) / buckets]]
  return [[truth, other], [other, truth], [other * (buckets - 2), other * (buckets - 2)]]
}

/** Exact atoms of scalar discrete Gaussian noise against a shift of `factor` sensitivities (a whole number of steps). */
function discreteGaussianAtoms(event: DiscreteGaussianEvent, factor: number): Atom[] {
  const shift = event.sensitivity * factor
  if (!Number.isInteger(shift)) return refuse(event, 'the sensitivity of a scalar discrete Gaussian must be a whole number')
  return discreteGaussianPmfs(event.sigma, shift, Math.ceil(40 * event.sigma))
}

/**
 * Atoms of discrete Gaussian noise on -reach ... reach, P centred at 0 and Q at -shift, with Poisson sampling of the
 * shift at rate q (Canonne, Kamath and Steinke 2020, Definition 1).
 */
export function discreteGaussianPmfs(sigma: number, shift: number, reach: number, q = 1): Atom[] {
  const weight = (k: number): number => Math.abs(k) > reach ? 0 : exp(-k * k / (2 * sigma * sigma))
  let norm = 0
  for (let k = reach; k > 0; k--) norm += 2 * weight(k)
  norm += 1
  const list: Atom[] = []
  for (let x = -reach - shift; x <= reach; x++) {
    const still = weight(x) / norm
    const moved = q * weight(x + shift) / norm + (1 - q) * still
    if (still > 0 || moved > 0) list.push([moved, still])
  }
  return list
}
