/**
 * Optimisers over slices: only the rows of a slice move, and only their state; no momentum, no weight decay, not one bit
 * elsewhere.
 * @module
 */
import { aNumber, anOptions, show } from '../assert.ts'
import { readSlice, tensorOf, writeSlice } from '../peft/slice.ts'
import type { Parameters, Slice, SlicePart } from '../peft/slice.ts'
import { Tensor } from '../tensor/tensor.ts'

/** Steps one part of a slice; its gradient [rows, columns] lies at an address of the same engine. */
export interface Optimizer {
  readonly name: string
  /** Makes the state of a slice's tensors; before the step, since a step's memory is planned whole. */
  prepare(parameters: Parameters, slice: Slice): void
  step(parameters: Parameters, part: SlicePart, gradient: number): void
  /** The state of a slice's rows as one vector, for a training that is to go on elsewhere. */
  save(parameters: Parameters, slice: Slice): Float32Array
  /** Takes what `save` gave for the same slice. @throws RangeError for another length */
  restore(parameters: Parameters, slice: Slice, saved: Float32Array): void
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
    save: (parameters: Parameters, slice: Slice) => momentum === 0 ? new Float32Array(0) : readSlice(state.all(parameters, slice), slice),
    restore(parameters: Parameters, slice: Slice, saved: Float32Array) {
      aVector(saved, momentum === 0 ? 0 : slice.length)
      if (momentum !== 0) writeSlice(state.all(parameters, slice), slice, saved)
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
    // the moments, then how often each row has stepped
    save(parameters: Parameters, slice: Slice) {
      const rows = slice.parts.flatMap(part => [...(counts.get(tensorOf(parameters, part)) ?? new Int32Array(part.to)).subarray(part.from, part.to)])
      const out = new Float32Array(2 * slice.length + rows.length)
      out.set(readSlice(first.all(parameters, slice), slice))
      out.set(readSlice(second.all(parameters, slice), slice), slice.length)
      out.set(rows, 2 * slice.length)
      return out
    },
    restore(parameters: Parameters, slice: Slice, saved: Float32Array) {
      const rows = slice.parts.reduce((sum, { from, to }) => sum + to - from, 0)
      aVector(saved, 2 * slice.length + rows)
      writeSlice(first.all(parameters, slice), slice, saved.subarray(0, slice.length))
      writeSlice(second.all(parameters, slice), slice, saved.subarray(slice.length, 2 * slice.length))
      let at = 2 * slice.length
      for (const part of slice.parts) {
        const tensor = tensorOf(parameters, part), steps = counts.get(tensor) ?? new Int32Array(tensor.rows)
        counts.set(tensor, steps)
        steps.set(saved.subarray(at, at += part.to - part.from), part.from)
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
interface State {
  of(tensor: Tensor): Tensor
  /** Those of a slice's tensors, under the tensors' names. */
  all(parameters: Parameters, slice: Slice): Parameters
  reset: () => void
}

function stateOf(name: string): State {
  const tensors = new Map<Tensor, Tensor>()
  const of = (tensor: Tensor) => {
    let state = tensors.get(tensor)
    if (state === undefined) {
      state = idle.get(tensor)?.pop()
      if (state) state.engine.kernels['zero'](state.ptr, state.length)
      else state = new Tensor(tensor.engine, `${tensor.name}: ${name}`, tensor.shape)
      tensors.set(tensor, state)
    }
    return state
  }
  return {
    of,
    all: (parameters, slice) => new Map(slice.parts.map(part => [part.tensor, of(tensorOf(parameters, part))])),
    reset() {
      for (const [tensor, state] of tensors) idle.set(tensor, [...idle.get(tensor) ?? [], state])
      tensors.clear()
    },
  }
}

function aVector(saved: Float32Array, length: number): void {
  if (!(saved instanceof Float32Array)) throw new TypeError(`"saved" expected a Float32Array, got ${show(saved)}`)
  if (saved.length !== length) throw new RangeError(`"saved" expected ${length} numbers of this slice's state, got ${saved.length}`)
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
