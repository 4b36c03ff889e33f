/** What the page and its worker say to each other. */
import type { Progress } from 'sotto/federated'
import type { Mail } from '../filter/filter.ts'

/** From the page. */
export type ToWorker =
  | { readonly kind: 'open', readonly threads: number }
  | { readonly kind: 'classify', readonly id: number, readonly texts: readonly string[] }
  | { readonly kind: 'train', readonly mails: readonly Mail[], readonly resume: boolean }
  | { readonly kind: 'pause' | 'resume' | 'cancel' | 'undo' | 'forget' }

/** What a training came to. */
export interface Outcome {
  /** What would be sent. */
  readonly contribution: { readonly length: number, readonly bits: number, readonly first: readonly number[], readonly hash: string }
  /** SHA-256 of the adapter's file. */
  readonly adapter: string
  readonly samples: number
  readonly samplesBefore: number
  readonly samplesAfter: number
}

/** From the worker. */
export type FromWorker =
  | { readonly kind: 'loading', readonly loaded: number, readonly total: number }
  | {
    readonly kind: 'ready', readonly threads: number, readonly simd: boolean, readonly isolated: boolean
    /** Whether files came over the network; else all of them were kept. */
    readonly fetched: boolean
    /** Why files could not be kept. */
    readonly problem?: string
    /** What an earlier visit left. */
    readonly mine?: { readonly mails: readonly Mail[], readonly interrupted: boolean }
    readonly outcome?: Outcome
  }
  | { readonly kind: 'verdicts', readonly id: number, readonly chances: readonly number[] }
  | ({ readonly kind: 'progress' } & Progress)
  /** A paused training is kept, at this step: the page can be closed. */
  | { readonly kind: 'kept', readonly done: number }
  | ({ readonly kind: 'trained', readonly seconds: number, readonly kept: boolean } & Outcome)
  | { readonly kind: 'cancelled' | 'undone' | 'forgotten' }
  | { readonly kind: 'failed', readonly doing: ToWorker['kind'], readonly message: string }
