/**
 * What every architecture gives: a forward pass, its linear sites, its tensors. An architecture is one file that names
 * its layers; it knows nothing of adapters, optimisers or privacy.
 * @module
 */
import type { Value } from '../graph/value.ts'
import type { Pass, Site } from '../ops/pass.ts'
import type { Pooling } from '../ops/pool.ts'
import type { TableFormat } from '../ops/table.ts'
import type { WeightFormat } from '../ops/weight.ts'
import type { Tensor } from '../tensor/tensor.ts'
import type { Engine } from '../wasm/engine.ts'
import type { TokenBatch } from './batch.ts'

/** A pretrained encoder in an engine's memory. */
export interface Encoder {
  readonly engine: Engine
  /** E.g. `bert`. */
  readonly architecture: string
  /** Width of a token vector. */
  readonly width: number
  /** Width of the vector of a text. */
  readonly embeddingWidth: number
  /** How token vectors become the vector of a text. */
  readonly pooling: Pooling
  readonly maxTokens: number
  readonly vocabularySize: number
  /** Linear layers that an adapter can attach to. */
  readonly sites: readonly Site[]
  /** Every tensor that can be trained, by name; only those that lie dense in memory. */
  readonly tensors: readonly Tensor[]
  /** Token vectors [M, width]. */
  tokens(pass: Pass, batch: TokenBatch): Value
  /** One vector per sequence [count, embeddingWidth], pooled as the model was trained to be. */
  embed(pass: Pass, batch: TokenBatch): Value
}

/** How weights are loaded. */
export interface LoadOptions {
  /**
   * `f32`, `f16`, `bf16` or `int8` for the frozen linear weights; `stored` (the default): as in the file.
   */
  readonly format?: WeightFormat | 'stored'
  /**
   * `f32`, `f16` or `int8` (one scale a row) for the frozen tables of words, positions and types; `stored`: as in the file
   * (bf16 as f32). Default: as `format`, bf16 as f32. A narrow table cannot be trained and is not among the encoder's tensors.
   */
  readonly embeddings?: TableFormat | 'stored'
  /** True: every weight stays dense f32, so that full fine-tuning can train it; then `format` and `embeddings` name no other. */
  readonly trainable?: boolean
  /** True: the values lie in the memory already, put there by the thread that shares it; only addresses are taken. */
  readonly attach?: boolean
}
