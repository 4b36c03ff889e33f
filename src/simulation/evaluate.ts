/**
 * How well the model of a simulation classifies, on all threads.
 * @module
 */
import { readSlice } from '../peft/slice.ts'
import type { Slice } from '../peft/slice.ts'
import { random } from '../random.ts'
import type { Pool } from './pool.ts'
import type { TokenStore } from './worker.ts'

/** Classes that the current parameters give to examples, in their order. @param reads - what the forward pass reads */
export async function predictAll(pool: Pool, reads: Slice, examples: readonly number[]): Promise<Int32Array> {
  const state = sharedCopy(readSlice(pool.task.classifier.parameters, reads), pool)
  const chunk = Math.max(8, Math.ceil(examples.length / (pool.threads * 4)))
  const jobs = Array.from({ length: Math.ceil(examples.length / chunk) }, (_, i) => ({
    kind: 'evaluate' as const, reads, state, batchTokens: 1024, examples: examples.slice(i * chunk, (i + 1) * chunk),
  }))
  const predicted = new Int32Array(examples.length)
  let at = 0
  for await (const part of pool.run(jobs)) {
    predicted.set(part.predicted, at)
    at += part.predicted.length
  }
  return predicted
}

/** The part of the test set that is looked at between rounds, drawn by the seed. */
export function probeOf(seed: number, test: readonly number[], count: number): number[] {
  return random(seed, 'probe').shuffle([...test]).slice(0, count)
}

/** Share of examples that are classified right. */
export async function accuracyOf(pool: Pool, store: TokenStore, reads: Slice, examples: readonly number[]): Promise<number> {
  const predicted = await predictAll(pool, reads, examples)
  return examples.filter((e, i) => store.targets[e] === predicted[i]).length / examples.length
}

/** Examples by [true class][predicted class]. */
export async function confusionOf(pool: Pool, store: TokenStore, reads: Slice, examples: readonly number[]): Promise<number[][]> {
  const predicted = await predictAll(pool, reads, examples)
  const { labels } = pool.task.classifier
  const confusion = labels.map(() => labels.map(() => 0))
  examples.forEach((e, i) => { confusion[store.targets[e]][predicted[i]]++ })
  return confusion
}

/** Share of a confusion matrix that lies on its diagonal. */
export function rightShare(confusion: readonly (readonly number[])[]): number {
  const all = confusion.reduce((sum, row) => sum + row.reduce((a, b) => a + b, 0), 0)
  return confusion.reduce((sum, row, i) => sum + row[i], 0) / all
}

/** Values that are sent to several threads lie in memory that they share. */
export function sharedCopy(values: Float32Array, pool: Pool): Float32Array {
  if (pool.threads === 1) return values
  const out = new Float32Array(new SharedArrayBuffer(values.byteLength))
  out.set(values)
  return out
}
