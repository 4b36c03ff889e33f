/**
 * What a simulation may tell of a round beyond its release: a deployment never sees it.
 * @module
 */
import type { ClientResult } from '../federated/client.ts'

/** Losses and norms of a round. */
export interface Diagnostics {
  /** Mean of the clients' mean training losses. */
  readonly loss: number
  /** Median L2 norm of the updates before clipping. */
  readonly updateNorm: number
  /** Share of clients whose update was clipped. */
  readonly clippedShare: number
}

/** Summary of a round's clients; zeros where there were none. */
export function diagnosticsOf(locals: readonly ClientResult['local'][], clip: number): Diagnostics {
  const norms = locals.map(({ norm }) => norm)
  return {
    loss: mean(locals.map(({ loss }) => loss)), updateNorm: median(norms),
    clippedShare: norms.filter(norm => norm > clip).length / Math.max(1, norms.length),
  }
}

/** Arithmetic mean; 0 of nothing. */
export function mean(values: readonly number[]): number {
  return values.length === 0 ? 0 : values.reduce((sum, value) => sum + value, 0) / values.length
}

function median(values: readonly number[]): number {
  return values.length === 0 ? 0 : [...values].sort((a, b) => a - b)[values.length >> 1]
}
