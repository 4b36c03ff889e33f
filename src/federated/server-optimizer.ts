/**
 * How a release moves the shared parameters: the noised mean update is a step that an optimiser takes, on the slice alone.
 * `sgd` with rate 1 is federated averaging (arXiv 1602.05629), AdamW without decay is FedAdam (arXiv 2003.00295).
 * @module
 */
import { adamw, sgd } from '../optim/optimizer.ts'
import type { Optimizer } from '../optim/optimizer.ts'
import type { Parameters, Slice, SlicePart } from '../peft/slice.ts'
import type { Engine } from '../wasm/engine.ts'

/** Settings of the server's optimiser. */
export type ServerOptimizer =
  | { readonly optimizer: 'sgd', readonly learningRate: number, readonly momentum?: number }
  | { readonly optimizer: 'adam', readonly learningRate: number, readonly beta1?: number, readonly beta2?: number, readonly eps?: number }

/** The optimiser of these settings. */
export function serverOptimizer(settings: ServerOptimizer): Optimizer {
  const { optimizer, ...rest } = settings
  return optimizer === 'sgd' ? sgd(rest) : adamw({ eps: 1e-4, beta2: 0.99, ...rest, weightDecay: 0 })
}

/** Applies a mean update [slice.length]: its negative is the gradient. */
export function applyUpdate(engine: Engine, parameters: Parameters, slice: Slice, optimizer: Optimizer, mean: Float32Array): void {
  if (mean.length !== slice.length) throw new RangeError(`"mean" expected ${slice.length} numbers, got ${mean.length}`)
  optimizer.prepare(parameters, slice)
  const { kernels, arena } = engine
  arena.frame(mean.length * 4, ptr => {
    arena.f32(ptr, mean.length).set(mean)
    kernels['scale'](ptr, ptr, -1, mean.length)
    const at = new Map<SlicePart, number>()
    let offset = ptr
    for (const part of slice.parts) {
      at.set(part, offset)
      offset += (part.to - part.from) * part.columns * 4
    }
    for (const part of slice.parts) optimizer.step(parameters, part, at.get(part)!)
  })
}
