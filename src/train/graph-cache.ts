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

interface Slot {
  key: string
  /** Undefined while it is in use. */
  graph: GradientGraph | undefined
  used: number
}

/**
 * The graphs of a task. Least recently used goes first. In an array, not in a map that is deleted from and added to at each
 * step: a map makes itself anew every few times, and V8 keeps the old ones, and what they held, until the heap is full.
 */
class GraphCache {
  readonly #slots: Slot[] = []
  #time = 0

  /** Takes the graph out: it is busy until it is put back. */
  take(key: string): GradientGraph | undefined {
    const slot = this.#slots.find(one => one.key === key)
    const graph = slot?.graph
    if (slot) slot.graph = undefined
    return graph
  }

  keep(key: string, graph: GradientGraph): void {
    let slot = this.#slots.find(one => one.key === key)
    if (slot === undefined) {
      if (this.#slots.length < MOST) this.#slots.push(slot = { key, graph, used: 0 })
      else slot = this.#slots.reduce((oldest, one) => one.used < oldest.used ? one : oldest)
    }
    slot.key = key
    slot.graph = graph
    slot.used = ++this.#time
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
