/**
 * A model folder as Hugging Face lays it out: config.json, model.safetensors (or shards), and for sentence encoders
 * the pooling that was trained with it.
 * @module
 */
import { show } from '../assert.ts'
import { FormatError } from '../errors.ts'
import { encoderConfig, readConfig } from './config.ts'
import type { EncoderConfig } from './config.ts'
import { asObject, parseJson } from './json.ts'
import { openCheckpoint } from './sharded.ts'
import { readFile } from './source.ts'
import type { FileSource } from './source.ts'
import { namedWeights } from './weights.ts'
import type { Weights } from './weights.ts'

/** How token vectors become one vector of a text. */
export type Pooling = 'mean' | 'cls'

/** An encoder, checked and ready to be read. */
export interface HubModel {
  readonly config: EncoderConfig
  readonly weights: Weights
  /** The pooling that `1_Pooling/config.json` states, where the folder is that of a sentence encoder. */
  readonly pooling: Pooling | undefined
}

/** Prefixes of a task model, by architecture. */
export const PREFIXES: Readonly<Record<EncoderConfig['architecture'], readonly string[]>> = {
  bert: ['bert.'],
  roberta: ['roberta.'],
  distilbert: ['distilbert.'],
}

/**
 * Opens a model folder: checks the configuration and the whole list of tensors, reads no values yet.
 *
 * @throws FormatError naming the file and what is wrong with it.
 */
export async function openHubModel(source: FileSource): Promise<HubModel> {
  const config = encoderConfig(await readConfig(source))
  const weights = namedWeights(await openCheckpoint(source), PREFIXES[config.architecture])
  const table = 'embeddings.word_embeddings.weight'
  const { shape } = weights.info(table)
  if (shape.length !== 2 || shape[0] !== config.vocabularySize || shape[1] !== config.hiddenSize) {
    throw new FormatError(
      `tensor ${show(table)} expected shape [${config.vocabularySize}, ${config.hiddenSize}] (vocab_size and width ` +
        `of config.json), got [${shape.join(', ')}]; config.json and the weights must come from the same model`,
    )
  }
  return Object.freeze({ config, weights, pooling: await readPooling(source) })
}

const POOLING_FILE = '1_Pooling/config.json'

async function readPooling(source: FileSource): Promise<Pooling | undefined> {
  if (!await source.has(POOLING_FILE)) return undefined
  const bytes = await readFile(source, POOLING_FILE, 'pooling of a sentence encoder')
  const config = asObject(parseJson(bytes, POOLING_FILE).value, POOLING_FILE)
  const modes = Object.keys(config).filter(key => key.startsWith('pooling_mode_') && config[key] === true)
  if (modes.length === 1 && modes[0] === 'pooling_mode_mean_tokens') return 'mean'
  if (modes.length === 1 && modes[0] === 'pooling_mode_cls_token') return 'cls'
  throw new FormatError(
    `${show(POOLING_FILE)} expected pooling_mode_mean_tokens or pooling_mode_cls_token alone, got ${show(modes)}`,
  )
}
