/**
 * The BERT family: BERT and MiniLM, RoBERTa, DistilBERT. Post-norm encoder layers:
 *
 *   x = LN(word + position + type)
 *   h = LN(attention(x) + x)       x = LN(W2 f(W1 h) + h)
 *
 * Source: BERT (arXiv 1810.04805); names as in Hugging Face checkpoints.
 * @module
 */
import type { HubModel } from '../checkpoint/hub.ts'
import { activation } from '../ops/activation.ts'
import { attention } from '../ops/attention.ts'
import { dropout } from '../ops/elementwise.ts'
import { embedding } from '../ops/embedding.ts'
import { addLayerNorm, layerNorm } from '../ops/layer-norm.ts'
import type { Norm } from '../ops/layer-norm.ts'
import { linear } from '../ops/linear.ts'
import type { Pass, Site } from '../ops/pass.ts'
import { pool } from '../ops/pool.ts'
import type { Pooling } from '../ops/pool.ts'
import type { Value } from '../graph/value.ts'
import type { Engine } from '../wasm/engine.ts'
import { positionsOf, sequencesOf } from './batch.ts'
import type { TokenBatch } from './batch.ts'
import { NAMES } from './bert-names.ts'
import type { Encoder, LoadOptions } from './encoder.ts'
import { Loader } from './loader.ts'

interface Layer {
  readonly name: string
  readonly query: Site
  readonly key: Site
  readonly value: Site
  readonly attentionOut: Site
  readonly attentionNorm: Norm
  readonly up: Site
  readonly down: Site
  readonly outNorm: Norm
}

/**
 * Loads an encoder of the BERT family.
 *
 * @param options.pooling - how a text becomes one vector; default: what the folder states, else `mean`
 */
export async function loadBert(
  engine: Engine, { config, weights, pooling }: HubModel, options: LoadOptions & { pooling?: Pooling } = {},
): Promise<Encoder> {
  const loader = new Loader(engine, weights, options)
  const names = NAMES[config.architecture]
  const C = config.hiddenSize, F = config.intermediateSize, eps = config.layerNormEps
  const words = await loader.table('embeddings.word_embeddings.weight', [config.vocabularySize, C])
  const positions = await loader.table('embeddings.position_embeddings.weight', [config.maxTokens + config.positionOffset, C])
  const types = config.tokenTypes > 0
    ? await loader.table('embeddings.token_type_embeddings.weight', [config.tokenTypes, C]) : undefined
  const norm = await loader.norm('embeddings.LayerNorm', C, eps)
  const layers: Layer[] = []
  for (let i = 0; i < config.layers; i++) {
    const name = names.layer(i)
    layers.push({
      name,
      query: await loader.linear(`${name}.${names.query}`, C, C),
      key: await loader.linear(`${name}.${names.key}`, C, C),
      value: await loader.linear(`${name}.${names.value}`, C, C),
      attentionOut: await loader.linear(`${name}.${names.attentionOut}`, C, C),
      attentionNorm: await loader.norm(`${name}.${names.attentionNorm}`, C, eps),
      up: await loader.linear(`${name}.${names.up}`, F, C),
      down: await loader.linear(`${name}.${names.down}`, C, F),
      outNorm: await loader.norm(`${name}.${names.outNorm}`, C, eps),
    })
  }

  const tokens = (pass: Pass, batch: TokenBatch): Value => {
    const { graph } = pass
    const sequences = sequencesOf(graph, batch)
    const lookups = [
      { ids: graph.input(batch.ids), table: words },
      { ids: graph.input(positionsOf(batch, config.positionOffset)), table: positions },
    ]
    if (types) lookups.push({ ids: graph.input(new Int32Array(batch.ids.length)), table: types })
    let x = dropout(pass, 'embeddings', layerNorm(pass, embedding(pass, 'embeddings', lookups), norm))
    for (const layer of layers) {
      const context = attention(pass, `${layer.name}.attention`, linear(pass, x, layer.query), linear(pass, x, layer.key),
        linear(pass, x, layer.value), sequences, { heads: config.heads })
      const attended = dropout(pass, layer.attentionOut.name, linear(pass, context, layer.attentionOut))
      const h = addLayerNorm(pass, attended, x, layer.attentionNorm)
      const inner = activation(pass, layer.up.name, config.activation, linear(pass, h, layer.up))
      x = addLayerNorm(pass, dropout(pass, layer.down.name, linear(pass, inner, layer.down)), h, layer.outNorm)
    }
    return x
  }

  const kind = options.pooling ?? pooling ?? 'mean'
  return Object.freeze({
    engine,
    architecture: config.architecture,
    width: C, embeddingWidth: C, pooling: kind,
    maxTokens: config.maxTokens, vocabularySize: config.vocabularySize,
    sites: Object.freeze(loader.sites), tensors: Object.freeze(loader.tensors),
    tokens,
    embed: (pass: Pass, batch: TokenBatch) => pool(pass, 'pooler', kind, tokens(pass, batch), sequencesOf(pass.graph, batch)),
  })
}
