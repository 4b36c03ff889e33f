/**
 * Activations below the lowest trained site, kept from epoch to epoch: while one client trains they are a function of the
 * example alone. What comes out of the cache has the bits of what went in, so no result depends on it.
 * @module
 */
import type { Graph } from '../graph/graph.ts'
import type { Value } from '../graph/value.ts'
import type { TokenBatch } from '../model/batch.ts'

/** What the cache may take, in bytes: a few hundred short texts. */
const MOST = 32 * 2 ** 20

/** Serves one training of one slice: anything else that changes the model makes it stale. */
export class PrefixCache {
  readonly #rows = new Map<number, Float32Array>()
  readonly #most: number
  #bytes = 0

  /** @param most - bytes; what does not fit is computed each time */
  constructor(most: number = MOST) { this.#most = most }

  /** Examples that are kept. */
  get size(): number { return this.#rows.size }

  /**
   * Lets a step start behind the frozen prefix if all its examples are known; else has the prefix kept. Call it when the
   * graph is complete, and what it returns, with the graph's reader, when it has run; undefined where there is no such prefix.
   *
   * @param examples - a number for each sequence of the batch, the same in every epoch
   */
  attach(graph: Graph, batch: TokenBatch, examples: readonly number[]): ((read: (value: Value) => Float32Array) => void) | undefined {
    const value = graph.frozenPrefix()
    if (value === undefined) return undefined
    const [rows, columns] = value.shape
    // a row for each token or, behind the pooling, for each text
    const ends = rows === batch.ids.length ? batch.offsets : Int32Array.from({ length: batch.count + 1 }, (_, i) => i)
    const known = examples.map(example => this.#rows.get(example))
    if (known.every(part => part !== undefined)) {
      const all = new Float32Array(rows * columns)
      known.forEach((part, s) => all.set(part, ends[s] * columns))
      graph.startFrom(value, all)
      return () => undefined
    }
    graph.keep(value)
    return read => {
      const all = read(value)
      examples.forEach((example, s) => this.#keep(example, all.slice(ends[s] * columns, ends[s + 1] * columns)))
    }
  }

  #keep(example: number, part: Float32Array): void {
    if (this.#rows.has(example) || this.#bytes + part.byteLength > this.#most) return
    this.#bytes += part.byteLength
    this.#rows.set(example, part)
  }
}
