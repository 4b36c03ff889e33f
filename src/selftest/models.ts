/**
 * Small random models of every family, made in memory: no runtime needs files for them.
 * @module
 */
import { openHubModel } from '../checkpoint/hub.ts'
import { parseSafetensors, writeSafetensors } from '../checkpoint/safetensors.ts'
import type { TensorData } from '../checkpoint/safetensors.ts'
import { memorySource } from '../checkpoint/source.ts'
import { loadBert } from '../model/bert.ts'
import type { Encoder, LoadOptions } from '../model/encoder.ts'
import { loadUseLite } from '../model/use-lite.ts'
import type { Engine } from '../wasm/engine.ts'
import { uniform } from './values.ts'

export type Family = 'bert' | 'roberta' | 'distilbert' | 'use-lite'

/** Sites that adapters attach to. */
export const SITES: Readonly<Record<Family, readonly string[]>> = {
  'bert': ['query', 'value', 'intermediate.dense'], 'roberta': ['query', 'key', 'value', 'output.dense'],
  'distilbert': ['q_lin', 'v_lin', 'lin2'], 'use-lite': ['qkv', 'output', 'up', 'down'],
}

type Shapes = Map<string, readonly number[]>

/** Tensors of these shapes: weights about 1 / sqrt(inputs), norms about 1. */
function filled(family: string, shapes: Shapes): Map<string, TensorData> {
  return new Map([...shapes].map(([name, shape]) => {
    const length = shape.reduce((product, size) => product * size, 1)
    const isNorm = /norm.*(weight|scale)/i.test(name)
    const data = uniform(`${family} ${name}`, length, isNorm ? 0.3 : 1.5 / Math.sqrt(shape.length > 1 ? shape[shape.length - 1] : 16))
    return [name, { dtype: 'F32' as const, shape, data: isNorm ? data.map(x => 1 + x) : data }]
  }))
}

interface Size { readonly width: number, readonly inner: number, readonly heads: number, readonly vocabulary: number, readonly positions: number }

/** The files of a BERT, but for its tokenizer. */
export function bertFiles(size: Size = { width: 20, inner: 44, heads: 2, vocabulary: 61, positions: 24 }): Record<string, Uint8Array | string> {
  const { width, inner, heads, vocabulary, positions } = size
  return {
    'config.json': JSON.stringify({
      model_type: 'bert', vocab_size: vocabulary, hidden_size: width, num_hidden_layers: 2, num_attention_heads: heads,
      intermediate_size: inner, max_position_embeddings: positions, type_vocab_size: 2, hidden_act: 'gelu',
    }),
    'model.safetensors': writeSafetensors(filled('bert', bertShapes(size, 2))),
  }
}

function bertShapes({ width, inner, vocabulary, positions }: Size, types: number): Shapes {
  const shapes: Shapes = new Map([
    ['embeddings.word_embeddings.weight', [vocabulary, width]], ['embeddings.position_embeddings.weight', [positions, width]],
    ['embeddings.token_type_embeddings.weight', [types, width]],
  ])
  addNorm(shapes, 'embeddings.LayerNorm', width)
  for (let i = 0; i < 2; i++) {
    const name = `encoder.layer.${i}`
    for (const site of ['query', 'key', 'value']) addLinear(shapes, `${name}.attention.self.${site}`, width, width)
    addLinear(shapes, `${name}.attention.output.dense`, width, width)
    addNorm(shapes, `${name}.attention.output.LayerNorm`, width)
    addLinear(shapes, `${name}.intermediate.dense`, inner, width)
    addLinear(shapes, `${name}.output.dense`, width, inner)
    addNorm(shapes, `${name}.output.LayerNorm`, width)
  }
  return shapes
}

function robertaFiles(): Record<string, Uint8Array | string> {
  const size: Size = { width: 24, inner: 36, heads: 3, vocabulary: 61, positions: 26 }
  return {
    'config.json': JSON.stringify({
      model_type: 'roberta', vocab_size: 61, hidden_size: 24, num_hidden_layers: 2, num_attention_heads: 3, intermediate_size: 36,
      max_position_embeddings: 26, type_vocab_size: 1, hidden_act: 'gelu_new', layer_norm_eps: 1e-5, pad_token_id: 1,
    }),
    'model.safetensors': writeSafetensors(filled('roberta', bertShapes(size, 1))),
  }
}

function distilbertFiles(): Record<string, Uint8Array | string> {
  const width = 18, inner = 30
  const shapes: Shapes = new Map([
    ['embeddings.word_embeddings.weight', [61, width]], ['embeddings.position_embeddings.weight', [24, width]],
  ])
  addNorm(shapes, 'embeddings.LayerNorm', width)
  for (let i = 0; i < 2; i++) {
    const name = `transformer.layer.${i}`
    for (const site of ['q_lin', 'k_lin', 'v_lin', 'out_lin']) addLinear(shapes, `${name}.attention.${site}`, width, width)
    addNorm(shapes, `${name}.sa_layer_norm`, width)
    addLinear(shapes, `${name}.ffn.lin1`, inner, width)
    addLinear(shapes, `${name}.ffn.lin2`, width, inner)
    addNorm(shapes, `${name}.output_layer_norm`, width)
  }
  return {
    'config.json': JSON.stringify({
      model_type: 'distilbert', vocab_size: 61, dim: width, n_layers: 2, n_heads: 2, hidden_dim: inner, max_position_embeddings: 24, activation: 'silu',
    }),
    'model.safetensors': writeSafetensors(filled('distilbert', shapes)),
  }
}

function useLiteFile(): Uint8Array {
  const narrow = 16, wide = 24, inner = 40
  const shapes: Shapes = new Map([['embeddings', [61, narrow]], ['timing.rates', [1, narrow / 2]]])
  for (let i = 0; i < 2; i++) {
    const name = `layer.${i}`, inputs = i === 0 ? narrow : wide
    addNorm(shapes, `${name}.norm`, inputs)
    addLinear(shapes, `${name}.qkv`, 3 * inputs, inputs)
    addLinear(shapes, `${name}.output`, wide, inputs)
    if (inputs !== wide) addLinear(shapes, `${name}.residual`, wide, inputs)
    addNorm(shapes, `${name}.inner_norm`, wide)
    addLinear(shapes, `${name}.up`, inner, wide)
    addLinear(shapes, `${name}.down`, wide, inner)
  }
  addLinear(shapes, 'tanh', wide, wide)
  return writeSafetensors(filled('use-lite', shapes))
}

function addLinear(shapes: Shapes, name: string, outputs: number, inputs: number): void {
  shapes.set(`${name}.weight`, [outputs, inputs])
  shapes.set(`${name}.bias`, [outputs])
}

function addNorm(shapes: Shapes, name: string, width: number): void {
  shapes.set(`${name}.weight`, [width])
  shapes.set(`${name}.bias`, [width])
}

/** A small random encoder. */
export async function tinyEncoder(engine: Engine, family: Family, options: LoadOptions): Promise<Encoder> {
  if (family === 'use-lite') return loadUseLite(engine, parseSafetensors(useLiteFile(), 'use-lite'), options)
  const files = family === 'bert' ? bertFiles() : family === 'roberta' ? robertaFiles() : distilbertFiles()
  return loadBert(engine, await openHubModel(memorySource(files)), options)
}
