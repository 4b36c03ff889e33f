/** Double-precision twin of assembly/kernels/optimizer.ts: torch.optim.SGD and AdamW, one step, new arrays. */
import type { Vec } from './vec.ts'

export function sgdStep(
  param: Vec, velocity: Vec, grad: Vec, lr: number, momentum: number, weightDecay: number,
): { param: Float64Array, velocity: Float64Array } {
  const moved = Float64Array.from(param, (p, i) => momentum * velocity[i] + grad[i] + weightDecay * p)
  return { param: Float64Array.from(param, (p, i) => p - lr * moved[i]), velocity: moved }
}

export function adamwStep(
  param: Vec, m: Vec, v: Vec, grad: Vec, lr: number, beta1: number, beta2: number, eps: number,
  weightDecay: number, correction1: number, correction2: number,
): { param: Float64Array, m: Float64Array, v: Float64Array } {
  const first = Float64Array.from(m, (x, i) => beta1 * x + (1 - beta1) * grad[i])
  const second = Float64Array.from(v, (x, i) => beta2 * x + (1 - beta2) * grad[i] ** 2)
  return {
    m: first, v: second,
    param: Float64Array.from(param, (p, i) =>
      p * (1 - lr * weightDecay) - lr / correction1 * first[i] / (Math.sqrt(second[i]) / Math.sqrt(correction2) + eps)),
  }
}
