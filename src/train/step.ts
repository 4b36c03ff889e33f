/**
 * One optimiser step, and prediction.
 * @module
 */
import { pieceOf } from '../model/batch.ts'
import type { TokenBatch } from '../model/batch.ts'
import type { Optimizer } from '../optim/optimizer.ts'
import type { Slice } from '../peft/slice.ts'
import type { Classifier } from './classifier.ts'
import { withGradients } from './gradients.ts'
import type { StepOptions, StepResult } from './gradients.ts'
import { inPieces } from './pieces.ts'

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
  const columns = task.labels.length
  const out = new Float32Array(batch.count * columns)
  inPieces(batch, task.encoder.engine, (from, to) => {
    const { pass, logits } = task.forward(pieceOf(batch, from, to), { rank })
    pass.graph.keep(logits)
    return { bytes: () => pass.graph.bytes, run: () => out.set(pass.graph.run(read => read(logits)), from * columns) }
  })
  return out
}
