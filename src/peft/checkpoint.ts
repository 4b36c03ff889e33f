/**
 * Adapters as files: what Hugging Face PEFT loads (`adapter_model.safetensors`, `adapter_config.json`), and beside it
 * the linear head (`head.safetensors`) and what it was trained for (`classifier.json`).
 *
 * A rank prefix b of a DyLoRA adapter is written as an adapter of rank b: its scale is then PEFT's own alpha / b.
 * @module
 */
import { aString, anInteger, anOptions, show } from '../assert.ts'
import { asObject, parseJson } from '../checkpoint/json.ts'
import { openSafetensors, writeSafetensors } from '../checkpoint/safetensors.ts'
import type { TensorData } from '../checkpoint/safetensors.ts'
import { readFile } from '../checkpoint/source.ts'
import type { FileSource } from '../checkpoint/source.ts'
import { readF32, tensorInfo } from '../checkpoint/tensor-file.ts'
import type { TensorFile } from '../checkpoint/tensor-file.ts'
import { FormatError } from '../errors.ts'
import type { Encoder } from '../model/encoder.ts'
import { NUMERICS_KEY, NUMERICS_VERSION, numericsOf } from '../numerics.ts'
import type { Site } from '../ops/pass.ts'
import { attachLora, matchesSite } from './lora.ts'
import type { LoraAdapter } from './lora.ts'
import { CONFIG_FILE, readPeftConfig, writePeftConfig } from './peft-config.ts'

const MODEL_FILE = 'adapter_model.safetensors', HEAD_FILE = 'head.safetensors', CLASSIFIER_FILE = 'classifier.json'
const WEIGHT = 'head.weight', BIAS = 'head.bias'
const METADATA = { format: 'pt', [NUMERICS_KEY]: String(NUMERICS_VERSION) }

/** Names that PEFT puts before the model's own, and task models of Hugging Face before the encoder's. */
const PREFIX = /^base_model\.model\.(?:(?:bert|roberta|distilbert)\.)?(.+)\.lora_([AB])\.weight$/
/** Linear layers of Hugging Face's encoders that no loss of ours reaches. */
const UNUSED = ['pooler.dense']

/** What is exported: a classifier. */
export interface Exportable {
  readonly encoder: Encoder
  readonly adapter: LoraAdapter | undefined
  readonly labels: readonly string[]
  readonly head: Site
}

/** Options of `exportAdapter`. */
export interface ExportOptions {
  /** Rank prefix b to export; default: the adapter's maximum. */
  readonly rank?: number
  /** `base_model_name_or_path` of adapter_config.json, e.g. a name on the Hugging Face hub. */
  readonly baseModel?: string
}

/** Values of a linear head. */
export interface Head {
  /** [labels, width of an embedding] */
  readonly weight: Float32Array
  /** [labels] */
  readonly bias: Float32Array
}

/** What an adapter's folder holds. */
export interface ImportedAdapter {
  readonly adapter: LoraAdapter
  /** Undefined where the folder has no head, as PEFT's own have none. */
  readonly head: Head | undefined
  /** Undefined where the folder has no classifier.json. */
  readonly labels: readonly string[] | undefined
  /**
   * Version of the numerics that the factors were trained with; undefined where the file names none, as PEFT's own. The
   * values are used as they are, whatever it is: compare it with `NUMERICS_VERSION` where a training shall be repeated.
   */
  readonly numerics: number | undefined
}

/**
 * The files of a classifier's adapter and head. The same values give the same bytes.
 *
 * PEFT loads them for models that transformers has (the BERT family): `PeftModel.from_pretrained(AutoModel..., folder)`.
 *
 * @throws Error where the classifier has no adapter, or a value is not finite
 */
export function exportAdapter(task: Exportable, options: ExportOptions = {}): Record<string, Uint8Array | string> {
  anOptions('export', options, ['rank', 'baseModel'])
  const { encoder, adapter, head, labels } = task
  if (adapter === undefined) {
    throw new Error('export expected a classifier with an adapter, got one without; attach a LoRA adapter ' +
      'before training')
  }
  const rank = anInteger('rank', options.rank ?? adapter.config.rank, 1, adapter.config.rank)
  const baseModel = options.baseModel === undefined ? null : aString('baseModel', options.baseModel)
  const tensors = new Map<string, TensorData>()
  for (const { site, A, Bt } of adapter.pairs) {
    const name = `base_model.model.${site.name}`, { inputs, outputs } = site.weight
    tensors.set(`${name}.lora_A.weight`, { dtype: 'F32', shape: [rank, inputs], data: A.read(0, rank) })
    const B = transpose(Bt.read(0, rank), rank, outputs)
    tensors.set(`${name}.lora_B.weight`, { dtype: 'F32', shape: [outputs, rank], data: B })
  }
  for (const [name, { data }] of tensors) {
    if (!(data as Float32Array).every(Number.isFinite)) {
      throw new Error(`export expected finite numbers, got others in ${show(name)}; export an earlier state`)
    }
  }
  const { alpha, scaling, sites } = adapter.config
  // a word that would match more in transformers' model than here gives way to the whole names
  const wide = sites.some(word => UNUSED.some(name => matchesSite(name, word)))
  const words = wide ? adapter.pairs.map(({ site }) => site.name) : [...sites]
  const { outputs, inputs } = head.weight, { architecture, pooling } = encoder
  return {
    [MODEL_FILE]: writeSafetensors(tensors, METADATA),
    [CONFIG_FILE]: writePeftConfig({ rank, alpha, scaling, words: words.sort() }, baseModel),
    [HEAD_FILE]: writeSafetensors(new Map([
      [WEIGHT, { dtype: 'F32', shape: [outputs, inputs], data: head.weight.read() }],
      [BIAS, { dtype: 'F32', shape: [outputs], data: head.bias?.read() ?? new Float32Array(outputs) }],
    ]), METADATA),
    [CLASSIFIER_FILE]: `${JSON.stringify({ architecture, pooling, labels }, null, 2)}\n`,
  }
}

/**
 * Reads an adapter's folder, PEFT's or one of `exportAdapter`, and attaches it to an encoder. Everything is checked, and
 * all values are read, before anything is attached.
 *
 * @throws FormatError or RangeError naming the file and the key or tensor that does not fit this encoder.
 */
export async function importAdapter(encoder: Encoder, source: FileSource): Promise<ImportedAdapter> {
  const config = readPeftConfig(await readFile(source, CONFIG_FILE, 'the settings of the adapter'))
  if (!await source.has(MODEL_FILE)) {
    throw new FormatError(`file expected ${show(MODEL_FILE)} (the factors of the adapter), got none; check the ` +
      `folder's path`)
  }
  const file = await openSafetensors(source, MODEL_FILE)
  const numerics = numericsOf(MODEL_FILE, file.metadata)
  const factors = pairNames(file, encoder)
  const values = new Map<string, { A: Float32Array, Bt: Float32Array }>()
  for (const [name, { A, B, site: { weight: { inputs, outputs } } }] of factors) {
    const a = await finite(file, A, [config.rank, inputs]), b = await finite(file, B, [outputs, config.rank])
    values.set(name, { A: a, Bt: transpose(b, outputs, config.rank) })
  }
  const imported = await importHead(encoder, source)
  const names = [...factors.keys()]
  // the short words, where they say the same; else every name
  const covered = (name: string) => config.words.some(word => matchesSite(name, word))
  const short = config.words.length > 0 && encoder.sites.every(site => covered(site.name) === factors.has(site.name)) &&
    config.words.every(word => names.some(name => matchesSite(name, word)))
  const { words, ...settings } = config
  const adapter = attachLora(encoder, { ...settings, sites: short ? words : names })
  for (const { site, A, Bt } of adapter.pairs) {
    const pair = values.get(site.name)!
    A.write(pair.A)
    Bt.write(pair.Bt)
  }
  return Object.freeze({ adapter, ...imported, numerics })
}

interface PairNames { readonly site: Site, readonly A: string, readonly B: string }

/** The tensors of each site's pair; every tensor of the file must belong to one. */
function pairNames(file: TensorFile, encoder: Encoder): Map<string, PairNames> {
  const sites = new Map(encoder.sites.map(site => [site.name, site]))
  const found = new Map<string, { A?: string, B?: string }>()
  for (const name of file.tensors.keys()) {
    const [, site, factor] = PREFIX.exec(name) ?? []
    if (site !== undefined && UNUSED.includes(site)) continue
    if (site === undefined || !sites.has(site)) {
      throw new FormatError(`${show(file.title)} expected factors of linear layers of this ` +
        `${encoder.architecture} model alone ` +
        `(base_model.model.NAME.lora_A.weight), got tensor ${show(name)}; load the model that the adapter was trained on`)
    }
    const pair = found.get(site) ?? {}
    const other = factor === 'A' ? pair.A : pair.B
    if (other !== undefined) {
      throw new FormatError(`${show(file.title)} expected one factor ${factor} of ${show(site)}, got ` +
        `${show(other)} and ${show(name)}`)
    }
    found.set(site, { ...pair, [factor]: name })
  }
  if (found.size === 0) throw new FormatError(`${show(file.title)} expected at least one pair of factors, got none`)
  const pairs = new Map<string, PairNames>()
  for (const [name, { A, B }] of found) {
    if (A === undefined || B === undefined) {
      throw new FormatError(`${show(file.title)} expected both factors of ${show(name)}, got ` +
        `lora_${A === undefined ? 'B' : 'A'} alone`)
    }
    pairs.set(name, { site: sites.get(name)!, A, B })
  }
  return pairs
}

async function importHead(encoder: Encoder, source: FileSource): Promise<Omit<ImportedAdapter, 'adapter' | 'numerics'>> {
  const known = await source.has(CLASSIFIER_FILE)
  const labels = known ? readClassifier(encoder, await source.read(CLASSIFIER_FILE)) : undefined
  if (!await source.has(HEAD_FILE)) {
    if (labels) {
      throw new FormatError(`file expected ${show(HEAD_FILE)} beside ${show(CLASSIFIER_FILE)}, got none; the ` +
        `folder is not complete`)
    }
    return { head: undefined, labels }
  }
  const file = await openSafetensors(source, HEAD_FILE)
  for (const name of file.tensors.keys()) {
    if (name !== WEIGHT && name !== BIAS) {
      throw new FormatError(`${show(HEAD_FILE)} expected ${WEIGHT} and ${BIAS} alone, got tensor ${show(name)}`)
    }
  }
  const count = labels?.length ?? tensorInfo(file, BIAS).shape[0]
  const weight = await finite(file, WEIGHT, [count, encoder.embeddingWidth])
  return { head: { weight, bias: await finite(file, BIAS, [count]) }, labels }
}

function readClassifier(encoder: Encoder, bytes: Uint8Array): readonly string[] {
  const { architecture, pooling, labels } = asObject(parseJson(bytes, CLASSIFIER_FILE).value, CLASSIFIER_FILE)
  const facts = [['architecture', architecture, encoder.architecture], ['pooling', pooling, encoder.pooling]] as const
  for (const [key, got, expected] of facts) {
    if (got !== expected) {
      throw new FormatError(`${show(CLASSIFIER_FILE)} ${show(key)} expected ${show(expected)} as the model that ` +
        `is loaded, got ${show(got)}; load the model that it was trained on`)
    }
  }
  const named = Array.isArray(labels) && labels.every(label => typeof label === 'string' && label !== '')
  if (!named || labels.length < 2 || new Set(labels).size !== labels.length) {
    throw new FormatError(`${show(CLASSIFIER_FILE)} "labels" expected at least two different names, got ` +
      `${show(labels)}`)
  }
  return Object.freeze([...labels as string[]])
}

/** A tensor's values, none of them NaN or infinite. */
async function finite(file: TensorFile, name: string, shape: readonly number[]): Promise<Float32Array> {
  const values = await readF32(file, name, shape)
  const bad = values.findIndex(value => !Number.isFinite(value))
  if (bad >= 0) {
    throw new FormatError(`${show(file.title)} expected finite numbers in tensor ${show(name)}, got ` +
      `${values[bad]} at element ${bad}`)
  }
  return values
}

/** [rows, columns] to [columns, rows]. */
function transpose(values: Float32Array, rows: number, columns: number): Float32Array {
  const out = new Float32Array(values.length)
  for (let i = 0; i < rows; i++) for (let j = 0; j < columns; j++) out[j * rows + i] = values[i * columns + j]
  return out
}
