/**
 * What a report is made from: plain data, whoever ran it.
 * @module
 */
import type { PopulationReport } from '../data/describe.ts'
import type { PrivacyEvent } from '../privacy/accountant/index.ts'
import type { PrivacyStatement } from './privacy-statement.ts'

/** A round, as far as a report shows it. */
export interface RoundRecord {
  readonly round: number
  readonly rank: number | undefined
  /** L2 norm that updates were clipped to. */
  readonly clip: number
  readonly clients: number
  readonly loss: number
  readonly updateNorm: number
  readonly clippedShare: number
  readonly accuracy: number | undefined
  readonly epsilon: number | undefined
  readonly bytesDown: number
  readonly bytesUp: number
  readonly seconds: number
  readonly planHash: string
  readonly contributionHashes: readonly string[]
  readonly stateHash: string
  readonly event: PrivacyEvent
}

/** A finished run. */
export interface RunRecord {
  readonly name: string
  /** What was trained, in words: `DyLoRA, rank 1 to 8`. */
  readonly method: string
  readonly kind: 'lora' | 'dylora' | 'full'
  /** Maximum rank of the adapter; undefined for full fine-tuning. */
  readonly maxRank: number | undefined
  readonly labels: readonly string[]
  readonly rounds: readonly RoundRecord[]
  readonly plannedRounds: number
  /** Share of the whole test set classified right. */
  readonly accuracy: number
  /** Test examples by [true class][predicted class]. */
  readonly confusion: readonly (readonly number[])[]
  /** Null: trained without privacy. */
  readonly privacy: PrivacyStatement | null
  readonly bytesDown: number
  readonly bytesUp: number
  readonly seconds: number
  readonly threads: number
  /** Expected clients a round. */
  readonly cohort: number
  /** Numbers that are trained. */
  readonly trained: number
  readonly taskHash: string
  readonly finalHash: string
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
