/**
 * Vectors of numbers in the place of an encoder: example i is the sequence [i], and its vector row i of a table that never
 * leaves the device. With the head of a classifier on top that is logistic regression.
 * @module
 */
import { anInteger } from '../assert.ts'
import { embedding } from '../ops/embedding.ts'
import type { Pass } from '../ops/pass.ts'
import { denseTable } from '../ops/table.ts'
import { Tensor } from '../tensor/tensor.ts'
import type { Engine } from '../wasm/engine.ts'
import type { TokenBatch } from './batch.ts'
import type { Encoder } from './encoder.ts'

/** An encoder that looks vectors up. */
export interface FeatureEncoder extends Encoder {
  /** [rows, width]; frozen. */
  readonly vectors: Tensor
  /** Overwrites the first vectors: values [examples, width], at most `rows` of them. */
  write(values: Float32Array): void
}

/**
 * @param rows - most examples that are held at once
 * @param width - numbers of an example
 */
export function featureEncoder(engine: Engine, rows: number, width: number): FeatureEncoder {
  anInteger('rows', rows, 1)
  anInteger('width', width, 1)
  const table = new Tensor(engine, 'features', [rows, width])
  const embed = (pass: Pass, batch: TokenBatch) => {
    // the mean of several vectors is no vector of the data
    if (batch.count !== batch.ids.length) throw new RangeError(`"batch" expected one row number for each example, got ${batch.ids.length} for ${batch.count}`)
    return embedding(pass, 'features', [{ ids: pass.graph.input(batch.ids), table: denseTable(table) }])
  }
  return Object.freeze({
    engine, architecture: 'features', width, embeddingWidth: width, pooling: 'mean' as const, maxTokens: 1, vocabularySize: rows,
    sites: Object.freeze([]), tensors: Object.freeze([]),
    tokens: embed, embed, vectors: table,
    write: (values: Float32Array) => { table.write(values, 0) },
  })
}
