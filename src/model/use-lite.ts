/**
 * Universal Sentence Encoder Lite, from the TensorFlow.js shards of its npm packages: two pre-norm transformer layers,
 * the second twice as wide as the first.
 *
 *   x = 2 E[ids] + signal                      signal: sin and cos of position * rate
 *   x = r(x) + attention(LN(x))                r: the identity, or a dense layer where the width changes
 *   x = x + W2 relu(W1 LN(x))
 *   text = normalise(tanh(mean(x) W + b))
 *
 * Source: arXiv 1803.11175 and the published graph.
 * @module
 */
import { FormatError } from '../errors.ts'
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
import type { Engine } from '../wasm/engine.ts'
import { positionsOf, sequencesOf } from './batch.ts'
import type { TokenBatch } from './batch.ts'
import type { Encoder, LoadOptions } from './encoder.ts'
import { Loader } from './loader.ts'

const HEADS = 4, EPS = 1e-6, MAX_TOKENS = 128
const KONA = 'Encoder_en/KonaTransformer/Encode/'
const APPLY = 'module_apply_default/', PART = '/ConcatPartitions/concat'

/** A tensor that tells a folder of this model from other TensorFlow.js models. */
export const USE_LITE_TABLE = 'module/Embeddings_en'

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

/** Loads the encoder from an opened TensorFlow.js model. */
export async function loadUseLite(engine: Engine, file: TensorFile, options: LoadOptions = {}): Promise<Encoder> {
  const weights = namedWeights(file, [])
  const loader = new Loader(engine, weights, options)
  const [vocabularySize, width] = weights.info(USE_LITE_TABLE).shape
  const words = loader.keep('embeddings', [vocabularySize, width], doubled(await weights.f32(USE_LITE_TABLE)))
  const rates = await weights.f32(`${APPLY}${KONA}TransformerStack/Layer_0/AddTimingSignal/TimingSignal/ExpandDims_1`, [1, width / 2])
  const signal = loader.keep('timing', [MAX_TOKENS, width], timing(rates))
  const layers = [await loadLayer(loader, weights, 0), await loadLayer(loader, weights, 1)]
  const wide = layers[1].down.weight.outputs
  const top = await flipped(loader, weights, 'tanh', wide, wide, 'module/Encoder_en/hidden_layers/tanh_layer_0/weights',
    'module/Encoder_en/hidden_layers/tanh_layer_0/bias')

  const tokens = (pass: Pass, batch: TokenBatch): Value => {
    const { graph } = pass
    const sequences = sequencesOf(graph, batch)
    let x = embedding(pass, 'embeddings', [
      { ids: graph.input(batch.ids), table: words },
      { ids: graph.input(positionsOf(batch, 0)), table: signal },
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
  const plain = `${APPLY}${KONA}Layer_${i}/TransformerLayer/`
  const raw = `module/${KONA}Layer_${i}/TransformerLayer/MultiheadAttention/`
  const stack = `${APPLY}${KONA}TransformerStack/Layer_${i}/TransformerLayer/`
  const bias = (site: string) => `${plain}${site}/bias${PART}`
  const [, , inputs, qkv] = weights.info(`${raw}qkv_transform_single/kernel/part_0`).shape
  const [, , heads, outputs] = weights.info(`${raw}output_transform_single/kernel/part_0`).shape
  const inner = weights.info(`${stack}FFN/conv1/Tensordot/Reshape_1`).shape[1]
  const norm = async (title: string, at: string, width: number): Promise<Norm> => ({
    name: title, eps: EPS,
    weight: loader.keep(`${title}.weight`, [width], await weights.f32(`${at}layer_norm_scale${PART}`, [width])),
    bias: loader.keep(`${title}.bias`, [width], await weights.f32(`${at}layer_norm_bias${PART}`, [width])),
  })
  return {
    name,
    norm: await norm(`${name}.norm`, `${plain}layer_prepostprocess/layer_norm/`, inputs),
    qkv: await flipped(loader, weights, `${name}.qkv`, inputs, qkv, `${raw}qkv_transform_single/kernel/part_0`,
      bias('MultiheadAttention/qkv_transform_single')),
    output: await flipped(loader, weights, `${name}.output`, heads, outputs, `${raw}output_transform_single/kernel/part_0`,
      bias('MultiheadAttention/output_transform_single')),
    residual: inputs === outputs ? undefined
      : await flipped(loader, weights, `${name}.residual`, inputs, outputs, `${plain}dense/kernel${PART}`, bias('dense')),
    innerNorm: await norm(`${name}.inner_norm`, `${plain}FFN/layer_prepostprocess/layer_norm/`, outputs),
    up: await flipped(loader, weights, `${name}.up`, outputs, inner, `${stack}FFN/conv1/Tensordot/Reshape_1`, bias('FFN/conv1')),
    down: await flipped(loader, weights, `${name}.down`, inner, outputs, `${stack}FFN/conv2/Tensordot/Reshape_1`, bias('FFN/conv2')),
  }
}

/** A linear site whose kernel lies as [inputs, outputs]. */
async function flipped(
  loader: Loader, weights: Weights, name: string, inputs: number, outputs: number, kernel: string, bias: string,
): Promise<Site> {
  const values = await weights.f32(kernel)
  if (values.length !== inputs * outputs) throw new FormatError(`tensor "${kernel}" expected ${inputs * outputs} values, got ${values.length}`)
  const weight = new Float32Array(values.length)
  for (let i = 0; i < inputs; i++) for (let j = 0; j < outputs; j++) weight[j * inputs + i] = values[i * outputs + j]
  return loader.site(name, outputs, inputs, weight, await weights.f32(bias, [outputs]))
}

/** The graph scales every word vector by two: done once, exactly. */
function doubled(values: Float32Array): Float32Array {
  for (let i = 0; i < values.length; i++) values[i] *= 2
  return values
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
