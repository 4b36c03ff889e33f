/**
 * The exact curve of the Gaussian mechanism (Balle and Wang 2018, Theorem 8), also that of any composition of Gaussian
 * mechanisms: with μ² = Σ Δ²/σ² it is the curve of one Gaussian with Δ/σ = μ (Dong, Roth and Su 2019, Corollary 3.3).
 * @module
 */
import { accountantOf, ROUND_UP, UnsupportedEventError, type Accountant, type Counted, type Method } from './accountant.ts'
import type { AtomicEvent } from './event.ts'
import { squaredMu } from './gaussian-equivalent.ts'
import { sensitivityOf, type Adjacency, type Neighbourhood } from './neighbourhood.ts'
import { exp, log, log1mexp } from './num/elementary.ts'
import { logNormalCdf } from './num/normal.ts'

/** ln δ(ε) = ln(Φ(μ/2 - ε/μ) - e^ε Φ(-μ/2 - ε/μ)); -Infinity at μ = 0. */
export function gaussianLogDelta(mu: number, epsilon: number): number {
  if (mu === 0) return -Infinity
  const high = logNormalCdf(mu / 2 - epsilon / mu)
  const low = epsilon + logNormalCdf(-mu / 2 - epsilon / mu)
  return high > low ? high + log1mexp(high - low) : -Infinity
}

/** δ of μ-Gaussian DP at ε >= 0. */
export function gaussianDelta(mu: number, epsilon: number): number {
  return exp(gaussianLogDelta(mu, epsilon))
}

/** The smallest ε >= 0 of μ-Gaussian DP at δ, rounded up in the last digits. */
export function gaussianEpsilon(mu: number, delta: number): number {
  if (mu === 0 || delta >= 1) return 0
  if (delta <= 0) return Infinity
  const goal = log(delta)
  if (gaussianLogDelta(mu, 0) <= goal) return 0
  let low = 0
  let high = 1
  while (gaussianLogDelta(mu, high) > goal) high *= 2
  for (let i = 0; i < 200 && high - low > 1e-15 * high; i++) {
    const middle = (low + high) / 2
    if (middle <= low || middle >= high) break
    if (gaussianLogDelta(mu, middle) > goal) low = middle
    else high = middle
  }
  return high
}

/** The largest μ that is (ε, δ)-DP, rounded down in the last digits. 1/μ is the noise per unit of sensitivity. */
export function gaussianMu(epsilon: number, delta: number): number {
  if (delta >= 1) return Infinity
  if (delta <= 0) return 0
  const goal = log(delta)
  let low = 0
  let high = 1
  while (gaussianLogDelta(high, epsilon) <= goal) {
    low = high
    high *= 2
  }
  for (let i = 0; i < 200 && high - low > 1e-16 * high; i++) {
    const middle = (low + high) / 2
    if (middle <= low || middle >= high) break
    if (gaussianLogDelta(middle, epsilon) <= goal) low = middle
    else high = middle
  }
  return low
}

/**
 * An accountant for Gaussian mechanisms without sampling, tree aggregation and matrix factorisation included: exact.
 * @throws {UnsupportedEventError} from `compose` for anything else
 */
export function gaussianAccountant(options: Neighbourhood): Accountant {
  const muOf = (history: readonly Counted[], adjacency: Adjacency): number =>
    sensitivityOf(adjacency) * Math.sqrt(history.reduce((sum, { event, count }) => sum + count * squareOf(event), 0))
  const method: Method = {
    name: 'gaussian',
    check: (event) => { if (event.kind !== 'non-private') squareOf(event) },
    epsilon: (history, { adjacency }, delta) => gaussianEpsilon(muOf(history, adjacency), delta) * ROUND_UP,
    delta: (history, { adjacency }, epsilon) => gaussianDelta(muOf(history, adjacency), epsilon) * ROUND_UP,
  }
  return accountantOf(method, options)
}

function squareOf(event: AtomicEvent): number {
  const square = squaredMu(event)
  if (square === undefined) throw new UnsupportedEventError('Gaussian', event, 'only Gaussians without sampling are exact here')
  return square
}
