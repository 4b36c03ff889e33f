/**
 * One pass of a model over a batch: the graph, which tensors train and how far, which sites carry a low-rank pair, and
 * the dropout of this step. Models are written against this and know nothing of adapters.
 * @module
 */
import { aNumber, anOptions, show } from '../assert.ts'
import type { Graph, Place } from '../graph/graph.ts'
import type { Value } from '../graph/value.ts'
import type { Tensor } from '../tensor/tensor.ts'
import { Reading } from './reading.ts'
import type { Weight } from './weight.ts'

/** A linear layer that an adapter can attach to. */
export interface Site {
  /** As the model names it, e.g. `encoder.layer.0.attention.self.query`. */
  readonly name: string
  readonly weight: Weight
  readonly bias: Tensor | undefined
}

/** The low-rank pair of a site as this pass uses it: the first `rank` rows of A and Bt. */
export interface LowRank {
  /** [R, inputs] */
  readonly A: Tensor
  /** [R, outputs]: B transposed, so that a rank is a row of both. */
  readonly Bt: Tensor
  readonly rank: number
  readonly scale: number
}

/** Rows `from` .. `to` of a tensor. */
export interface Rows {
  readonly from: number
  readonly to: number
}

/** Dropout of a training pass: the mask is a function of key, stream and element, so it can be replayed. */
export interface Dropout {
  readonly rate: number
  /** Number of the pass's first row in the whole batch, where this is a piece of one. */
  readonly first?: number
  readonly key: readonly [number, number]
}

/** What a pass is made with. */
export interface PassOptions {
  readonly graph: Graph
  /** Rows that train, per tensor; none: inference. */
  readonly trained?: ReadonlyMap<Tensor, Rows>
  /** Where the gradient of a trained tensor is collected, for batches in pieces; default: in the pass's own memory. */
  readonly collect?: (tensor: Tensor) => Place | undefined
  /** The pair of a site, if it has one. */
  readonly lowRank?: (site: Site) => LowRank | undefined
  readonly dropout?: Dropout
}

/** A pass under way. */
export class Pass {
  readonly graph: Graph
  readonly #trained: ReadonlyMap<Tensor, Rows>
  readonly #lowRank: (site: Site) => LowRank | undefined
  readonly #collect: (tensor: Tensor) => Place | undefined
  readonly #values = new Map<Tensor, Value>()
  readonly #readings = new Map<Value, Reading>()
  readonly dropout: Dropout | undefined
  #streams = 0

  constructor({ graph, trained = new Map(), lowRank = () => undefined, collect = () => undefined, dropout }: PassOptions) {
    this.graph = graph
    this.#trained = trained
    this.#lowRank = lowRank
    this.#collect = collect
    if (dropout !== undefined) checkDropout(dropout)
    this.dropout = dropout && dropout.rate > 0 ? dropout : undefined
  }

  /** The rows of a tensor that train, or undefined. */
  trained(tensor: Tensor): Rows | undefined { return this.#trained.get(tensor) }

  /** A parameter as a value of the graph: always the same value, so that its gradients add up. */
  parameter(tensor: Tensor): Value {
    let value = this.#values.get(tensor)
    if (value === undefined) {
      value = this.graph.fixed(tensor.ptr, tensor.shape, this.#trained.has(tensor))
      const place = value.trains ? this.#collect(tensor) : undefined
      if (place) this.graph.collect(value, place)
      this.#values.set(tensor, value)
    }
    return value
  }

  /** The gradient of a trained tensor's rows, once `backward` has been built; undefined where nothing flowed. */
  gradient(tensor: Tensor): Value | undefined {
    const value = this.#values.get(tensor)
    return value && this.graph.gradient(value)
  }

  /** The low-rank pair of a site, or undefined. */
  lowRank(site: Site): LowRank | undefined { return this.#lowRank(site) }

  /** What linear layers share that read x. */
  reading(x: Value, layer: string): Reading {
    let reading = this.#readings.get(x)
    if (reading === undefined) this.#readings.set(x, reading = new Reading(this.graph, x, layer))
    return reading
  }

  /** A number for each use of dropout in a pass, in order. */
  nextStream(): number { return this.#streams++ }
}

function checkDropout(dropout: Dropout): void {
  const { rate, key } = anOptions('dropout', dropout, ['rate', 'first', 'key'])
  aNumber('dropout rate', rate, 0, 1 - 2 ** -24)
  if (!Array.isArray(key) || key.length !== 2 || !key.every(Number.isInteger)) {
    throw new TypeError(`"dropout.key" expected two integers, got ${show(key)}; the same key and rows give the same mask`)
  }
}
