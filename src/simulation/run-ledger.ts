/**
 * The ledger of a simulated run: the same as of a deployment, marked as a simulation.
 * @module
 */
import { hashBytes } from '../canonical.ts'
import { createLedger, memoryLedger, type Ledger, type LedgerStore } from '../privacy/ledger/index.ts'
import type { ResolvedPrivacy } from './options.ts'

/**
 * Starts the ledger of a run.
 * @param store - where it is kept; default: in memory, without the models
 * @param task - hash of what is trained
 * @param values - all trained values that the run starts from
 */
export function runLedger(
  store: LedgerStore | undefined, task: string, privacy: ResolvedPrivacy | undefined, values: Float32Array,
): Promise<Ledger> {
  const budget = privacy === undefined ? null
    : { unit: privacy.unit, adjacency: privacy.adjacency, delta: privacy.delta, epsilon: privacy.epsilon ?? null }
  return createLedger(store ?? memoryLedger({ keep: 0 }), { budget, task, model: hashBytes(modelBytes(values)), simulation: true })
}

/** Values as they lie in memory: what the ledger calls a model. */
export function modelBytes(values: Float32Array): Uint8Array {
  return new Uint8Array(values.buffer, values.byteOffset, values.byteLength)
}
