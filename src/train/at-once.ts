/**
 * A client's whole training in one call of a kernel, where there is a kernel for it (assembly/kernels/linear-classifier.ts):
 * a head on vectors that stay as they are. With so little work in a step, what happens between two kernels is most of it.
 * @module
 */
import type { Encoder } from '../model/encoder.ts'
import type { FeatureEncoder } from '../model/features.ts'
import { tensorOf } from '../peft/slice.ts'
import type { Slice } from '../peft/slice.ts'
import { HEAD_BIAS, HEAD_WEIGHT } from './classifier.ts'
import type { Classifier } from './classifier.ts'

/** How the head is trained: plain SGD. */
export interface HeadTraining {
  readonly epochs: number
  readonly batchSize: number
  readonly learningRate: number
}

/** True where `trainAtOnce` knows the task: vectors, and the whole head alone. */
export function trainsAtOnce(task: Classifier, slice: Slice): boolean {
  const { encoder, head } = task
  if (!isFeatures(encoder) || encoder.engine.team || slice.parts.length !== 2) return false
  const [weight, bias] = slice.parts
  return weight.tensor === HEAD_WEIGHT && bias.tensor === HEAD_BIAS && head.bias !== undefined &&
    weight.from === 0 && weight.to === head.weight.outputs && bias.from === 0 && bias.to === head.weight.outputs
}

/**
 * Trains the head on rows of the encoder's vectors, with the bits of as many steps.
 *
 * @param rows - of all epochs, one after another; batches start anew with each epoch
 * @param classes - of these rows
 * @returns the sum of the steps' mean losses; undefined where some number is not finite, or a row or a class is none: then
 * nothing has moved, and the steps, one by one, will name it
 */
export function trainAtOnce(
  task: Classifier, slice: Slice, rows: Int32Array, classes: Int32Array, { epochs, batchSize, learningRate }: HeadTraining,
): number | undefined {
  const { parameters, labels, encoder } = task
  const { vectors, engine: { kernels, arena } } = encoder as FeatureEncoder
  if (!within(rows, vectors.rows) || !within(classes, labels.length)) return undefined
  const [weight, bias] = slice.parts.map(part => tensorOf(parameters, part))
  const V = labels.length, K = vectors.columns, count = rows.length / epochs, batch = Math.min(batchSize, count)
  const list = Math.ceil(rows.length / 16) * 64
  return arena.frame(64 + 2 * list + kernels['linear_classifier_scratch'](batch, V, K), loss => {
    arena.i32(loss + 64, rows.length).set(rows)
    arena.i32(loss + 64 + list, rows.length).set(classes)
    const done = kernels['linear_classifier_train'](weight.ptr, bias.ptr, vectors.ptr, loss + 64, loss + 64 + list,
      epochs, count, batch, V, K, learningRate, loss, loss + 64 + 2 * list)
    return done === 1 ? new Float64Array(arena.memory.buffer, loss, 1)[0] : undefined
  })
}

function within(values: Int32Array, end: number): boolean {
  for (let i = 0; i < values.length; i++) if (!(values[i] >= 0 && values[i] < end)) return false
  return true
}

function isFeatures(encoder: Encoder): encoder is FeatureEncoder { return 'vectors' in encoder }
