/**
 * One optimiser step, and prediction.
 * @module
 */
import { aNumber, anOptions, show } from '../assert.ts'
import { NumericError } from '../errors.ts'
import type { TokenBatch } from '../model/batch.ts'
import { crossEntropy } from '../ops/cross-entropy.ts'
import type { Dropout } from '../ops/pass.ts'
import type { Optimizer } from '../optim/optimizer.ts'
import { tensorOf, trainedRows } from '../peft/slice.ts'
import type { Slice, SlicePart } from '../peft/slice.ts'
import type { Classifier } from './classifier.ts'

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
}

/** Addresses of the gradient of each part, valid inside `use` only. */
export type Gradients = ReadonlyMap<SlicePart, number>

/**
 * Computes loss and gradient of the mean loss over a batch, and hands the gradients to `use`.
 *
 * @throws NumericError where anything is not finite; `use` has not been called then.
 */
export function withGradients<R>(
  task: Classifier, batch: TokenBatch, targets: Int32Array, slice: Slice, options: StepOptions,
  use: (gradients: Gradients, result: StepResult) => R,
): R {
  anOptions('step', options, ['dropout', 'maxGradientNorm'])
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
  const { kernels } = task.encoder.engine
  const { pass, logits } = task.forward(batch, {
    trained: trainedRows(task.parameters, slice), rank: slice.rank, dropout: options.dropout,
  })
  const { graph } = pass
  const entropy = crossEntropy(pass, 'loss', logits, graph.input(targets), 1 / batch.count)
  graph.keep(entropy.losses)
  graph.keep(entropy.probabilities)
  const values = slice.parts.map(part => {
    const gradient = pass.gradient(tensorOf(task.parameters, part))
    return gradient && graph.keep(gradient)
  })
  const length = (part: SlicePart) => (part.to - part.from) * part.columns
  // a part that no path reaches (a table that this batch does not use) has a gradient of zeros
  const idle = slice.parts.reduce((most, part, i) => values[i] ? most : Math.max(most, length(part)), 0)
  const zeros = idle > 0 ? graph.input(new Float32Array(idle)) : undefined
  return graph.run((read, at) => {
    const losses = read(entropy.losses), probabilities = read(entropy.probabilities)
    let sum = 0, squares = 0
    for (const loss of losses) sum += loss
    const gradients = new Map<SlicePart, number>()
    slice.parts.forEach((part, i) => {
      const value = values[i]
      // a dense tensor has the gradient of all its rows, a low-rank factor that of the rows that train
      const address = value ? at(value) + (value.length === length(part) ? 0 : part.from * part.columns * 4) : at(zeros!)
      if (value) squares += kernels['sum_squares'](address, length(part))
      gradients.set(part, address)
    })
    const gradientNorm = Math.sqrt(squares)
    // its square, which AdamW keeps, would overflow in f32 and stay infinite
    if (!(Math.min(gradientNorm, options.maxGradientNorm ?? Infinity) < 2 ** 60)) {
      throw new NumericError('gradient_norm', 'slice', String(gradientNorm))
    }
    if (options.maxGradientNorm !== undefined && gradientNorm > options.maxGradientNorm) {
      const factor = options.maxGradientNorm / gradientNorm
      const scaled = new Set<number>()
      for (const [part, address] of gradients) {
        // two parts may have one gradient
        if (!scaled.has(address)) kernels['scale'](address, address, factor, length(part))
        scaled.add(address)
      }
    }
    const correct = countCorrect(probabilities, targets, task.labels.length)
    return use(gradients, { loss: sum / losses.length, correct, gradientNorm })
  })
}

/** One step of an optimiser on a slice. Nothing moves if it throws. */
export function trainStep(
  task: Classifier, batch: TokenBatch, targets: Int32Array, slice: Slice, optimizer: Optimizer, options: StepOptions = {},
): StepResult {
  optimizer.prepare(task.parameters, slice)
  return withGradients(task, batch, targets, slice, options, (gradients, result) => {
    for (const part of slice.parts) optimizer.step(task.parameters, part, gradients.get(part)!)
    return result
  })
}

/** Logits [count, labels] of a batch. */
export function predict(task: Classifier, batch: TokenBatch, rank?: number): Float32Array {
  const { pass, logits } = task.forward(batch, { rank })
  pass.graph.keep(logits)
  return pass.graph.run(read => read(logits))
}

/** Index of the largest of each row; the first of equals. */
export function argmaxRows(values: Float32Array, columns: number): Int32Array {
  const out = new Int32Array(values.length / columns)
  for (let row = 0; row < out.length; row++) {
    for (let j = 1; j < columns; j++) {
      if (values[row * columns + j] > values[row * columns + out[row]]) out[row] = j
    }
  }
  return out
}

function countCorrect(probabilities: Float32Array, targets: Int32Array, columns: number): number {
  return argmaxRows(probabilities, columns).reduce((count, best, i) => count + (best === targets[i] ? 1 : 0), 0)
}
