/**
 * Universal Sentence Encoder Lite: two pre-norm transformer layers, the second twice as wide as the first. Names of its
 * tensors: src/checkpoint/use-lite-file.ts.
 *
 *   x = 2 E[ids] + signal                      signal: sin and cos of position * rate
 *   x = r(x) + attention(LN(x))                r: the identity, or a dense layer where the width changes
 *   x = x + W2 relu(W1 LN(x))
 *   text = normalise(tanh(mean(x) W + b))
 *
 * Source: arXiv 1803.11175 and the published graph.
 * @module
 */
import { namedWeights } from '../checkpoint/weights.ts'
import type { Weights } from '../checkpoint/weights.ts'
import type { TensorFile } from '../checkpoint/tensor-file.ts'
import type { Value } from '../graph/value.ts'
import { cos, sin } from '../num/trigonometry.ts'
import { activation } from '../ops/activation.ts'
import { fusedAttention } from '../ops/attention.ts'
import { add, dropout } from '../ops/elementwise.ts'
import { embedding } from '../ops/embedding.ts'
import { layerNorm } from '../ops/layer-norm.ts'
import type { Norm } from '../ops/layer-norm.ts'
import { linear } from '../ops/linear.ts'
import type { Pass, Site } from '../ops/pass.ts'
import { l2Normalize, pool } from '../ops/pool.ts'
import { denseTable } from '../ops/table.ts'
import type { Engine } from '../wasm/engine.ts'
import { positionsOf, sequencesOf } from './batch.ts'
import type { TokenBatch } from './batch.ts'
import type { EncoderTensors } from './bert-names.ts'
import type { Encoder, LoadOptions } from './encoder.ts'
import { Loader } from './loader.ts'

const HEADS = 4, EPS = 1e-6, MAX_TOKENS = 128

/** What `model_type` of a config.json calls this model. */
export const USE_LITE_TYPE = 'universal-sentence-encoder-lite'

/** What the encoder reads. */
export function useLiteTensors(names: readonly string[]): EncoderTensors {
  const isSite = (name: string) => /^(?:layer\.\d+\.(?:qkv|output|residual|up|down)|tanh)$/.test(name)
  const sites = names.filter(name => name.endsWith('.weight')).map(name => name.slice(0, -'.weight'.length)).filter(isSite)
  const tables = ['embeddings']
  return { sites, tables, others: names.filter(name => !tables.includes(name) && !isSite(name.replace(/\.(?:weight|bias)$/, ''))) }
}

interface Layer {
  readonly name: string
  readonly norm: Norm
  readonly qkv: Site
  readonly output: Site
  /** Only where the width changes. */
  readonly residual: Site | undefined
  readonly innerNorm: Norm
  readonly up: Site
  readonly down: Site
}

/** Loads the encoder from a file with its plain names. */
export async function loadUseLite(engine: Engine, file: TensorFile, options: LoadOptions = {}): Promise<Encoder> {
  const weights = namedWeights(file, [])
  const loader = new Loader(engine, weights, options)
  const [vocabularySize, width] = weights.info('embeddings').shape
  const words = await loader.table('embeddings', [vocabularySize, width])
  const rates = await weights.f32('timing.rates', [1, width / 2])
  const signal = loader.keep('timing', [MAX_TOKENS, width], timing(rates))
  const layers = [await loadLayer(loader, weights, 0), await loadLayer(loader, weights, 1)]
  const wide = layers[1].down.weight.outputs
  const top = await loader.linear('tanh', wide, wide)

  const tokens = (pass: Pass, batch: TokenBatch): Value => {
    const { graph } = pass
    const sequences = sequencesOf(graph, batch)
    let x = embedding(pass, 'embeddings', [
      { ids: graph.input(batch.ids), table: words },
      { ids: graph.input(positionsOf(batch, 0)), table: denseTable(signal) },
    ])
    for (const layer of layers) {
      const mixed = fusedAttention(pass, `${layer.name}.attention`, linear(pass, layerNorm(pass, x, layer.norm), layer.qkv),
        sequences, { heads: HEADS })
      const kept = layer.residual ? linear(pass, x, layer.residual) : x
      x = add(pass, layer.name, kept, dropout(pass, layer.output.name, linear(pass, mixed, layer.output)))
      const inner = activation(pass, layer.up.name, 'relu', linear(pass, layerNorm(pass, x, layer.innerNorm), layer.up))
      x = add(pass, layer.name, x, dropout(pass, layer.down.name, linear(pass, inner, layer.down)))
    }
    return x
  }

  return Object.freeze({
    engine, architecture: 'use-lite', width: wide, embeddingWidth: wide, pooling: 'mean' as const, maxTokens: MAX_TOKENS, vocabularySize,
    sites: Object.freeze(loader.sites), tensors: Object.freeze(loader.tensors.filter(tensor => tensor !== signal)),
    tokens,
    embed(pass: Pass, batch: TokenBatch) {
      const mean = pool(pass, 'pooler', 'mean', tokens(pass, batch), sequencesOf(pass.graph, batch))
      return l2Normalize(pass, 'pooler', activation(pass, 'tanh', 'tanh', linear(pass, mean, top)), EPS)
    },
  })
}

async function loadLayer(loader: Loader, weights: Weights, i: number): Promise<Layer> {
  const name = `layer.${i}`
  const sizes = (site: string) => weights.info(`${name}.${site}.weight`).shape
  const linear = (site: string, outputs: number, inputs: number) => loader.linear(`${name}.${site}`, outputs, inputs)
  const [qkv, inputs] = sizes('qkv'), [outputs, heads] = sizes('output'), [inner] = sizes('up')
  return {
    name,
    norm: await loader.norm(`${name}.norm`, inputs, EPS),
    qkv: await linear('qkv', qkv, inputs),
    output: await linear('output', outputs, heads),
    residual: inputs === outputs ? undefined : await linear('residual', outputs, inputs),
    innerNorm: await loader.norm(`${name}.inner_norm`, outputs, EPS),
    up: await linear('up', inner, outputs),
    down: await linear('down', outputs, inner),
  }
}

/** [positions, width]: sin, then cos, of position * rate; the angle is rounded to f32, as in the graph. */
function timing(rates: Float32Array): Float32Array {
  const half = rates.length
  const out = new Float32Array(MAX_TOKENS * 2 * half)
  for (let position = 0; position < MAX_TOKENS; position++) {
    for (let i = 0; i < half; i++) {
      const angle = Math.fround(position * rates[i])
      out[position * 2 * half + i] = sin(angle)
      out[position * 2 * half + half + i] = cos(angle)
    }
  }
  return out
}
