/**
 * Brings weights from a checkpoint into an engine's memory, one tensor at a time.
 * @module
 */
import type { Weights } from '../checkpoint/weights.ts'
import type { Norm } from '../ops/layer-norm.ts'
import type { Site } from '../ops/pass.ts'
import { denseWeight, packedWeight } from '../ops/weight.ts'
import type { WeightFormat } from '../ops/weight.ts'
import { Tensor } from '../tensor/tensor.ts'
import type { Engine } from '../wasm/engine.ts'
import type { LoadOptions } from './encoder.ts'

/** Loads tensors by their names in the checkpoint and remembers them. */
export class Loader {
  readonly engine: Engine
  readonly sites: Site[] = []
  readonly tensors: Tensor[] = []
  readonly #weights: Weights
  readonly #options: LoadOptions

  constructor(engine: Engine, weights: Weights, options: LoadOptions) {
    this.engine = engine
    this.#weights = weights
    this.#options = options
  }

  /** A dense tensor. */
  async tensor(name: string, shape: readonly number[]): Promise<Tensor> {
    const values = await this.#weights.f32(name, shape)
    return this.keep(name, shape, values)
  }

  /** weight [outputs, inputs] and bias [outputs] of `name`. */
  async linear(name: string, outputs: number, inputs: number): Promise<Site> {
    const info = this.#weights.info(`${name}.weight`, [outputs, inputs])
    return this.site(name, outputs, inputs, await this.#weights.f32(`${name}.weight`, [outputs, inputs]),
      await this.#weights.f32(`${name}.bias`, [outputs]), storedFormat(info.dtype))
  }

  /** A linear site from values that are already at hand. */
  site(name: string, outputs: number, inputs: number, weight: Float32Array, bias: Float32Array | undefined, stored: WeightFormat = 'f32'): Site {
    const { format = 'stored', trainable = false, attach = false } = this.#options
    const site: Site = Object.freeze({
      name,
      weight: trainable
        ? denseWeight(this.keep(`${name}.weight`, [outputs, inputs], weight))
        : packedWeight(this.engine, format === 'stored' ? stored : format, outputs, inputs, attach ? undefined : weight),
      bias: bias && this.keep(`${name}.bias`, [outputs], bias),
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

  /** A dense tensor from values that are already at hand. */
  keep(name: string, shape: readonly number[], values: Float32Array): Tensor {
    const tensor = this.#options.attach
      ? new Tensor(this.engine, name, shape, this.engine.arena.reserve(values.length * 4))
      : new Tensor(this.engine, name, shape).write(values)
    this.tensors.push(tensor)
    return tensor
  }
}

function storedFormat(dtype: string): WeightFormat {
  return dtype === 'F16' ? 'f16' : dtype === 'BF16' ? 'bf16' : 'f32'
}
