/**
 * The task of text classification: an encoder, an adapter on it if there is one, and a linear head.
 *
 *   logits = pooled W^T + bias
 * @module
 */
import { anInteger, anOptions, aString, oneOf, show } from '../assert.ts'
import { Graph } from '../graph/graph.ts'
import type { Place } from '../graph/graph.ts'
import type { Value } from '../graph/value.ts'
import { packSequences } from '../model/batch.ts'
import type { TokenBatch } from '../model/batch.ts'
import type { Encoder } from '../model/encoder.ts'
import { linear } from '../ops/linear.ts'
import { Pass } from '../ops/pass.ts'
import type { Dropout, Rows, Site } from '../ops/pass.ts'
import { denseWeight } from '../ops/weight.ts'
import type { LoraAdapter } from '../peft/lora.ts'
import { makeSlice, wholePart } from '../peft/slice.ts'
import type { Parameters, Slice, SlicePart } from '../peft/slice.ts'
import { Tensor } from '../tensor/tensor.ts'

/** A classifier whose parameters lie in an engine's memory. */
export interface Classifier {
  readonly encoder: Encoder
  readonly adapter: LoraAdapter | undefined
  readonly labels: readonly string[]
  readonly head: Site
  /** Every tensor that may be part of a slice, by name. */
  readonly parameters: Parameters
  /** Index of a label; RangeError where there is none. */
  labelIndex(label: string): number
  /** Packs token sequences for this encoder. */
  pack(sequences: readonly ArrayLike<number>[]): TokenBatch
  /** Starts a pass and appends the forward graph up to the logits [count, labels]. */
  forward(batch: TokenBatch, options?: ForwardOptions): { pass: Pass, logits: Value }
}

/** How a forward pass is made. */
export interface ForwardOptions {
  readonly trained?: ReadonlyMap<Tensor, Rows>
  /** Rank prefix of the adapter; default: its maximum. */
  readonly rank?: number | undefined
  readonly dropout?: Dropout | undefined
  /** Where gradients are collected, for batches in pieces. */
  readonly collect?: (tensor: Tensor) => Place | undefined
}

/** Names of the head's tensors. */
export const HEAD_WEIGHT = 'head.weight', HEAD_BIAS = 'head.bias'

/** What a classifier is made of. */
export interface ClassifierParts {
  readonly encoder: Encoder
  readonly labels: readonly string[]
  readonly adapter?: LoraAdapter | undefined
  /** Values of the head, e.g. imported ones: weight [labels, width of an embedding], bias [labels]. */
  readonly head?: { readonly weight: Float32Array, readonly bias: Float32Array } | undefined
}

/**
 * A classifier. A head without values starts at zero: the first logits are all equal, the first gradient is the data's.
 *
 * @throws RangeError where labels repeat or are fewer than two, or the head's values are not of this size
 */
export function textClassifier(parts: ClassifierParts): Classifier {
  anOptions('classifier', parts, ['encoder', 'labels', 'adapter', 'head'])
  const { encoder, labels, adapter, head: values } = parts
  if (!Array.isArray(labels) || labels.length < 2) {
    throw new RangeError(`"labels" expected at least two names, got ${show(labels)}`)
  }
  labels.forEach((label, i) => aString(`labels[${i}]`, label))
  if (new Set(labels).size !== labels.length) {
    throw new RangeError(`"labels" expected different names, got ${show(labels)}`)
  }
  const weight = new Tensor(encoder.engine, HEAD_WEIGHT, [labels.length, encoder.embeddingWidth])
  const bias = new Tensor(encoder.engine, HEAD_BIAS, [labels.length])
  if (values) {
    weight.write(values.weight)
    bias.write(values.bias)
  }
  const head: Site = Object.freeze({ name: 'head', weight: denseWeight(weight), bias })
  const tensors = [...(adapter?.pairs.flatMap(({ A, Bt }) => [A, Bt]) ?? []), ...encoder.tensors, weight, bias]
  const index = new Map(labels.map((label, i) => [label, i]))
  return Object.freeze({
    encoder, adapter, head,
    labels: Object.freeze([...labels]),
    parameters: new Map(tensors.map(tensor => [tensor.name, tensor])),
    labelIndex(label: string) {
      const found = index.get(label)
      if (found === undefined) {
        throw new RangeError(`"label" expected one of ${labels.map(show).join(', ')}, got ${show(label)}`)
      }
      return found
    },
    pack: (sequences: readonly ArrayLike<number>[]) => packSequences(sequences, encoder),
    forward(batch: TokenBatch, { trained, rank, dropout, collect }: ForwardOptions = {}) {
      const pass = new Pass({
        graph: new Graph(encoder.engine),
        ...(trained && { trained }), ...(dropout && { dropout }), ...(collect && { collect }),
        ...(adapter && { lowRank: adapter.at(rank ?? adapter.config.rank) }),
      })
      return { pass, logits: linear(pass, encoder.embed(pass, batch), head) }
    },
  })
}

/** What a slice of a classifier is to hold. */
export interface SliceOptions {
  /** Rank prefix b; default: the adapter's maximum. */
  readonly rank?: number
  /** `prefix` trains rows 0 .. b, `row` only row b - 1, with the rest of the prefix frozen (DyLoRA's two variants). */
  readonly variant?: 'prefix' | 'row'
  /** LoRA: `both`; FFA-LoRA: `B`; RoLoRA: `A` and `B` in turn. */
  readonly factors?: 'both' | 'A' | 'B'
  /** Whether the head is part of it; default true. */
  readonly head?: boolean
}

/** The head alone, on an encoder that stays as it is. */
export function headSlice(task: Classifier): Slice { return makeSlice(headParts(task)) }

function headParts(task: Classifier): SlicePart[] {
  return [HEAD_WEIGHT, HEAD_BIAS].map(name => wholePart(task.parameters.get(name)!))
}

/**
 * A slice of the adapter and the head. Where there is no adapter: every tensor, that is full fine-tuning.
 *
 * @throws Error where there is no adapter and the model was not loaded to be trained
 */
export function sliceOf(task: Classifier, options: SliceOptions = {}): Slice {
  anOptions('slice', options, ['rank', 'variant', 'factors', 'head'])
  const { rank, head = true } = options
  const variant = oneOf('variant', options.variant ?? 'prefix', ['prefix', 'row'])
  const factors = oneOf('factors', options.factors ?? 'both', ['both', 'A', 'B'])
  const top = head ? headParts(task) : []
  if (task.adapter === undefined) {
    const frozen = task.encoder.sites.find(({ weight }) => weight.dense === undefined)
    if (frozen) {
      throw new Error(`slice expected an adapter, or a model whose weights can all be trained, got the frozen ` +
        `weight of "${frozen.name}"; ` +
        'attach an adapter, load the model with trainable: true, or train the head alone (headSlice)')
    }
    return makeSlice([...task.encoder.tensors.map(wholePart), ...top])
  }
  const b = anInteger('rank', rank ?? task.adapter.config.rank, 1, task.adapter.config.rank)
  return makeSlice([...task.adapter.parts(variant === 'row' ? b - 1 : 0, b, factors), ...top], b)
}
