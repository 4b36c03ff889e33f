/**
 * Optimisers over slices: only the rows of a slice move, and only their state; no momentum, no weight decay, not one bit
 * elsewhere.
 * @module
 */
import { aNumber, anOptions } from '../assert.ts'
import { tensorOf } from '../peft/slice.ts'
import type { Parameters, Slice, SlicePart } from '../peft/slice.ts'
import { Tensor } from '../tensor/tensor.ts'

/** Steps one part of a slice; its gradient [rows, columns] lies at an address of the same engine. */
export interface Optimizer {
  readonly name: string
  /** Makes the state of a slice's tensors; before the step, since a step's memory is planned whole. */
  prepare(parameters: Parameters, slice: Slice): void
  step(parameters: Parameters, part: SlicePart, gradient: number): void
  /** Forgets all state; its memory serves the next optimiser on the same tensors. */
  reset(): void
}

/** Options of SGD. */
export interface SgdOptions {
  readonly learningRate: number
  readonly momentum?: number
  readonly weightDecay?: number
}

/** SGD as in PyTorch: g += weightDecay * p; v = momentum * v + g; p -= learningRate * v. */
export function sgd(options: SgdOptions): Optimizer {
  anOptions('sgd', options, ['learningRate', 'momentum', 'weightDecay'])
  const lr = aNumber('learningRate', options.learningRate, 0)
  const momentum = aNumber('momentum', options.momentum ?? 0, 0, 1)
  const decay = aNumber('weightDecay', options.weightDecay ?? 0, 0)
  const state = stateOf('velocity')
  return Object.freeze({
    name: 'sgd',
    prepare(parameters: Parameters, slice: Slice) {
      if (momentum !== 0) for (const part of slice.parts) state.of(tensorOf(parameters, part))
    },
    step(parameters: Parameters, part: SlicePart, gradient: number) {
      const tensor = tensorOf(parameters, part)
      const skip = part.from * part.columns * 4, n = (part.to - part.from) * part.columns
      const velocity = momentum === 0 ? 0 : state.of(tensor).ptr + skip
      tensor.engine.kernels['sgd_step'](tensor.ptr + skip, velocity, gradient, n, lr, momentum, decay)
    },
    reset: state.reset,
  })
}

/** Options of AdamW. */
export interface AdamWOptions {
  readonly learningRate: number
  readonly beta1?: number
  readonly beta2?: number
  readonly eps?: number
  readonly weightDecay?: number
}

/** The largest beta: at 1 the bias correction divides by zero. */
const BELOW_ONE = 1 - 2 ** -24

/**
 * AdamW (arXiv 1711.05101) as in PyTorch. Bias correction counts the steps of each row, since rows of a varying slice
 * do not all step every time.
 */
export function adamw(options: AdamWOptions): Optimizer {
  anOptions('adamw', options, ['learningRate', 'beta1', 'beta2', 'eps', 'weightDecay'])
  const lr = aNumber('learningRate', options.learningRate, 0)
  const beta1 = aNumber('beta1', options.beta1 ?? 0.9, 0, BELOW_ONE), beta2 = aNumber('beta2', options.beta2 ?? 0.999, 0, BELOW_ONE)
  const eps = aNumber('eps', options.eps ?? 1e-8, 2 ** -126), decay = aNumber('weightDecay', options.weightDecay ?? 0.01, 0)
  const first = stateOf('first moment'), second = stateOf('second moment')
  const counts = new Map<Tensor, Int32Array>()
  return Object.freeze({
    name: 'adamw',
    prepare(parameters: Parameters, slice: Slice) {
      for (const part of slice.parts) {
        first.of(tensorOf(parameters, part))
        second.of(tensorOf(parameters, part))
      }
    },
    step(parameters: Parameters, part: SlicePart, gradient: number) {
      const tensor = tensorOf(parameters, part)
      const m = first.of(tensor).ptr, v = second.of(tensor).ptr
      const steps = counts.get(tensor) ?? new Int32Array(tensor.rows)
      counts.set(tensor, steps)
      for (let from = part.from; from < part.to;) {
        let to = from + 1
        while (to < part.to && steps[to] === steps[from]) to++
        const skip = from * part.columns * 4, n = (to - from) * part.columns
        const t = steps[from] + 1
        tensor.engine.kernels['adamw_step'](tensor.ptr + skip, m + skip, v + skip,
          gradient + (from - part.from) * part.columns * 4, n, lr, beta1, beta2, eps, decay, 1 - power(beta1, t), 1 - power(beta2, t))
        steps.fill(t, from, to)
        from = to
      }
    },
    reset() {
      first.reset()
      second.reset()
      counts.clear()
    },
  })
}

/** State tensors that optimisers have given back, by the tensor whose state they were: clients come and go. */
const idle = new WeakMap<Tensor, Tensor[]>()

/** State tensors, zero when they are first needed. */
function stateOf(name: string): { of(tensor: Tensor): Tensor, reset: () => void } {
  const tensors = new Map<Tensor, Tensor>()
  return {
    of(tensor) {
      let state = tensors.get(tensor)
      if (state === undefined) {
        state = idle.get(tensor)?.pop()
        if (state) state.engine.kernels['zero'](state.ptr, state.length)
        else state = new Tensor(tensor.engine, `${tensor.name}: ${name}`, tensor.shape)
        tensors.set(tensor, state)
      }
      return state
    },
    reset() {
      for (const [tensor, state] of tensors) idle.set(tensor, [...idle.get(tensor) ?? [], state])
      tensors.clear()
    },
  }
}

/** x^n by repeated multiplication, in the order of squaring: the same in every engine, which Math.pow is not. */
function power(x: number, n: number): number {
  let result = 1
  for (let base = x; n > 0; n = Math.floor(n / 2)) {
    if (n % 2 === 1) result *= base
    base *= base
  }
  return result
}
