/**
 * What the architectures of the BERT family call their tensors, as in Hugging Face checkpoints.
 * @module
 */
import type { EncoderConfig } from '../checkpoint/config.ts'

/** What an architecture of the family calls its layers. */
export interface Names {
  readonly layer: (i: number) => string
  readonly query: string
  readonly key: string
  readonly value: string
  readonly attentionOut: string
  readonly attentionNorm: string
  readonly up: string
  readonly down: string
  readonly outNorm: string
}

const BERT: Names = {
  layer: i => `encoder.layer.${i}`,
  query: 'attention.self.query', key: 'attention.self.key', value: 'attention.self.value',
  attentionOut: 'attention.output.dense', attentionNorm: 'attention.output.LayerNorm',
  up: 'intermediate.dense', down: 'output.dense', outNorm: 'output.LayerNorm',
}

/** By architecture. */
export const NAMES: Readonly<Record<EncoderConfig['architecture'], Names>> = {
  bert: BERT,
  roberta: BERT,
  distilbert: {
    layer: i => `transformer.layer.${i}`,
    query: 'attention.q_lin', key: 'attention.k_lin', value: 'attention.v_lin',
    attentionOut: 'attention.out_lin', attentionNorm: 'sa_layer_norm',
    up: 'ffn.lin1', down: 'ffn.lin2', outNorm: 'output_layer_norm',
  },
}

/** The tensors that an encoder reads, by what they are. */
export interface EncoderTensors {
  /** Names of the linear layers: each has `NAME.weight` and `NAME.bias`. */
  readonly sites: readonly string[]
  /** Tables whose rows are looked up. */
  readonly tables: readonly string[]
  /** All others. */
  readonly others: readonly string[]
  /** Shapes by name, where the configuration says them; without it the file's own are right. */
  readonly shapes?: ReadonlyMap<string, readonly number[]>
}

/** What an encoder of the family reads. */
export function bertTensors(config: EncoderConfig): EncoderTensors {
  const { architecture, layers, tokenTypes, hiddenSize: C, intermediateSize: F } = config
  const names = NAMES[architecture]
  const each = (kinds: readonly string[]) => Array.from({ length: layers }, (_, i) => kinds.map(kind => `${names.layer(i)}.${kind}`)).flat()
  const rows = { word: config.vocabularySize, position: config.maxTokens + config.positionOffset, token_type: tokenTypes }
  const shapes = new Map<string, readonly number[]>()
  const tables = Object.entries(rows).filter(([, count]) => count > 0).map(([kind, count]) => {
    const name = `embeddings.${kind}_embeddings.weight`
    shapes.set(name, [count, C])
    return name
  })
  const sites = each([names.query, names.key, names.value, names.attentionOut, names.up, names.down])
  const ups = new Set(each([names.up])), downs = new Set(each([names.down]))
  for (const name of sites) {
    const outputs = ups.has(name) ? F : C
    shapes.set(`${name}.weight`, [outputs, downs.has(name) ? F : C]).set(`${name}.bias`, [outputs])
  }
  const others = ['embeddings.LayerNorm', ...each([names.attentionNorm, names.outNorm])].flatMap(norm => [`${norm}.weight`, `${norm}.bias`])
  for (const name of others) shapes.set(name, [C])
  return { sites, tables, others, shapes }
}
