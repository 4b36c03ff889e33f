/**
 * The mail filter of the examples: Universal Sentence Encoder Lite with a small adapter that a federation of mailboxes has
 * trained (examples/filter/start). A device trains it on some mails of its own, as it would in a round of that federation.
 * The same in every runtime: what differs is the host that is passed in.
 */
import { createEngine, exportAdapter, importAdapter, loadModel, predict, sliceOf, textClassifier } from 'sotto'
import type { Classifier, Host } from 'sotto'
import { hashArray, hashOf, makePlan, openTraining, readSlice, writeSlice } from 'sotto/federated'
import type { ClientTraining, Plan, TrainingOptions } from 'sotto/federated'

/** A mail that its owner has judged. */
export interface Mail {
  readonly text: string
  readonly label: 'spam' | 'ham'
}

/** A filter in memory. */
export interface Filter {
  readonly task: Classifier
  /** What the device is asked to do: a round of a deployment with 5,000 mailboxes. */
  readonly plan: Plan
  /** Threads that share a step. */
  readonly threads: number
  /** The chance that each text is spam, in the filter's opinion. */
  classify(texts: readonly string[]): number[]
  /** A training on these mails that starts from the published filter. */
  train(mails: readonly Mail[], options?: TrainingOptions): ClientTraining
  /** The trained values; and the same back, e.g. from an earlier visit. */
  values(): Float32Array
  restore(values: Float32Array): void
  /** Back to the published filter. */
  reset(): void
  /** The adapter as Hugging Face PEFT has it, with its head: file names and contents. */
  files(): Record<string, Uint8Array | string>
  /** SHA-256 of `adapter_model.safetensors`: the same in every runtime for the same mails. */
  hash(): Promise<string>
  /** Bytes of the module's memory. */
  memory(): number
}

/** Of each mail the filter reads the first 64 tokens, some 250 characters: the words that a mailbox shows in its list. */
export const MAX_TOKENS = 64

/** Characters that can hold them: of what someone pasted, no more is looked at. */
const MAX_CHARACTERS = 4000

const LABELS = ['ham', 'spam'] as const

/** What a device does in a round. In a deployment the server publishes it; here it is part of the example. */
const LOCAL = { epochs: 12, batchSize: 4, learningRate: 0.3, maxGradientNorm: 0.5, maxExamples: 64 }
const ROUND = { round: 1, clip: 0.5, cohort: 5000, capacity: 5430, noiseMultiplier: 0.65, publicSeed: '5f'.repeat(32) }

/** Where things lie, as the host knows folders. */
export interface FilterOptions {
  /** Folder of the model: what examples/prepare.mjs writes. */
  readonly model: string
  /** Folder of the adapter to start from. */
  readonly start: string
  /** Most bytes of memory. */
  readonly maximum?: number
  readonly threads?: number
}

export async function openFilter(host: Host, { model, start, maximum, threads }: FilterOptions): Promise<Filter> {
  const engine = await createEngine(host, { ...maximum && { maximum }, ...threads && { threads } })
  const { encoder, tokenizer } = await loadModel(host, model, { engine })
  const { adapter, head, numerics } = await importAdapter(encoder, host.folder(start))
  const task = textClassifier({ encoder, adapter, head, labels: LABELS })
  // the head stays: a few mails would only move it from one side to the other
  const slice = sliceOf(task, { head: false }), reads = sliceOf(task), published = readSlice(task.parameters, reads)
  const { sites, rank, alpha } = adapter.config
  const plan = makePlan({
    ...ROUND, slice, reads, local: LOCAL, state: hashArray(published),
    task: hashOf({ model: 'universal-sentence-encoder-lite int8', labels: LABELS, sites, rank, alpha, numerics }),
  })
  const tokens = (text: string) => tokenizer.encode(text.slice(0, MAX_CHARACTERS), MAX_TOKENS)
  const files = () => exportAdapter(task)
  return Object.freeze<Filter>({
    task, plan, files,
    threads: engine.team ? threads! : 1,
    classify(texts) {
      if (texts.length === 0) return []
      const logits = predict(task, task.pack(texts.map(tokens)))
      // for the eye only: no result depends on it
      return texts.map((_, i) => 1 / (1 + Math.exp(logits[2 * i] - logits[2 * i + 1])))
    },
    train: (mails, options) => openTraining(task, plan, published, {
      sequences: mails.map(({ text }) => tokens(text)), targets: Int32Array.from(mails, ({ label }) => task.labelIndex(label)),
    }, 0, options),
    values: () => readSlice(task.parameters, slice),
    restore(values) { writeSlice(task.parameters, slice, values) },
    reset() { writeSlice(task.parameters, reads, published) },
    hash: () => sha256(files()['adapter_model.safetensors'] as Uint8Array<ArrayBuffer>),
    memory: () => engine.arena.memory.buffer.byteLength,
  })
}

/** SHA-256 in hexadecimal. */
export async function sha256(bytes: BufferSource): Promise<string> {
  return Array.from(new Uint8Array(await crypto.subtle.digest('SHA-256', bytes)), byte => byte.toString(16).padStart(2, '0')).join('')
}

/** One line about a mail. */
export function titleOf(text: string): string {
  const line = text.trim().split('\n')[0]
  return line.length > 72 ? `${line.slice(0, 71)}…` : line
}
