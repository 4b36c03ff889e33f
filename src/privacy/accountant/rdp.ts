/**
 * The Rényi accountant: cheap, handles most events, never below the exact ε but often a good deal above it. It is
 * here as a cross-check of the default accountant and for events known by their Rényi divergence only.
 * @module
 */
import { aNumber } from '../../assert.ts'
import { accountantOf, ROUND_UP, UnsupportedEventError, type Accountant, type Counted, type Method } from './accountant.ts'
import type { AtomicEvent, PrivacyEvent } from './event.ts'
import { squaredMu } from './gaussian-equivalent.ts'
import { sensitivityOf, type Adjacency, type Neighbourhood } from './neighbourhood.ts'
import { randomizedResponseAtoms } from './pld/discretise.ts'
import { deltaFromRdp, DEFAULT_ORDERS, epsilonFromRdp } from './rdp-conversion.ts'
import { gaussianRdp, laplaceRdp, poissonGaussianRdp, poissonGaussianRdpSubstitute, pureDpRdp } from './renyi.ts'
import { atomsRdp, boundedRangeRdp, fixedSizeRdp } from './renyi-sampled.ts'

const NAME = 'RDP'

const refuse = (event: PrivacyEvent, reason: string): never => { throw new UnsupportedEventError(NAME, event, reason) }

/** RDP of one event at every order; throws where there is no sound formula. */
function rdpOf(event: AtomicEvent, orders: readonly number[], adjacency: Adjacency): readonly number[] {
  const sensitivity = sensitivityOf(adjacency)
  const each = (f: (order: number) => number): number[] => orders.map(f)
  switch (event.kind) {
    case 'gaussian': return each((order) => gaussianRdp(order, event.noiseMultiplier, sensitivity))
    // The discrete Gaussian has the divergence of the continuous one (Canonne, Kamath and Steinke 2020, Theorem 4).
    case 'discrete-gaussian': return each((order) => gaussianRdp(order, event.sigma / event.sensitivity, sensitivity))
    case 'tree':
    case 'matrix-factorisation': {
      const square = squaredMu(event) as number
      return each((order) => gaussianRdp(order, 1 / Math.sqrt(square), sensitivity))
    }
    case 'zcdp': return each((order) => event.rho * order)
    case 'laplace': return each((order) => laplaceRdp(order, event.noiseMultiplier / sensitivity))
    case 'discrete-laplace': return each((order) => pureDpRdp(order, event.parameter * event.sensitivity * sensitivity))
    case 'exponential': return each((order) => boundedRangeRdp(order, event.epsilon))
    case 'randomized-response': {
      if (adjacency === 'add-remove') return refuse(event, 'use "zero-out" or "substitute"')
      const atoms = randomizedResponseAtoms(event.noiseParameter, event.buckets, adjacency)
      return each((order) => atomsRdp(order, atoms))
    }
    case 'approximate-dp':
      if (event.delta > 0) return refuse(event, 'its δ has no Rényi divergence; use the PLD accountant')
      return each((order) => pureDpRdp(order, event.epsilon))
    case 'poisson-sampled': {
      const square = squaredMu(event.event)
      if (square === undefined) return refuse(event.event, 'only Gaussians can be Poisson-sampled here')
      const sigma = 1 / Math.sqrt(square)
      return each((order) => adjacency === 'substitute'
        ? poissonGaussianRdpSubstitute(order, sigma, event.samplingRate)
        : poissonGaussianRdp(order, sigma, event.samplingRate))
    }
    case 'fixed-size-sampled': {
      const square = squaredMu(event.event)
      if (square === undefined) return refuse(event.event, 'only Gaussians can be sampled with a fixed size here')
      if (adjacency !== 'substitute') return refuse(event, 'a fixed cohort size needs adjacency "substitute"')
      if (event.cohort === 0) return each(() => 0)
      return fixedSizeRdp(orders, 1 / (Math.sqrt(square) * sensitivity), event.cohort / event.population)
    }
    default: return refuse(event, `no Rényi bound for "${event.kind}" under ${adjacency}`)
  }
}

/** Curves already computed, by event and adjacency: a search over rounds asks for the same one again and again. */
const CURVES = /* @__PURE__ */ new Map<string, readonly number[]>()

function curveOf(event: AtomicEvent, adjacency: Adjacency, orders: readonly number[]): readonly number[] {
  if (orders !== DEFAULT_ORDERS) return rdpOf(event, orders, adjacency)
  const key = adjacency + JSON.stringify(event)
  let curve = CURVES.get(key)
  if (!curve) {
    curve = rdpOf(event, orders, adjacency)
    if (CURVES.size >= 64) CURVES.clear()
    CURVES.set(key, curve)
  }
  return curve
}

/** Total RDP of a history at every order. */
function totalRdp(history: readonly Counted[], adjacency: Adjacency, orders: readonly number[]): number[] {
  const total = orders.map(() => 0)
  for (const { event, count } of history) {
    const curve = curveOf(event, adjacency, orders)
    for (let i = 0; i < total.length; i++) total[i] += count * curve[i]
  }
  return total
}

/**
 * An accountant by Rényi differential privacy.
 * @param options - unit and adjacency (both required), and the orders if others than the default are wanted, each > 1
 * @throws {UnsupportedEventError} from `compose` for an event without a sound bound
 */
export function rdpAccountant(options: Neighbourhood & { readonly orders?: readonly number[] }): Accountant {
  const orders = options.orders === undefined ? DEFAULT_ORDERS
    : options.orders.map((order, i) => aNumber(`orders[${i}]`, order, 1))
  const method: Method = {
    name: 'rdp',
    check: (event, adjacency) => { if (event.kind !== 'non-private') rdpOf(event, [2], adjacency) },
    epsilon: (history, { adjacency }, delta) =>
      epsilonFromRdp(orders, totalRdp(history, adjacency, orders), delta).epsilon * ROUND_UP,
    delta: (history, { adjacency }, epsilon) =>
      deltaFromRdp(orders, totalRdp(history, adjacency, orders), epsilon).delta * ROUND_UP,
  }
  return accountantOf(method, options)
}
