/**
 * The transcript of a training: lines of canonical JSON, each with the hash of the one before, and beside them a file of
 * arrays. docs/replay.md is its specification.
 * @module
 */
import { canonicalJson, hashOf } from '../canonical.ts'
import type { Plain } from '../canonical.ts'
import type { LocalTraining, Plan } from '../federated/plan.ts'
import type { ServerOptimizer } from '../federated/server-optimizer.ts'
import type { SlicePart } from '../peft/slice.ts'
import type { PrivacyEvent } from '../privacy/accountant/index.ts'
import type { Method, ResolvedPrivacy } from '../simulation/options.ts'
import type { TaskDescription } from '../simulation/task.ts'

/** Version of the format. */
export const TRANSCRIPT_FORMAT = 'sotto-transcript/2'
/** Names of the files. */
export const TRANSCRIPT_FILE = 'transcript.jsonl', ARRAYS_FILE = 'transcript.bin'
/** `previous` of the first line. */
export const GENESIS = '0'.repeat(64)

/** What chains a line to the one before. */
export interface Link {
  readonly number: number
  readonly previous: string
  /** SHA-256 of the line without this key. */
  readonly hash: string
}

/** The first line: everything that a replay needs but the model's files and the clients' data. */
export interface HeaderLine extends Link {
  readonly format: typeof TRANSCRIPT_FORMAT
  readonly numerics: number
  /** Who wrote it; nothing depends on it. */
  readonly about: { readonly sotto: string, readonly runtime: string, readonly run: string, readonly model: string }
  /** `full`: the arrays are in the file beside. `hashes`: their hashes alone were kept. */
  readonly arrays: 'full' | 'hashes'
  readonly task: { readonly hash: string, readonly files: Readonly<Record<string, string>>, readonly description: Omit<TaskDescription, 'model'> }
  readonly method: Method
  readonly rounds: number
  readonly cohort: number
  readonly local: LocalTraining
  readonly server: ServerOptimizer
  readonly privacy: ResolvedPrivacy | null
  readonly noise: 'seeded' | 'system' | 'none'
  readonly seed: number
  readonly maxTokens: number
  readonly evaluateEvery: number
  readonly evaluateExamples: number
  /** SHA-256 of each client's examples, and of the test set. */
  readonly data: { readonly clients: readonly string[], readonly test: string }
  /** Everything that is trained. */
  readonly whole: { readonly parts: readonly SlicePart[], readonly length: number, readonly rank: number | null }
  /** SHA-256 of all trained values, and of each tensor's. */
  readonly state: string
  readonly tensors: Readonly<Record<string, string>>
  /** Hash of the ledger's first entry. */
  readonly ledger: string
}

/** One line a round. */
export interface RoundLine extends Link {
  readonly round: number
  readonly rank: number | null
  readonly plan: Plan
  readonly planHash: string
  /** Numbers of the clients that took part, in the order of their contributions. */
  readonly clients: readonly number[]
  /** SHA-256 of each contribution; and marks of its tensors (`marksOf`). */
  readonly contributions: readonly string[]
  readonly marks: readonly string[]
  /** Commitment to the key of the noise; null without noise. */
  readonly noise: string | null
  /** SHA-256 of the noised sum, and its marks. */
  readonly release: { readonly hash: string, readonly marks: string }
  /** SHA-256 of all trained values after the round, and of each tensor of the slice. */
  readonly state: string
  readonly tensors: Readonly<Record<string, string>>
  readonly event: PrivacyEvent
  readonly epsilon: number | null
  /** Hash of the ledger's entry of the release. */
  readonly ledger: string
  /** Seen by a simulation alone; accuracy where the round was followed by an evaluation. No times: the same settings give the same lines. */
  readonly metrics: { readonly loss: number, readonly updateNorm: number, readonly clippedShare: number, readonly accuracy?: number | undefined }
}

/** The last line. */
export interface EndLine extends Link {
  readonly end: {
    readonly rounds: number
    readonly state: string
    readonly accuracy: number
    readonly confusion: readonly (readonly number[])[]
    /** Hash of the ledger's last entry. */
    readonly ledger: string
    /** SHA-256 of each file of the trained model, and of the file of arrays where there is one. */
    readonly files: Readonly<Record<string, string>>
  }
}

/** Any line. */
export type Line = HeaderLine | RoundLine | EndLine

/** A line without its place in the chain. */
export type Unlinked<L extends Line> = Omit<L, keyof Link>

/** Chains lines as they come. */
export class Chain {
  #number = 0
  #head = GENESIS

  /** Hash of the last line. */
  get head(): string { return this.#head }

  /** The text of the next line, with its line break. */
  add<L extends Line>(line: Unlinked<L>): string {
    const linked = { ...line, number: this.#number++, previous: this.#head } as unknown as Plain
    this.#head = hashOf(linked)
    return `${canonicalJson({ ...linked as object, hash: this.#head } as Plain)}\n`
  }
}
