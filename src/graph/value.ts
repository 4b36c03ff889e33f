/**
 * Values of one step and the nodes that compute them.
 * @module
 */
import type { Kernels } from '../wasm/instantiate.ts'

/** An array that a step computes or reads. Its address is known once the step is planned. */
export interface Value {
  readonly shape: readonly number[]
  /** Elements of 4 bytes. */
  readonly length: number
  /** Set where the value lies outside the step: a weight or parameter. */
  readonly fixed: number | undefined
  /** Whether the loss's gradient with respect to it is wanted. */
  readonly trains: boolean
  /** True where the bytes are no f32: nobody asks whether they are finite. */
  readonly opaque?: boolean
}

/** Address of a value, during a run. */
export type At = (value: Value) => number

/** One call of a kernel. */
export interface Node {
  /** The kernel's name. */
  readonly op: string
  /** The layer, as the model names it. */
  readonly layer: string
  readonly outs: readonly Value[]
  readonly ins: readonly Value[]
  /**
   * Inputs whose NaN or infinity the kernel may swallow (a maximum, a saturation, a dropped element): they are checked
   * before it runs. Of every other input it shows in the output.
   */
  readonly absorbs?: readonly Value[]
  /** Whose fault an element of an output is that is not finite, where it is not the node as a whole. */
  readonly blame?: (out: Value, index: number) => { readonly op: string, readonly layer: string }
  /** True where the same inputs give something else in the next step: dropout. */
  readonly varies?: boolean
  /** Bytes of scratch that the call needs. */
  readonly scratch: number
  readonly run: (kernels: Kernels, at: At, scratch: number) => void
}
