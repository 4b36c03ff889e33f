/** Double-precision twin of assembly/kernels/linear-classifier.ts. */
import { columnSums } from './column-sums.ts'
import { crossEntropyBackward, crossEntropyForward } from './cross-entropy.ts'
import { sgdStep } from './optimizer.ts'
import type { Vec } from './vec.ts'

/** Softmax regression by SGD on rows of a table. */
export function linearClassifierTrain(
  start: { weight: Vec, bias: Vec }, table: Vec, ids: Vec, targets: Vec, epochs: number, count: number, batch: number, V: number, K: number, lr: number,
): { weight: Float64Array, bias: Float64Array, loss: number } {
  let weight: Float64Array = Float64Array.from(start.weight), bias: Float64Array = Float64Array.from(start.bias), loss = 0
  for (let epoch = 0; epoch < epochs; epoch++) {
    for (let from = 0; from < count; from += batch) {
      const M = Math.min(batch, count - from), at = epoch * count + from
      const x = (m: number, k: number) => table[ids[at + m] * K + k]
      const logits = new Float64Array(M * V), classes = Array.from({ length: M }, (_, m) => targets[at + m])
      for (let m = 0; m < M; m++) {
        for (let v = 0; v < V; v++) {
          logits[m * V + v] = bias[v]
          for (let k = 0; k < K; k++) logits[m * V + v] += x(m, k) * weight[v * K + k]
        }
      }
      const forward = crossEntropyForward(logits, classes, M, V), dlogits = crossEntropyBackward(forward.probs, classes, 1 / M, M, V)
      const dw = new Float64Array(V * K)
      for (let m = 0; m < M; m++) for (let v = 0; v < V; v++) for (let k = 0; k < K; k++) dw[v * K + k] += dlogits[m * V + v] * x(m, k)
      weight = sgdStep(weight, new Float64Array(V * K), dw, lr, 0, 0).param
      bias = sgdStep(bias, new Float64Array(V), columnSums(dlogits, M, V), lr, 0, 0).param
      loss += forward.loss.reduce((sum, one) => sum + one, 0) / M
    }
  }
  return { weight, bias, loss }
}
