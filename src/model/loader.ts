/**
 * Brings weights from a checkpoint into an engine's memory, one tensor at a time, and those that end in a narrow format some
 * rows at a time: neither the model nor a large table is ever whole in memory in f32.
 * @module
 */
import { eachF32Rows, eachInt8Rows, isInt8 } from '../checkpoint/rows.ts'
import type { Weights } from '../checkpoint/weights.ts'
import { integerRowsInto } from '../ops/int8-rows.ts'
import type { IntegerRows } from '../ops/int8-rows.ts'
import type { Norm } from '../ops/layer-norm.ts'
import type { Site } from '../ops/pass.ts'
import { denseTable, narrowTable } from '../ops/table.ts'
import type { Table, TableFormat } from '../ops/table.ts'
import { denseWeight, packedWeight } from '../ops/weight.ts'
import type { WeightFormat } from '../ops/weight.ts'
import { Tensor } from '../tensor/tensor.ts'
import type { Engine } from '../wasm/engine.ts'
import type { LoadOptions } from './encoder.ts'

type Shape = readonly [number, number]

/** Loads tensors by their names in the checkpoint and remembers them. */
export class Loader {
  readonly engine: Engine
  readonly sites: Site[] = []
  readonly tensors: Tensor[] = []
  readonly #weights: Weights
  readonly #options: LoadOptions
  #floats = new Float32Array(0)
  #integers = new Int8Array(0)

  constructor(engine: Engine, weights: Weights, options: LoadOptions) {
    const { trainable, embeddings } = options
    if (trainable && embeddings !== undefined && embeddings !== 'f32' && embeddings !== 'stored') {
      throw new RangeError(`"embeddings" expected "f32" where the model is trainable, got "${embeddings}"; a narrow table cannot be trained`)
    }
    this.engine = engine
    this.#weights = weights
    this.#options = options
  }

  /** A dense tensor. */
  async tensor(name: string, shape: readonly number[]): Promise<Tensor> {
    this.#weights.info(name, shape)
    return this.keep(name, shape, this.#options.attach ? undefined : await this.#weights.f32(name, shape))
  }

  /** A table whose rows are looked up: a dense tensor, or frozen in fewer bits. */
  async table(name: string, shape: Shape): Promise<Table> {
    this.#weights.info(name, shape)
    const format = this.#tableFormat(name)
    const table = format === 'f32' ? denseTable(this.keep(name, shape, undefined)) : narrowTable(this.engine, name, format, ...shape)
    if (this.#options.attach) return table
    if (format === 'int8' && isInt8(this.#weights, name)) await eachInt8Rows(this.#weights, name, shape, (rows, from) => table.write(rows, from))
    else await eachF32Rows(this.#weights, name, shape, (values, from) => table.write(values, from))
    return table
  }

  /** weight [outputs, inputs] and bias [outputs] of `name`. */
  async linear(name: string, outputs: number, inputs: number): Promise<Site> {
    const weight = `${name}.weight`, shape: Shape = [outputs, inputs]
    this.#weights.info(weight, shape)
    const { trainable = false, attach = false } = this.#options
    const format = this.#weightFormat(weight)
    const values = attach ? undefined : await this.#values(weight, shape, trainable ? 'f32' : format)
    const site: Site = Object.freeze({
      name,
      weight: trainable
        ? denseWeight(this.keep(weight, shape, values as Float32Array | undefined))
        : packedWeight(this.engine, format, outputs, inputs, values, weight),
      bias: await this.tensor(`${name}.bias`, [outputs]),
    })
    this.sites.push(site)
    return site
  }

  /** Weight and bias of a layer norm. */
  async norm(name: string, width: number, eps: number): Promise<Norm> {
    return Object.freeze({
      name, eps, weight: await this.tensor(`${name}.weight`, [width]), bias: await this.tensor(`${name}.bias`, [width]),
    })
  }

  /** A dense tensor from values that are at hand, or that are written later or elsewhere. */
  keep(name: string, shape: readonly number[], values: Float32Array | undefined): Tensor {
    const tensor = this.#options.attach
      ? new Tensor(this.engine, name, shape, this.engine.arena.reserve(shape.reduce((product, size) => product * size, 4)))
      : new Tensor(this.engine, name, shape)
    if (values && !this.#options.attach) tensor.write(values)
    this.tensors.push(tensor)
    return tensor
  }

  /** All values of a matrix, integers and scales where it is to be int8, else f32: in memory that the next matrix uses again. */
  async #values(name: string, shape: Shape, format: WeightFormat): Promise<Float32Array | IntegerRows> {
    const [rows, columns] = shape, weights = this.#weights
    if (format !== 'int8') {
      if (this.#floats.length < rows * columns) this.#floats = new Float32Array(rows * columns)
      const all = this.#floats.subarray(0, rows * columns)
      await eachF32Rows(weights, name, shape, (values, from) => { all.set(values, from * columns) })
      return all
    }
    if (this.#integers.length < rows * columns) this.#integers = new Int8Array(rows * columns)
    const values = this.#integers.subarray(0, rows * columns), scales = new Float32Array(rows)
    const part = (from: number, count: number): IntegerRows =>
      ({ values: values.subarray(from * columns, (from + count) * columns), scales: scales.subarray(from, from + count) })
    if (isInt8(weights, name)) {
      await eachInt8Rows(weights, name, shape, (rows, from) => {
        const into = part(from, rows.scales.length)
        into.values.set(rows.values)
        into.scales.set(rows.scales)
      })
    } else {
      await eachF32Rows(weights, name, shape, (rows, from) => integerRowsInto(part(from, rows.length / columns), this.engine, name, rows, columns))
    }
    return { values, scales }
  }

  #weightFormat(name: string): WeightFormat {
    const { format = 'stored' } = this.#options
    if (format !== 'stored') return format
    const { dtype } = this.#weights.info(name)
    return isInt8(this.#weights, name) ? 'int8' : dtype === 'F16' ? 'f16' : dtype === 'BF16' ? 'bf16' : 'f32'
  }

  #tableFormat(name: string): TableFormat {
    const { format = 'stored', trainable = false } = this.#options
    if (trainable) return 'f32'
    const embeddings = this.#options.embeddings ?? (format === 'bf16' ? 'f32' : format)
    if (embeddings !== 'stored') return embeddings
    return isInt8(this.#weights, name) ? 'int8' : this.#weights.info(name).dtype === 'F16' ? 'f16' : 'f32'
  }
}
