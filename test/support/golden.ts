/** Reading the golden folders of test/fixtures. */
import { readFileSync } from 'node:fs'
import { parseSafetensors } from '../../src/checkpoint/safetensors.ts'
import { readF32 } from '../../src/checkpoint/tensor-file.ts'
import { openHubModel } from '../../src/checkpoint/hub.ts'
import type { Variant } from '../../src/host.ts'
import { loadBert } from '../../src/model/bert.ts'
import type { LoadOptions } from '../../src/model/encoder.ts'
import { node } from '../../src/runtime/node.ts'
import { createEngine } from '../../src/wasm/engine.ts'

export interface Golden {
  readonly json: any
  tensor(name: string): Promise<Float32Array>
  has(name: string): boolean
}

/** golden.json and golden.safetensors of a folder. */
export function golden(folder: string): Golden {
  const file = parseSafetensors(new Uint8Array(readFileSync(`test/fixtures/${folder}/golden.safetensors`)), 'golden')
  return {
    json: JSON.parse(readFileSync(`test/fixtures/${folder}/golden.json`, 'utf8')),
    tensor: name => readF32(file, name),
    has: name => file.tensors.has(name),
  }
}

/** An encoder of a folder, in an engine of its own. */
export async function encoderOf(
  folder: string, options: LoadOptions & { pooling?: 'mean' | 'cls', variant?: Variant } = {},
) {
  const host = node()
  const { variant, ...rest } = options
  const engine = await createEngine(host, variant ? { variant } : {})
  return loadBert(engine, await openHubModel(host.folder(folder)), rest)
}

/** Columns become rows: [rows, columns] to [columns, rows]. */
export function transpose(values: Float32Array, rows: number, columns: number): Float32Array {
  const out = new Float32Array(values.length)
  for (let i = 0; i < rows; i++) for (let j = 0; j < columns; j++) out[j * rows + i] = values[i * columns + j]
  return out
}
