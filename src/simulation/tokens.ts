/**
 * All texts of a simulation as tokens: each text once, clients first, then the test set.
 * @module
 */
import type { Client, Example } from '../data/example.ts'
import type { Task } from './task.ts'
import type { TokenStore } from './worker.ts'

/** Tokens, and which examples are whose. */
export interface TokenizedPopulation {
  readonly store: TokenStore
  /** Numbers of each client's examples. */
  readonly clients: readonly (readonly number[])[]
  /** Numbers of the test examples. */
  readonly test: readonly number[]
}

/** Tokenises a population with the task's tokenizer, texts cut to `maxTokens`. */
export function tokenize(task: Task, clients: readonly Client[], test: readonly Example[], maxTokens: number): TokenizedPopulation {
  const { tokenizer, classifier } = task
  const most = Math.min(maxTokens, classifier.encoder.maxTokens)
  const sequences: Int32Array[] = []
  const targets: number[] = []
  const add = ({ text, label }: Example): number => {
    targets.push(classifier.labelIndex(label))
    return sequences.push(tokenizer.encode(text, most)) - 1
  }
  const owned = clients.map(({ examples }) => examples.map(add))
  const held = test.map(add)
  const offsets = new Int32Array(sequences.length + 1)
  sequences.forEach((sequence, i) => { offsets[i + 1] = offsets[i] + sequence.length })
  const ids = new Int32Array(offsets[sequences.length])
  sequences.forEach((sequence, i) => ids.set(sequence, offsets[i]))
  return Object.freeze({ store: { ids, offsets, targets: Int32Array.from(targets) }, clients: owned, test: held })
}
