/**
 * What a report is made from: plain data, whoever ran it.
 * @module
 */
import type { PopulationReport } from '../data/describe.ts'
import type { RoundReport, SimulationResult } from '../simulation/simulate.ts'
import type { PrivacyStatement } from './privacy-statement.ts'

/** A round, as far as a report shows it. */
export type RoundRecord = Omit<RoundReport, 'rounds'>

/** A finished run. */
export interface RunRecord extends Pick<SimulationResult, 'name' | 'accuracy' | 'confusion' | 'bytesDown' | 'bytesUp' | 'seconds' | 'threads' | 'finalHash'> {
  /** What was trained, in words: `DyLoRA, rank 1 to 8`. */
  readonly method: string
  readonly kind: 'lora' | 'dylora' | 'full'
  /** Maximum rank of the adapter; undefined for full fine-tuning. */
  readonly maxRank: number | undefined
  readonly labels: readonly string[]
  readonly rounds: readonly RoundRecord[]
  readonly plannedRounds: number
  /** Null: trained without privacy. */
  readonly privacy: PrivacyStatement | null
  /** Expected clients a round. */
  readonly cohort: number
  /** Numbers that are trained. */
  readonly trained: number
  readonly taskHash: string
  /** The ledger's length, and the hash of its last entry. */
  readonly ledger: { readonly entries: number, readonly head: string }
  /** Hash of the transcript's last line; null where none was kept. */
  readonly transcriptHead: string | null
}

/** The data in numbers. */
export interface DataSummary extends PopulationReport {
  readonly labels: readonly string[]
  readonly test: number
  readonly testShares: Readonly<Record<string, number>>
  /** What the test set is. */
  readonly heldOut: string
  /** Test texts with a near-duplicate in training; undefined where it was not looked for. */
  readonly nearDuplicatesInTraining?: number
  /** Texts that were left out as duplicates. */
  readonly removed?: number
}

/** Everything that a report of one or several runs shows. */
export interface Experiment {
  readonly name: string
  /** The model folder's name. */
  readonly model: string
  readonly data: DataSummary
  /** In the order of the settings. */
  readonly runs: readonly RunRecord[]
  /** Names of runs that were planned but not started. */
  readonly left: readonly string[]
  readonly versions: { readonly sotto: string, readonly runtime: string }
}
