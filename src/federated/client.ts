/**
 * What a client does in a round: trains the slice on its own examples, from the state that was published, and turns the
 * change into a contribution. The same code serves a simulated client and a device.
 * @module
 */
import { hexToBytes } from '@noble/hashes/utils.js'
import { sameNumerics } from '../numerics.ts'
import { sgd } from '../optim/optimizer.ts'
import { readSlice, writeSlice } from '../peft/slice.ts'
import { encode } from '../privacy/mechanism/index.ts'
import { random } from '../random.ts'
import type { Classifier } from '../train/classifier.ts'
import { PrefixCache } from '../train/prefix-cache.ts'
import { trainStep } from '../train/step.ts'
import { hashArray } from '../canonical.ts'
import type { Sha256 } from '../canonical.ts'
import type { Plan } from './plan.ts'

/** A client's examples, as tokens. */
export interface TokenizedExamples {
  readonly sequences: readonly Int32Array[]
  /** Class of each. */
  readonly targets: Int32Array
}

/** What a client made. */
export interface ClientResult {
  /** What leaves the device. */
  readonly contribution: Int32Array
  /** SHA-256 of the contribution. */
  readonly hash: string
  /** What stays with the client; a simulation may look at it. */
  readonly local: { readonly steps: number, readonly examples: number, readonly loss: number, readonly norm: number }
}

/**
 * Trains a client and encodes its update.
 *
 * @param state - the values that the round starts from: [plan.reads.length]
 * @param client - the client's number within the round
 * @throws RangeError for a plan of another numerics version: nothing was trained
 */
export function contribute(
  task: Classifier, plan: Plan, state: Float32Array, examples: TokenizedExamples, client: number, native?: Sha256,
): ClientResult {
  sameNumerics('plan.numerics', plan.numerics)
  const { slice, reads, local, publicSeed } = plan
  if (examples.sequences.length === 0) throw new RangeError(`client ${client} expected at least one example, got none; leave it out`)
  writeSlice(task.parameters, reads, state)
  const start = readSlice(task.parameters, slice)
  const optimizer = sgd({ learningRate: local.learningRate, momentum: local.momentum ?? 0 })
  const order = random(publicSeed, 'order', plan.round, client)
  const used = order.shuffle(examples.sequences.map((_, i) => i)).slice(0, local.maxExamples ?? examples.sequences.length)
  const cache = local.epochs > 1 ? new PrefixCache() : undefined
  let steps = 0, lossSum = 0
  try {
    for (let epoch = 0; epoch < local.epochs; epoch++) {
      if (epoch > 0) order.shuffle(used)
      for (let from = 0; from < used.length; from += local.batchSize) {
        const batch = used.slice(from, from + local.batchSize)
        const { loss } = trainStep(task, task.pack(batch.map(i => examples.sequences[i])),
          Int32Array.from(batch, i => examples.targets[i]), slice, optimizer, {
            maxGradientNorm: local.maxGradientNorm,
            prefix: cache && { cache, examples: batch },
            dropout: local.dropout ? { rate: local.dropout, key: [order.u32() | 0, order.u32() | 0] } : undefined,
          })
        steps++
        lossSum += loss
      }
    }
  } finally {
    // a client's momentum ends with it, and its memory serves the next client
    optimizer.reset()
  }
  const update = readSlice(task.parameters, slice)
  for (let i = 0; i < update.length; i++) update[i] -= start[i]
  const { values, norm } = encode(task.encoder.engine, plan.lattice, update, {
    publicSeed: hexToBytes(publicSeed), round: plan.round, client,
  })
  return { contribution: values, hash: hashArray(values, native), local: { steps, examples: used.length, loss: lossSum / steps, norm } }
}
