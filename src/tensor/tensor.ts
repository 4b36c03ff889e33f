/**
 * Tensors that last: weights, parameters, optimiser state. f32, row-major, in the memory of one engine.
 * @module
 */
import { anInteger } from '../assert.ts'
import type { Engine } from '../wasm/engine.ts'

/** A named block of f32 in an engine's memory. */
export class Tensor {
  readonly name: string
  readonly shape: readonly number[]
  readonly length: number
  /** Address in the engine's memory. */
  readonly ptr: number
  readonly engine: Engine

  constructor(engine: Engine, name: string, shape: readonly number[], ptr?: number) {
    this.engine = engine
    this.name = name
    this.shape = Object.freeze([...shape])
    this.length = shape.reduce((product, size) => product * anInteger(`${name}: size`, size), 1)
    this.ptr = ptr ?? engine.arena.reserve(this.length * 4)
    if (ptr === undefined) this.engine.kernels['zero'](this.ptr, this.length)
  }

  /** Elements of one row: all sizes but the first. */
  get columns(): number { return this.shape.length === 0 ? 1 : this.length / this.shape[0] }

  /** Rows: the first size. */
  get rows(): number { return this.shape[0] ?? 1 }

  /** A copy of the values, or of rows `from` .. `to` of them. */
  read(from = 0, to: number = this.rows): Float32Array { return this.#view(from, to).slice() }

  /** Writes rows `from` .. `to` to `out`, from element `at` on. */
  readInto(out: Float32Array, at: number, from: number, to: number): void { out.set(this.#view(from, to), at) }

  /** Overwrites all values; or, with `from`, as many rows as there are values for. */
  write(values: ArrayLike<number>, from?: number): this {
    const room = this.length - (from ?? 0) * this.columns
    if (from === undefined ? values.length !== room : values.length > room || values.length % this.columns !== 0) {
      throw new RangeError(`"${this.name}" expected ${room} values, got ${values.length}`)
    }
    this.engine.arena.f32(this.ptr + (from ?? 0) * this.columns * 4, values.length).set(values)
    return this
  }

  #view(from: number, to: number): Float32Array {
    anInteger(`${this.name}: to`, to, 0, this.rows)
    anInteger(`${this.name}: from`, from, 0, to)
    return this.engine.arena.f32(this.ptr + from * this.columns * 4, (to - from) * this.columns)
  }
}
