/**
 * `config.json` of the BERT family as Hugging Face writes it, checked and brought to one vocabulary. Keys that the
 * computation does not depend on are ignored; a value that it cannot honour is an error, never an approximation.
 * @module
 */
import * as v from 'valibot'
import { show } from '../assert.ts'
import { FormatError } from '../errors.ts'
import { asObject, parseJson } from './json.ts'
import { readFile } from './source.ts'
import type { FileSource } from './source.ts'

const FILE = 'config.json'

/** Activation of the feed-forward block. `gelu` is the erf form, `gelu_tanh` the tanh form. */
export type Activation = 'gelu' | 'gelu_tanh' | 'relu' | 'silu' | 'tanh'

/** An encoder of the BERT family. */
export interface EncoderConfig {
  readonly architecture: 'bert' | 'roberta' | 'distilbert'
  readonly vocabularySize: number
  readonly hiddenSize: number
  readonly layers: number
  readonly heads: number
  readonly intermediateSize: number
  readonly activation: Activation
  /** Longest sequence in tokens: rows of the position table, less those that the architecture skips. */
  readonly maxTokens: number
  /** Row of the position table for the first token: 0, or for RoBERTa one past the padding token's id. */
  readonly positionOffset: number
  /** Rows of the token type table; 0 where the architecture has none. */
  readonly tokenTypes: number
  readonly layerNormEps: number
  readonly hiddenDropout: number
  readonly attentionDropout: number
  /** Names of the classes of a task model, in the order of their ids; empty where there is none. */
  readonly labels: readonly string[]
}

/** The object in `config.json`, not yet understood. Its `model_type` says which architecture reads it. */
export async function readConfig(source: FileSource): Promise<Record<string, unknown>> {
  return asObject(parseJson(await readFile(source, FILE, 'the shape of the model'), FILE).value, FILE)
}

/**
 * Understands the configuration of BERT, RoBERTa (and XLM-RoBERTa, CamemBERT) or DistilBERT.
 *
 * @throws FormatError naming the key, what was expected and what came.
 */
export function encoderConfig(config: Record<string, unknown>): EncoderConfig {
  const { model_type: type } = check(v.object({ model_type: v.string() }), config)
  if (type === 'bert') return Object.freeze(bert('bert', config))
  if (type === 'roberta' || type === 'xlm-roberta' || type === 'camembert')
    return Object.freeze(bert('roberta', config))
  if (type === 'distilbert') return Object.freeze(distilbert(config))
  throw new FormatError(
    `${show(FILE)} "model_type" expected bert, roberta, xlm-roberta, camembert or distilbert, got ${show(type)}`,
  )
}

const size = (max: number) => v.pipe(v.number(), v.safeInteger(), v.minValue(1), v.maxValue(max))
const rate = v.optional(v.nullable(v.pipe(v.number(), v.minValue(0), v.ltValue(1))))
const eps = v.optional(v.pipe(v.number(), v.gtValue(0), v.maxValue(1)), 1e-12)
const label = v.optional(v.record(v.string(), v.string()), {})

const WIDE = 1 << 20
const ACTIVATIONS: Readonly<Record<string, Activation>> = {
  gelu: 'gelu', gelu_python: 'gelu',
  gelu_new: 'gelu_tanh', gelu_pytorch_tanh: 'gelu_tanh', gelu_fast: 'gelu_tanh', gelu_tanh: 'gelu_tanh',
  relu: 'relu', silu: 'silu', swish: 'silu', tanh: 'tanh',
}

const BERT = v.object({
  vocab_size: size(1 << 24),
  hidden_size: size(WIDE),
  num_hidden_layers: size(1024),
  num_attention_heads: size(WIDE),
  intermediate_size: size(WIDE),
  hidden_act: v.optional(v.string(), 'gelu'),
  max_position_embeddings: size(1 << 24),
  type_vocab_size: v.optional(size(WIDE), 2),
  layer_norm_eps: eps,
  hidden_dropout_prob: rate,
  attention_probs_dropout_prob: rate,
  pad_token_id: v.optional(v.nullable(v.pipe(v.number(), v.safeInteger(), v.minValue(0)))),
  position_embedding_type: v.optional(v.string(), 'absolute'),
  is_decoder: v.optional(v.boolean(), false),
  id2label: label,
})

function bert(architecture: 'bert' | 'roberta', config: Record<string, unknown>): EncoderConfig {
  const c = check(BERT, config)
  if (c.position_embedding_type !== 'absolute') {
    throw new FormatError(
      `${show(FILE)} "position_embedding_type" expected "absolute", got ${show(c.position_embedding_type)}`,
    )
  }
  if (c.is_decoder) throw new FormatError(`${show(FILE)} "is_decoder" expected false (an encoder), got true`)
  const positionOffset = architecture === 'roberta' ? (c.pad_token_id ?? 1) + 1 : 0
  return {
    architecture,
    vocabularySize: c.vocab_size,
    ...heads(c.hidden_size, c.num_attention_heads, 'hidden_size', 'num_attention_heads'),
    layers: c.num_hidden_layers,
    intermediateSize: c.intermediate_size,
    activation: activation('hidden_act', c.hidden_act),
    maxTokens: positions(c.max_position_embeddings, positionOffset),
    positionOffset,
    tokenTypes: c.type_vocab_size,
    layerNormEps: c.layer_norm_eps,
    hiddenDropout: c.hidden_dropout_prob ?? 0.1,
    attentionDropout: c.attention_probs_dropout_prob ?? 0.1,
    labels: labels(c.id2label),
  }
}

const DISTILBERT = v.object({
  vocab_size: size(1 << 24),
  dim: size(WIDE),
  n_layers: size(1024),
  n_heads: size(WIDE),
  hidden_dim: size(WIDE),
  activation: v.optional(v.string(), 'gelu'),
  max_position_embeddings: size(1 << 24),
  dropout: rate,
  attention_dropout: rate,
  id2label: label,
})

function distilbert(config: Record<string, unknown>): EncoderConfig {
  const c = check(DISTILBERT, config)
  return {
    architecture: 'distilbert',
    vocabularySize: c.vocab_size,
    ...heads(c.dim, c.n_heads, 'dim', 'n_heads'),
    layers: c.n_layers,
    intermediateSize: c.hidden_dim,
    activation: activation('activation', c.activation),
    maxTokens: c.max_position_embeddings,
    positionOffset: 0,
    tokenTypes: 0,
    layerNormEps: 1e-12,
    hiddenDropout: c.dropout ?? 0.1,
    attentionDropout: c.attention_dropout ?? 0.1,
    labels: labels(c.id2label),
  }
}

/** Checks a configuration against a schema; an error names the first key that breaks it. */
function check<S extends v.GenericSchema>(schema: S, config: Record<string, unknown>): v.InferOutput<S> {
  const result = v.safeParse(schema, config)
  if (result.success) return result.output
  const [issue] = result.issues
  const key = v.getDotPath(issue) ?? ''
  const missing = issue.received === 'undefined'
  const expected = missing ? 'a value' : issue.expected ?? 'a valid value'
  throw new FormatError(`${show(FILE)} ${show(key)} expected ${expected}, got ${missing ? 'none' : issue.received}`)
}

function heads(
  width: number,
  count: number,
  widthKey: string,
  countKey: string,
): { hiddenSize: number, heads: number } {
  if (width % count !== 0) {
    throw new FormatError(
      `${show(FILE)} ${show(widthKey)} expected a multiple of ${show(countKey)} (${count}), got ${width}`,
    )
  }
  return { hiddenSize: width, heads: count }
}

function activation(key: string, name: string): Activation {
  const found = Object.hasOwn(ACTIVATIONS, name) ? ACTIVATIONS[name] : undefined
  if (found === undefined) {
    throw new FormatError(
      `${show(FILE)} ${show(key)} expected one of ${Object.keys(ACTIVATIONS).join(', ')}, got ${show(name)}`,
    )
  }
  return found
}

function positions(rows: number, offset: number): number {
  if (rows <= offset) {
    throw new FormatError(`${show(FILE)} "max_position_embeddings" expected more than ${offset}, got ${rows}`)
  }
  return rows - offset
}

function labels(byId: Record<string, string>): readonly string[] {
  const count = Object.keys(byId).length
  const names: string[] = []
  for (let id = 0; id < count; id++) {
    if (!Object.hasOwn(byId, String(id))) {
      throw new FormatError(`${show(FILE)} "id2label" expected the ids 0 to ${count - 1}, got none for ${id}`)
    }
    names.push(byId[String(id)])
  }
  return Object.freeze(names)
}
