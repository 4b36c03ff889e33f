/**
 * Who writes down what a simulation does, so that it can be replayed. A simulation gives everything away here,
 * contributions before the noise included: a deployment has no such thing.
 * @module
 */
import type { Plan } from '../federated/plan.ts'
import type { Slice } from '../peft/slice.ts'
import type { LedgerEntry, ReleaseEntry } from '../privacy/ledger/index.ts'
import type { Released } from '../privacy/mechanism/index.ts'
import type { ResolvedPrivacy, SimulationOptions } from './options.ts'
import type { RoundReport } from './simulate.ts'
import type { Task } from './task.ts'

/** How a run starts. */
export interface RunStart {
  readonly options: SimulationOptions
  readonly privacy: ResolvedPrivacy | undefined
  readonly seed: number
  readonly noise: 'seeded' | 'system' | 'none'
  readonly maxTokens: number
  /** Rounds between evaluations on part of the test set, and how large that part is. */
  readonly evaluateEvery: number
  readonly evaluateExamples: number
  readonly task: Task
  /** Everything that is trained, and its values. */
  readonly whole: Slice
  readonly values: Float32Array
  readonly opening: LedgerEntry
}

/** What a round did. */
export interface RoundFacts {
  readonly report: RoundReport
  readonly plan: Plan
  /** Numbers of the clients that took part, in the order of their contributions. */
  readonly clients: readonly number[]
  readonly released: Released
  /** All trained values after the round. */
  readonly values: Float32Array
  /** The ledger's last entry: it names the hash of the values. */
  readonly entry: ReleaseEntry
}

/** How it ended. */
export interface RunEnd {
  readonly accuracy: number
  readonly confusion: readonly (readonly number[])[]
  readonly finalHash: string
  readonly head: string
}

/** Called in this order: start, then for each round its contributions and the round, then end. Arrays are to be read at once. */
export interface Recorder {
  start(start: RunStart): Promise<void>
  /** The next client's contribution to the round. @param number - the client's number within the round */
  contribution(plan: Plan, number: number, values: Int32Array): void
  round(facts: RoundFacts): void
  end(end: RunEnd): void
}
