/** Double-precision twin of assembly/kernels/cross-entropy.ts. */
import type { Vec } from './vec.ts'

export function crossEntropyForward(
  logits: Vec, targets: Vec, M: number, V: number,
): { loss: Float64Array, probs: Float64Array } {
  const loss = new Float64Array(M), probs = new Float64Array(M * V)
  for (let m = 0; m < M; m++) {
    let most = -Infinity, sum = 0
    for (let v = 0; v < V; v++) most = Math.max(most, logits[m * V + v])
    for (let v = 0; v < V; v++) sum += Math.exp(logits[m * V + v] - most)
    for (let v = 0; v < V; v++) probs[m * V + v] = Math.exp(logits[m * V + v] - most) / sum
    loss[m] = Math.log(sum) - (logits[m * V + targets[m]] - most)
  }
  return { loss, probs }
}

export function crossEntropyBackward(probs: Vec, targets: Vec, scale: number, M: number, V: number): Float64Array {
  const hit = (i: number) => i % V === targets[Math.floor(i / V)] ? 1 : 0
  return Float64Array.from({ length: M * V }, (_, i) => (probs[i] - hit(i)) * scale)
}
