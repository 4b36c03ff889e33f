/**
 * Loss and gradients of a batch, collected over its pieces.
 * @module
 */
import { aNumber, anOptions, show } from '../assert.ts'
import { NumericError } from '../errors.ts'
import type { Place } from '../graph/graph.ts'
import { pieceOf } from '../model/batch.ts'
import type { TokenBatch } from '../model/batch.ts'
import { crossEntropy } from '../ops/cross-entropy.ts'
import type { Dropout } from '../ops/pass.ts'
import { tensorOf, trainedRows } from '../peft/slice.ts'
import type { Slice, SlicePart } from '../peft/slice.ts'
import type { Tensor } from '../tensor/tensor.ts'
import { argmaxRows } from './argmax.ts'
import type { Classifier } from './classifier.ts'
import { graphsOf, sliceKey } from './graph-cache.ts'
import type { GradientGraph } from './graph-cache.ts'
import { inPieces } from './pieces.ts'
import type { Piece } from './pieces.ts'
import type { PrefixCache } from './prefix-cache.ts'

/** What a step reports. */
export interface StepResult {
  /** Mean cross-entropy of the batch, before the step. */
  readonly loss: number
  /** How many of the batch were classified right, before the step. */
  readonly correct: number
  /** L2 norm of the gradient of the whole slice, before it is clipped. */
  readonly gradientNorm: number
}

/** Options of a step. */
export interface StepOptions {
  readonly dropout?: Dropout | undefined
  /** Scales the gradient down to this L2 norm where it is larger. */
  readonly maxGradientNorm?: number | undefined
  /** Activations that earlier epochs of the same training have left, and a number for each sequence of the batch. */
  readonly prefix?: { readonly cache: PrefixCache, readonly examples: readonly number[] } | undefined
}

/** Addresses of the gradient of each part, valid inside `use` only. */
export type Gradients = ReadonlyMap<SlicePart, number>

/** The gradient of a part: where it is collected, and whether anything flowed there. */
interface Collected {
  readonly part: SlicePart
  /** Bytes from the start of the block. */
  readonly offset: number
  /** Elements: the rows of a part of an adapter, all rows of any other tensor. */
  readonly length: number
  /** Bytes from `offset` to the part's first row. */
  readonly skip: number
  started: boolean
}

/**
 * Computes loss and gradient of the mean loss over a batch, and hands the gradients to `use`.
 *
 * @throws NumericError where anything is not finite; `use` has not been called then.
 * @throws RangeError where not even one sequence fits the memory
 */
export function withGradients<R>(
  task: Classifier, batch: TokenBatch, targets: Int32Array, slice: Slice, options: StepOptions,
  use: (gradients: Gradients, result: StepResult) => R,
): R {
  checkStep(task, batch, targets, options)
  const { kernels, arena } = task.encoder.engine
  const { places, bytes } = placesOf(task, slice)
  return arena.frame(bytes, base => {
    const losses = new Float32Array(batch.count), probabilities = new Float32Array(batch.count * task.labels.length)
    inPieces(batch, task.encoder.engine, (from, to) => gradientGraph(task, batch, targets, slice, options, places, base, from, to, (one, many) => {
      losses.set(one, from)
      probabilities.set(many, from * task.labels.length)
    }))
    const gradients = new Map<SlicePart, number>()
    let squares = 0
    for (const { part, offset, length, skip, started } of places.values()) {
      // a part that no path reaches (a table that this batch does not use) has a gradient of zeros
      if (!started) kernels['zero'](base + offset, length)
      gradients.set(part, base + offset + skip)
      if (started) squares += kernels['sum_squares'](base + offset + skip, sizeOf(part))
    }
    const gradientNorm = Math.sqrt(squares)
    clip(task, gradients, gradientNorm, options.maxGradientNorm)
    const correct = argmaxRows(probabilities, task.labels.length).reduce((count, best, i) => count + (best === targets[i] ? 1 : 0), 0)
    let sum = 0
    for (const loss of losses) sum += loss
    return use(gradients, { loss: sum / losses.length, correct, gradientNorm })
  })
}

const sizeOf = (part: SlicePart): number => (part.to - part.from) * part.columns

function checkStep(task: Classifier, batch: TokenBatch, targets: Int32Array, options: StepOptions): void {
  anOptions('step', options, ['dropout', 'maxGradientNorm', 'prefix'])
  if (!(targets instanceof Int32Array)) throw new TypeError(`"targets" expected an Int32Array, got ${show(targets)}`)
  if (options.maxGradientNorm !== undefined) aNumber('maxGradientNorm', options.maxGradientNorm, Number.MIN_VALUE)
  if (targets.length !== batch.count) {
    throw new RangeError(`"targets" expected ${batch.count} classes, got ${targets.length}`)
  }
  for (const target of targets) {
    if (!(target >= 0 && target < task.labels.length)) {
      throw new RangeError(`"targets" expected classes from 0 to ${task.labels.length - 1}, got ${target}`)
    }
  }
}

/** One block for the gradients of all parts. */
function placesOf(task: Classifier, slice: Slice): { places: Map<Tensor, Collected>, bytes: number } {
  const factors = new Set(task.adapter?.pairs.flatMap(({ A, Bt }) => [A, Bt]))
  const places = new Map<Tensor, Collected>()
  let bytes = 0
  for (const part of slice.parts) {
    const tensor = tensorOf(task.parameters, part), factor = factors.has(tensor)
    const length = factor ? sizeOf(part) : tensor.length
    places.set(tensor, { part, offset: bytes, length, skip: factor ? 0 : part.from * part.columns * 4, started: false })
    bytes += Math.ceil(length * 4 / 64) * 64
  }
  return { places, bytes }
}

/** Forward and backward of sequences `from` .. `to`, ready to run: built, or one of the same shape with other numbers. */
function gradientGraph(
  task: Classifier, batch: TokenBatch, targets: Int32Array, slice: Slice, options: StepOptions,
  places: ReadonlyMap<Tensor, Collected>, base: number, from: number, to: number,
  after: (losses: Float32Array, probabilities: Float32Array) => void,
): Piece {
  const { dropout, prefix } = options
  const sequences = pieceOf(batch, from, to), classes = targets.slice(from, to)
  const kept = graphsOf(task)
  // the numbers of dropout are part of the graph
  const key = dropout === undefined && inVocabulary(sequences.ids, task)
    ? [sliceKey(slice), batch.count, base, from === 0, prefix !== undefined, sequences.offsets.join()].join('|') : undefined
  let built = key === undefined ? undefined : kept.take(key)
  let remember: ReturnType<PrefixCache['attach']>
  if (built) {
    built.graph.replace(built.ids, sequences.ids)
    built.graph.replace(built.classes, classes)
    built = { ...built, ids: sequences.ids, classes }
  } else {
    built = buildGraph(task, sequences, classes, slice, dropout && { ...dropout, first: batch.offsets[from] }, 1 / batch.count, tensor => {
      const place = places.get(tensor)
      return place && { ptr: base + place.offset, started: place.started }
    })
    remember = prefix?.cache.attach(built.graph, sequences, prefix.examples.slice(from, to))
  }
  if (key !== undefined && remember === undefined) kept.keep(key, built)
  const { graph, reached, losses, probabilities } = built
  return {
    bytes: () => graph.bytes,
    fit: bytes => graph.fit(bytes),
    run: () => graph.run(read => {
      for (const tensor of reached) places.get(tensor)!.started = true
      remember?.(read)
      after(read(losses), read(probabilities))
    }),
  }
}

/** @param weight - of each loss: the mean is over the whole batch, whatever the pieces are */
function buildGraph(
  task: Classifier, sequences: TokenBatch, classes: Int32Array, slice: Slice, dropout: Dropout | undefined, weight: number,
  collect: (tensor: Tensor) => Place | undefined,
): GradientGraph {
  const trained = trainedRows(task.parameters, slice)
  const { pass, logits } = task.forward(sequences, { trained, rank: slice.rank, dropout, collect })
  const { graph } = pass
  const { losses, probabilities } = crossEntropy(pass, 'loss', logits, graph.input(classes), weight)
  graph.keep(losses)
  graph.keep(probabilities)
  const reached = [...trained.keys()].filter(tensor => {
    const gradient = pass.gradient(tensor)
    if (gradient) graph.keep(gradient)
    return gradient !== undefined
  })
  return { graph, ids: sequences.ids, classes, losses, probabilities, reached }
}

/** Building looks at each token: what is no token must be built, and refused. */
function inVocabulary(ids: Int32Array, { encoder }: Classifier): boolean {
  for (const id of ids) if (!(id >= 0 && id < encoder.vocabularySize)) return false
  return true
}

function clip(task: Classifier, gradients: Gradients, norm: number, most: number | undefined): void {
  // its square, which AdamW keeps, would overflow in f32 and stay infinite
  if (!(Math.min(norm, most ?? Infinity) < 2 ** 60)) throw new NumericError('gradient_norm', 'slice', String(norm))
  if (most === undefined || norm <= most) return
  for (const [part, address] of gradients) task.encoder.engine.kernels['scale'](address, address, most / norm, sizeOf(part))
}
