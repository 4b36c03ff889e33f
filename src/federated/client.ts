/**
 * What a client does in a round: trains the slice on its own examples, from the state that was published, and turns the
 * change into a contribution. The same code serves a simulated client and a device.
 * @module
 */
import type { Sha256 } from '../canonical.ts'
import type { Classifier } from '../train/classifier.ts'
import type { Plan } from './plan.ts'
import { openTraining } from './training.ts'
import type { ClientResult, TokenizedExamples } from './training.ts'

export type { ClientResult, TokenizedExamples } from './training.ts'

/**
 * Trains a client from the first step to the last and encodes its update.
 *
 * @param state - the values that the round starts from: [plan.reads.length]
 * @param client - the client's number within the round
 * @param into - where the contribution goes, [plan.lattice.length], for who reads it at once; default: a new array
 * @throws RangeError for a plan of another numerics version: nothing was trained
 */
export function contribute(
  task: Classifier, plan: Plan, state: Float32Array, examples: TokenizedExamples, client: number, native?: Sha256, into?: Int32Array,
): ClientResult {
  const training = openTraining(task, plan, state, examples, client, { sha256: native })
  try {
    training.rest()
    return training.finish(into)
  } finally {
    training.close()
  }
}
