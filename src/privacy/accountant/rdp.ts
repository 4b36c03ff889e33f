/**
 * The Rényi accountant: cheap, handles most events, never below the exact ε but often a good deal above it. It is
 * here as a cross-check of the default accountant and for events known by their Rényi divergence only.
 * @module
 */
import { aNumber } from '../../assert.ts'
import { accountantOf, ROUND_UP, UnsupportedEventError, type Accountant, type Counted, type Method } from './accountant.ts'
import type { AtomicEvent, PrivacyEvent } from './event.ts'
import { sensitivityOf, type Adjacency, type Neighbourhood } from './neighbourhood.ts'
import { deltaFromRdp, DEFAULT_ORDERS, epsilonFromRdp } from './rdp-conversion.ts'
import { gaussianRdp, laplaceRdp, poissonGaussianRdp, poissonGaussianRdpSubstitute, pureDpRdp } from './renyi.ts'

const NAME = 'RDP'

/** The Gaussian that several Gaussians on the same inputs amount to, or undefined if the event is not made of such. */
export function jointGaussian(event: PrivacyEvent): number | undefined {
  switch (event.kind) {
    case 'gaussian': return event.noiseMultiplier
    case 'self-composed': {
      const sigma = jointGaussian(event.event)
      return sigma === undefined || event.count === 0 ? undefined : sigma / Math.sqrt(event.count)
    }
    case 'composed': {
      let precision = 0
      for (const part of event.events) {
        const sigma = jointGaussian(part)
        if (sigma === undefined) return undefined
        precision += 1 / (sigma * sigma)
      }
      return precision > 0 ? 1 / Math.sqrt(precision) : undefined
    }
    default: return undefined
  }
}

/** RDP of one event at one order; throws where there is no sound formula. */
function rdpOf(event: AtomicEvent, order: number, adjacency: Adjacency): number {
  const sensitivity = sensitivityOf(adjacency)
  switch (event.kind) {
    case 'gaussian': return gaussianRdp(order, event.noiseMultiplier, sensitivity)
    case 'discrete-gaussian': return gaussianRdp(order, event.sigma / event.sensitivity, sensitivity)
    case 'zcdp': return event.rho * order
    case 'laplace': return laplaceRdp(order, event.noiseMultiplier / sensitivity)
    case 'discrete-laplace': return pureDpRdp(order, event.parameter * event.sensitivity * sensitivity)
    case 'approximate-dp':
      if (event.delta > 0) throw new UnsupportedEventError(NAME, event, 'its δ has no Rényi divergence; use the PLD accountant')
      return pureDpRdp(order, event.epsilon)
    case 'poisson-sampled': {
      const sigma = jointGaussian(event.event)
      if (sigma === undefined) throw new UnsupportedEventError(NAME, event.event, 'only Gaussians can be Poisson-sampled here')
      return adjacency === 'substitute'
        ? poissonGaussianRdpSubstitute(order, sigma, event.samplingRate)
        : poissonGaussianRdp(order, sigma, event.samplingRate)
    }
    default: throw new UnsupportedEventError(NAME, event, `no Rényi bound for "${event.kind}" under ${adjacency}`)
  }
}

/** Curves already computed, by event and adjacency: a search over rounds asks for the same one again and again. */
const CURVES = /* @__PURE__ */ new Map<string, readonly number[]>()

function curveOf(event: AtomicEvent, adjacency: Adjacency, orders: readonly number[]): readonly number[] {
  if (orders !== DEFAULT_ORDERS) return orders.map((order) => rdpOf(event, order, adjacency))
  const key = adjacency + JSON.stringify(event)
  let curve = CURVES.get(key)
  if (!curve) {
    curve = orders.map((order) => rdpOf(event, order, adjacency))
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
    check: (event, adjacency) => { if (event.kind !== 'non-private') rdpOf(event, 2, adjacency) },
    epsilon: (history, { adjacency }, delta) =>
      epsilonFromRdp(orders, totalRdp(history, adjacency, orders), delta).epsilon * ROUND_UP,
    delta: (history, { adjacency }, epsilon) =>
      deltaFromRdp(orders, totalRdp(history, adjacency, orders), epsilon).delta * ROUND_UP,
  }
  return accountantOf(method, options)
}

/**
 * The order that gives the reported ε: at either end of the list, a wider list would give a smaller ε.
 */
export function bestOrder(accountant: Accountant, delta: number, orders: readonly number[] = DEFAULT_ORDERS): number {
  return epsilonFromRdp(orders, totalRdp(accountant.history, accountant.adjacency, orders), delta).order
}
