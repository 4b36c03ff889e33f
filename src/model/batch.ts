/**
 * Sequences of tokens packed one after another, without padding.
 * @module
 */
import { show } from '../assert.ts'
import type { Sequences } from '../ops/attention.ts'
import type { Graph } from '../graph/graph.ts'

/** Packed sequences. */
export interface TokenBatch {
  /** All token ids, one sequence after another: [M]. */
  readonly ids: Int32Array
  /** Sequence s holds ids[offsets[s] .. offsets[s + 1]]: [count + 1]. */
  readonly offsets: Int32Array
  readonly count: number
  readonly longest: number
}

/**
 * Packs sequences.
 *
 * @throws RangeError where there is none, where one is empty or longer than `maxTokens`, or where an id is no token.
 */
export function packSequences(
  sequences: readonly ArrayLike<number>[], limits: { maxTokens: number, vocabularySize: number },
): TokenBatch {
  if (sequences.length === 0) throw new RangeError('"sequences" expected at least one, got none; leave an empty batch out')
  const offsets = new Int32Array(sequences.length + 1)
  let longest = 0
  sequences.forEach((sequence, s) => {
    if (sequence.length === 0) throw new RangeError(`"sequences[${s}]" expected at least one token, got none; leave it out, or put in what the tokenizer gives for an empty text`)
    if (sequence.length > limits.maxTokens) {
      throw new RangeError(`"sequences[${s}]" expected at most ${limits.maxTokens} tokens, got ` +
        `${sequence.length}; truncate it`)
    }
    longest = Math.max(longest, sequence.length)
    offsets[s + 1] = offsets[s] + sequence.length
  })
  const ids = new Int32Array(offsets[sequences.length])
  sequences.forEach((sequence, s) => {
    for (let i = 0; i < sequence.length; i++) {
      const id = sequence[i]
      if (!(Number.isInteger(id) && id >= 0 && id < limits.vocabularySize)) {
        throw new RangeError(`"sequences[${s}][${i}]" expected a token from 0 to ${limits.vocabularySize - 1}, ` +
          `got ${show(id)}; ` +
          'use the tokenizer of this model')
      }
      ids[offsets[s] + i] = id
    }
  })
  return { ids, offsets, count: sequences.length, longest }
}

/** Sequences `from` .. `to` of a batch, as a batch of their own. */
export function pieceOf(batch: TokenBatch, from: number, to: number): TokenBatch {
  const start = batch.offsets[from]
  const offsets = batch.offsets.slice(from, to + 1).map(offset => offset - start)
  let longest = 0
  for (let s = from; s < to; s++) longest = Math.max(longest, batch.offsets[s + 1] - batch.offsets[s])
  return { ids: batch.ids.subarray(start, batch.offsets[to]), offsets, count: to - from, longest }
}

/** RangeError where the sequences do not tile the ids: kernels trust them. */
export function checkBatch({ offsets, count, longest, ids }: TokenBatch): void {
  let fits = offsets.length === count + 1 && offsets[0] === 0 && offsets[count] === ids.length
  for (let s = 0; fits && s < count; s++) fits = offsets[s] < offsets[s + 1] && offsets[s + 1] - offsets[s] <= longest
  if (!fits) {
    throw new RangeError('"batch" expected offsets that rise from 0 to the number of ids, got others; make it ' +
      'with packSequences')
  }
}

/** The sequences of a batch as an input of a graph. */
export function sequencesOf(graph: Graph, batch: TokenBatch): Sequences {
  checkBatch(batch)
  return { offsets: graph.input(batch.offsets), count: batch.count, longest: batch.longest }
}

/** Index of each token in its sequence, plus `first`. */
export function positionsOf(batch: TokenBatch, first: number): Int32Array {
  const positions = new Int32Array(batch.ids.length)
  for (let s = 0; s < batch.count; s++) {
    for (let i = batch.offsets[s]; i < batch.offsets[s + 1]; i++) positions[i] = first + i - batch.offsets[s]
  }
  return positions
}
