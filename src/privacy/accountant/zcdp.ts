/**
 * The zero-concentrated accountant: one number ρ, exact under addition (Bun and Steinke 2016).
 * @module
 */
import { accountantOf, ROUND_UP, UnsupportedEventError, type Accountant, type Counted, type Method } from './accountant.ts'
import type { AtomicEvent } from './event.ts'
import { squaredMu } from './gaussian-equivalent.ts'
import { sensitivityOf, type Adjacency, type Neighbourhood } from './neighbourhood.ts'
import { exp, expm1, log, log1p } from './num/elementary.ts'

/** One rounding in every engine, unlike **. */
const square = (x: number): number => x * x

/** ρ of one event under an adjacency. @throws {UnsupportedEventError} */
function rhoOf(event: AtomicEvent, adjacency: Adjacency): number {
  const factor = square(sensitivityOf(adjacency))
  switch (event.kind) {
    case 'zcdp': return event.rho
    case 'discrete-gaussian': return factor * event.sensitivity * event.sensitivity / (2 * event.sigma * event.sigma)
    case 'gaussian':
    case 'tree':
    case 'matrix-factorisation': return factor * (squaredMu(event) as number) / 2
    // ε-DP implies ε²/2-zCDP (Proposition 1.4); a loss of range ε implies ε²/8 (Cesar and Rogers 2021).
    case 'laplace': return 0.5 * square(sensitivityOf(adjacency) / event.noiseMultiplier)
    case 'discrete-laplace': return 0.5 * square(event.parameter * event.sensitivity * sensitivityOf(adjacency))
    case 'exponential': return event.epsilon * event.epsilon / 8
    case 'approximate-dp':
      if (event.delta === 0) return 0.5 * event.epsilon * event.epsilon
      break
    default: break
  }
  throw new UnsupportedEventError('zCDP', event, `"${event.kind}" has no ρ that is worth reporting; use the PLD accountant`)
}

/** The total ρ of an accountant's history. */
export function totalRho(history: readonly Counted[], adjacency: Adjacency): number {
  return history.reduce((sum, { event, count }) => sum + count * rhoOf(event, adjacency), 0)
}

/**
 * ε of ρ-zCDP at δ: the smallest over α > 1 of ρα + ln(1 - 1/α) - ln(δ α)/(α - 1) (Canonne, Kamath and Steinke 2020,
 * Proposition 12 with RDP(α) = ρα).
 */
export function zcdpEpsilon(rho: number, delta: number): number {
  if (rho === 0 || delta >= 1) return 0
  if (delta <= 0) return Infinity
  const at = (order: number): number => rho * order + log1p(-1 / order) - (log(delta) + log(order)) / (order - 1)
  return Math.max(0, minimum(at))
}

/** δ of ρ-zCDP at ε. */
export function zcdpDelta(rho: number, epsilon: number): number {
  if (rho === 0) return 0
  const at = (order: number): number => (order - 1) * (rho * order - epsilon + log1p(-1 / order)) - log(order)
  return Math.min(1, exp(Math.min(0, minimum(at))), Math.sqrt(-expm1(-rho)))
}

/** The least value over orders from 1.01 to 1e6: every order gives a valid bound, so a rough search is a sound one. */
function minimum(at: (order: number) => number): number {
  const golden = 0.6180339887498949
  let low = log(0.01)
  let high = log(1e6)
  let best = Infinity
  for (let i = 0; i < 80; i++) {
    const a = high - golden * (high - low)
    const b = low + golden * (high - low)
    const fa = at(1 + exp(a))
    const fb = at(1 + exp(b))
    best = Math.min(best, fa, fb)
    if (fa < fb) high = b
    else low = a
  }
  return best
}

/**
 * An accountant by zero-concentrated differential privacy, for mechanisms without sampling.
 * @throws {UnsupportedEventError} from `compose` for sampled events
 */
export function zcdpAccountant(options: Neighbourhood): Accountant {
  const method: Method = {
    name: 'zcdp',
    check: (event, adjacency) => { if (event.kind !== 'non-private') rhoOf(event, adjacency) },
    epsilon: (history, { adjacency }, delta) => zcdpEpsilon(totalRho(history, adjacency), delta) * ROUND_UP,
    delta: (history, { adjacency }, epsilon) => zcdpDelta(totalRho(history, adjacency), epsilon) * ROUND_UP,
  }
  return accountantOf(method, options)
}
