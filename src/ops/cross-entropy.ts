/**
 * Softmax cross-entropy against class indices (assembly/kernels/cross-entropy.ts).
 * @module
 */
import type { Value } from '../graph/value.ts'
import type { Pass } from './pass.ts'

/** Losses of the rows and class probabilities. */
export interface CrossEntropy {
  /** [M] */
  readonly losses: Value
  /** [M, V] */
  readonly probabilities: Value
}

/**
 * logits [M, V] against targets [M]. In a training pass it starts the way back: the gradient is that of
 * sum(losses) * weight, so weight 1 / M trains the mean.
 */
export function crossEntropy(pass: Pass, layer: string, logits: Value, targets: Value, weight: number): CrossEntropy {
  const { graph } = pass
  const [M, V] = logits.shape
  const losses = graph.value([M], false), probabilities = graph.value([M, V], false)
  graph.node({
    op: 'cross_entropy_forward', layer, outs: [losses, probabilities], ins: [logits, targets],
    absorbs: [logits],
    run: (k, at) => { k['cross_entropy_forward'](at(losses), at(probabilities), at(logits), at(targets), M, V) },
  })
  if (logits.trains) {
    const dlogits = graph.value([M, V], false)
    graph.node({
      op: 'cross_entropy_backward', layer, outs: [dlogits], ins: [probabilities, targets],
      run: (k, at) => { k['cross_entropy_backward'](at(dlogits), at(probabilities), at(targets), weight, M, V) },
    })
    graph.backward(logits, dlogits)
  }
  return { losses, probabilities }
}
