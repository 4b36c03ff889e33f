/**
 * Events whose whole privacy curve is that of one Gaussian mechanism: they are merged, exactly, before any numerics.
 * @module
 */
import type { PrivacyEvent } from './event.ts'
import { strategySensitivitySquared } from './correlated/toeplitz.ts'
import { treeSensitivitySquared } from './correlated/tree-sensitivity.ts'

/**
 * Variance, in lattice steps, given away to treat integer noise as continuous. A discrete Gaussian of parameter σ equals
 * a continuous one of variance σ² - s², rounded at random to the lattice by a discrete Gaussian of parameter s, up to a
 * factor within 1 ± 4η a coordinate, η = 2 e^(-2π²s²) (smoothing; Peikert 2010, Theorem 3.1). At s = 2, η is 1e-34: over
 * 2^40 coordinates and rounds it changes ε by less than 1e-20. Rounding is post-processing, so the continuous
 * mechanism's curve bounds the discrete one's, in any dimension and under any sampling.
 */
const SMOOTHING_VARIANCE = 4

/**
 * μ² for sensitivity 1 (clip norms), or undefined where the event is no Gaussian.
 */
export function squaredMu(event: PrivacyEvent): number | undefined {
  switch (event.kind) {
    case 'gaussian': return 1 / (event.noiseMultiplier * event.noiseMultiplier)
    case 'discrete-gaussian': {
      const variance = event.sigma * event.sigma - SMOOTHING_VARIANCE
      return variance > 0 ? event.sensitivity * event.sensitivity / variance : undefined
    }
    case 'tree':
      return treeSensitivitySquared(event.rounds, event.minSeparation, event.maxParticipations) /
        (event.noiseMultiplier * event.noiseMultiplier)
    case 'matrix-factorisation':
      return strategySensitivitySquared(event.strategy, event.rounds, event.minSeparation, event.maxParticipations) /
        (event.noiseMultiplier * event.noiseMultiplier)
    case 'poisson-sampled': return event.samplingRate === 1 ? squaredMu(event.event) : event.samplingRate === 0 ? 0 : undefined
    case 'none': return 0
    case 'composed': {
      let sum = 0
      for (const part of event.events) {
        const square = squaredMu(part)
        if (square === undefined) return undefined
        sum += square
      }
      return sum
    }
    case 'self-composed': {
      const square = squaredMu(event.event)
      return square === undefined ? undefined : square * event.count
    }
    default: return undefined
  }
}
