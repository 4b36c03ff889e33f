/**
 * Graphs of training steps, kept for the next piece of a batch that has sequences of the same lengths: then only the numbers
 * are other ones. With small models, building the graph takes longer than running it.
 * @module
 */
import type { Graph } from '../graph/graph.ts'
import type { Value } from '../graph/value.ts'
import type { Slice } from '../peft/slice.ts'
import type { Tensor } from '../tensor/tensor.ts'
import type { Classifier } from './classifier.ts'

/** Forward and backward of some sequences. */
export interface GradientGraph {
  readonly graph: Graph
  /** Its inputs as they are now. */
  readonly ids: Int32Array
  readonly classes: Int32Array
  readonly losses: Value
  readonly probabilities: Value
  /** Tensors to which a gradient flows. */
  readonly reached: readonly Tensor[]
}

/** Texts rarely have the same lengths: a few graphs are all that is worth keeping. */
const MOST = 8

/** The graphs of a task. Least recently used goes first. */
class GraphCache {
  readonly #graphs = new Map<string, GradientGraph>()

  /** Takes the graph out: it is busy until it is put back. */
  take(key: string): GradientGraph | undefined {
    const found = this.#graphs.get(key)
    this.#graphs.delete(key)
    return found
  }

  keep(key: string, graph: GradientGraph): void {
    this.#graphs.set(key, graph)
    if (this.#graphs.size > MOST) this.#graphs.delete(this.#graphs.keys().next().value!)
  }
}

const caches = new WeakMap<Classifier, GraphCache>()

/** The graphs of a task. */
export function graphsOf(task: Classifier): GraphCache {
  let cache = caches.get(task)
  if (cache === undefined) caches.set(task, cache = new GraphCache())
  return cache
}

const keys = new WeakMap<Slice, string>()

/** A slice in words: equal slices have equal ones. */
export function sliceKey(slice: Slice): string {
  let key = keys.get(slice)
  if (key === undefined) keys.set(slice, key = JSON.stringify([slice.rank, slice.parts.map(({ tensor, from, to }) => [tensor, from, to])]))
  return key
}
