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
}

/** What an encoder of the family reads. */
export function bertTensors({ architecture, layers, tokenTypes }: EncoderConfig): EncoderTensors {
  const names = NAMES[architecture]
  const each = (kinds: readonly string[]) => Array.from({ length: layers }, (_, i) => kinds.map(kind => `${names.layer(i)}.${kind}`)).flat()
  const norms = ['embeddings.LayerNorm', ...each([names.attentionNorm, names.outNorm])]
  return {
    sites: each([names.query, names.key, names.value, names.attentionOut, names.up, names.down]),
    tables: ['word', 'position', ...(tokenTypes > 0 ? ['token_type'] : [])].map(kind => `embeddings.${kind}_embeddings.weight`),
    others: norms.flatMap(norm => [`${norm}.weight`, `${norm}.bias`]),
  }
}
