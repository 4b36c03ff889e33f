/**
 * The plan of a round: everything public that a client must know, immutable. Its hash is what a contribution binds to.
 * @module
 */
import { aNumber, anInteger, anOptions } from '../assert.ts'
import type { Slice } from '../peft/slice.ts'
import { chooseLattice } from '../privacy/mechanism/index.ts'
import type { Lattice } from '../privacy/mechanism/index.ts'
import { hashOf } from '../canonical.ts'
import type { Plain } from '../canonical.ts'
import { NUMERICS_VERSION } from '../numerics.ts'

/** How a client trains, the same for all. */
export interface LocalTraining {
  /** Passes over the client's examples. */
  readonly epochs: number
  readonly batchSize: number
  readonly learningRate: number
  readonly momentum?: number
  /** L2 norm that the gradient of a step is scaled down to. */
  readonly maxGradientNorm?: number
  /** Examples of a client that are used in a round, drawn by the plan's seed; default: all. */
  readonly maxExamples?: number
  readonly dropout?: number
}

/** The public description of a round. */
export interface Plan {
  readonly version: 1
  /** Version of the numerics that every party computes with (docs/numerics.md). */
  readonly numerics: number
  readonly round: number
  /** Hash of what is trained: model, labels, adapter. */
  readonly task: string
  /** Hash of the values of `reads` that the round starts from. */
  readonly state: string
  /** What a client trains and sends: the upload. */
  readonly slice: Slice
  /** The trainable rows that a forward pass of this round reads: the download. Holds the slice. */
  readonly reads: Slice
  readonly local: LocalTraining
  readonly lattice: Lattice
  /** 32 bytes in hexadecimal: rounding, orders, dropout. */
  readonly publicSeed: string
}

/** Checks the settings of local training; unknown ones are an error. */
export function aLocalTraining(local: LocalTraining): LocalTraining {
  anOptions('local', local, ['epochs', 'batchSize', 'learningRate', 'momentum', 'maxGradientNorm', 'maxExamples', 'dropout'])
  anInteger('local.epochs', local.epochs, 1, 1000)
  anInteger('local.batchSize', local.batchSize, 1, 65536)
  aNumber('local.learningRate', local.learningRate, 0)
  aNumber('local.momentum', local.momentum ?? 0, 0, 1)
  aNumber('local.dropout', local.dropout ?? 0, 0, 0.99)
  if (local.maxGradientNorm !== undefined) aNumber('local.maxGradientNorm', local.maxGradientNorm, Number.MIN_VALUE)
  if (local.maxExamples !== undefined) anInteger('local.maxExamples', local.maxExamples, 1)
  return local
}

/** Makes a plan; the lattice is chosen from clip, cohort, noise and the slice's length. */
export function makePlan(options: {
  round: number, task: string, state: string, slice: Slice, reads: Slice, local: LocalTraining, publicSeed: string,
  clip: number, cohort: number, capacity: number, noiseMultiplier: number, quantile?: { readonly noise: number } | undefined,
}): Plan {
  const { round, task, state, slice, reads, local, publicSeed, clip, cohort, capacity, noiseMultiplier, quantile } = options
  return Object.freeze({
    version: 1, numerics: NUMERICS_VERSION, round: anInteger('round', round, 1), task, state, slice, reads, local: Object.freeze({ ...aLocalTraining(local) }), publicSeed,
    lattice: chooseLattice({ clip, cohort, capacity, dimension: slice.length, noiseMultiplier, ...(quantile && { quantile }) }),
  })
}

/** SHA-256 of the plan. */
export function planHash(plan: Plan): string { return hashOf(plan as unknown as Plain) }
