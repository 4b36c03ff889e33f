/**
 * A model folder in fewer bits: linear weights and tables as int8 with one scale a row, or as f16; the rest as it is. Read and
 * written some rows at a time. Loading the result gives the bits of quantising on load.
 * @module
 */
import { anOptions, oneOf, show } from '../assert.ts'
import { encoderConfig, readConfig } from '../checkpoint/config.ts'
import { fromF32, isFloat, toF32 } from '../checkpoint/dtype.ts'
import type { Dtype } from '../checkpoint/dtype.ts'
import { PREFIXES } from '../checkpoint/hub.ts'
import {
  CURRENT_VERSION, eachF32Rows, isInt8, QUANTIZATION, QUANTIZATION_NAME, QUANTIZATION_VERSION, scaleName,
} from '../checkpoint/rows.ts'
import { layoutSafetensors } from '../checkpoint/safetensors-layout.ts'
import { openCheckpoint } from '../checkpoint/sharded.ts'
import type { FileSource } from '../checkpoint/source.ts'
import { openTfjs } from '../checkpoint/tfjs.ts'
import { useLiteFile } from '../checkpoint/use-lite-file.ts'
import { namedWeights } from '../checkpoint/weights.ts'
import type { Weights } from '../checkpoint/weights.ts'
import { FormatError } from '../errors.ts'
import { NUMERICS_KEY, NUMERICS_VERSION } from '../numerics.ts'
import { integerRows } from '../ops/int8-rows.ts'
import { checkTerms } from '../ops/int8-weight.ts'
import { halfRows } from '../ops/table.ts'
import type { Engine } from '../wasm/engine.ts'
import { bertTensors } from './bert-names.ts'
import type { EncoderTensors } from './bert-names.ts'
import { USE_LITE_TYPE, useLiteTensors } from './use-lite.ts'

/** Formats of the result. */
export interface QuantizeOptions {
  /** Of linear weights. Default: `int8`. */
  readonly format?: 'int8' | 'f16'
  /** Of tables. Default: as `format`. */
  readonly embeddings?: 'int8' | 'f16' | 'f32'
  /** Linear layers, by the end of their names, that are kept in f16 where the others are int8. */
  readonly keep?: readonly string[]
}

/** Where the new model.safetensors goes: bytes at a position, in any order. */
export type Sink = (bytes: Uint8Array, position: number) => Promise<void>

/** What was made. */
export interface Quantized {
  /** The new config.json. */
  readonly config: string
  /** Bytes of model.safetensors. */
  readonly bytes: number
  /** Bytes of the checkpoint's tensors, in one file or in shards. */
  readonly before: number
  /** How many tensors have each type. */
  readonly types: Readonly<Partial<Record<Dtype, number>>>
  /** Tensors of the checkpoint that the encoder does not read, and that were left out. */
  readonly left: readonly string[]
}

/** A tensor of the result. */
interface Job {
  /** Its name in the checkpoint, and in the result. */
  readonly stored: string
  readonly plain: string
  readonly dtype: Dtype
  readonly shape: readonly number[]
}

/**
 * Writes model.safetensors with narrow weights.
 *
 * @param progress - called before each tensor with its name, its number and how many there are
 * @throws FormatError or RangeError naming the tensor that is missing, of another shape, not finite, too large for f16, or int8 already
 */
export async function quantizeModel(
  engine: Engine, source: FileSource, options: QuantizeOptions, sink: Sink,
  progress: (name: string, done: number, of: number) => void = () => {},
): Promise<Quantized> {
  anOptions('quantize', options, ['format', 'embeddings', 'keep'])
  const format = oneOf('format', options.format ?? 'int8', ['int8', 'f16'])
  const embeddings = oneOf('embeddings', options.embeddings ?? format, ['int8', 'f16', 'f32'])
  const { weights, tensors, config } = await open(source)
  const kept = keptSites(tensors.sites, options.keep ?? [])
  const job = (plain: string, as?: 'int8' | 'f16' | 'f32'): Job => {
    const { name: stored, dtype, shape } = weights.info(plain, tensors.shapes?.get(plain))
    if (isInt8(weights, plain)) throw new FormatError(`tensor ${show(stored)} expected a floating type, got I8; start from the model as it was before it was quantised`)
    return { stored, plain, shape, dtype: as === undefined ? dtype : as === 'int8' ? 'I8' : as === 'f16' ? 'F16' : 'F32' }
  }
  const weight = (name: string): Job => {
    const made = job(`${name}.weight`, kept.has(name) ? 'f16' : format)
    if (made.dtype === 'I8') checkTerms(made.stored, made.shape[0], made.shape[1])
    return made
  }
  const jobs = [
    ...tensors.tables.map(name => job(name, embeddings)),
    ...tensors.sites.flatMap(name => [weight(name), job(`${name}.bias`)]),
    ...tensors.others.map(name => job(name)),
  ]
  const int8 = jobs.filter(({ dtype }) => dtype === 'I8')
  const metadata = { format: 'pt', [NUMERICS_KEY]: String(NUMERICS_VERSION), ...(int8.length > 0 && { [QUANTIZATION]: QUANTIZATION_NAME, [QUANTIZATION_VERSION]: CURRENT_VERSION }) }
  const { header, places, bytes } = layoutSafetensors([
    ...jobs.map(({ stored: name, dtype, shape }) => ({ name, dtype, shape })),
    ...int8.map(({ stored, shape }) => ({ name: scaleName(stored), dtype: 'F32' as const, shape: [shape[0]] })),
  ], metadata)
  await sink(header, 0)
  for (const [i, each] of jobs.entries()) {
    progress(each.plain, i, jobs.length)
    await write(engine, weights, each, (name, data, offset) => sink(data, places.get(name)! + offset))
  }
  const types: Partial<Record<Dtype, number>> = {}
  for (const { dtype } of jobs) types[dtype] = (types[dtype] ?? 0) + 1
  const used = new Set(jobs.map(({ plain }) => plain))
  // other readers must not take integers for weights: a method that they do not know makes them stop
  const mark = int8.length > 0 ? { quantization_config: { quant_method: QUANTIZATION_NAME, version: Number(CURRENT_VERSION) } } : {}
  return {
    config: `${JSON.stringify({ ...config, ...mark }, null, 2)}\n`, bytes, types,
    before: weights.names.reduce((sum, name) => sum + weights.info(name).byteLength, 0),
    left: weights.names.filter(name => !used.has(name)),
  }
}

async function open(source: FileSource): Promise<{ weights: Weights, tensors: EncoderTensors, config: Record<string, unknown> }> {
  if (!await source.has('config.json') && await source.has('model.json')) {
    const weights = namedWeights(useLiteFile(await openTfjs(source)), [])
    return { weights, tensors: useLiteTensors(weights.names), config: { model_type: USE_LITE_TYPE } }
  }
  const config = await readConfig(source)
  if (config['model_type'] === USE_LITE_TYPE) {
    const weights = namedWeights(await openCheckpoint(source), [])
    return { weights, tensors: useLiteTensors(weights.names), config }
  }
  const encoder = encoderConfig(config)
  return { weights: namedWeights(await openCheckpoint(source), PREFIXES[encoder.architecture]), tensors: bertTensors(encoder), config }
}

function keptSites(sites: readonly string[], words: readonly string[]): ReadonlySet<string> {
  const matches = (site: string, word: string) => site === word || site.endsWith(`.${word}`)
  const unknown = words.find(word => !sites.some(site => matches(site, word)))
  if (unknown !== undefined) {
    const ends = [...new Set(sites.map(site => site.replace(/^.*?\.\d+\./, '')))]
    throw new RangeError(`"keep" expected ends of names of linear layers (${ends.join(', ')}), got ${show(unknown)}; name layers that this model has`)
  }
  return new Set(sites.filter(site => words.some(word => matches(site, word))))
}

/** One tensor, and the scales of its rows. */
async function write(
  engine: Engine, weights: Weights, { stored, plain, dtype, shape }: Job, put: (name: string, data: Uint8Array, offset: number) => Promise<void>,
): Promise<void> {
  const info = weights.info(plain)
  if (dtype === info.dtype) {
    for (let from = 0; from < info.byteLength; from += COPY) {
      const part = await weights.range(plain, from, Math.min(info.byteLength, from + COPY))
      if (isFloat(dtype)) checkValues(stored, toF32(part, dtype))
      await put(stored, part, from)
    }
    return
  }
  if (shape.length !== 2) throw new FormatError(`tensor ${show(stored)} expected a matrix, got shape [${shape.join(', ')}]`)
  const [rows, columns] = shape
  const scales = new Float32Array(dtype === 'I8' ? rows : 0)
  await eachF32Rows(weights, plain, [rows, columns], async (values, from) => {
    if (dtype === 'F32') return put(stored, fromF32(values, 'F32'), from * columns * 4)
    if (dtype === 'F16') return put(stored, halfRows(engine, plain, values), from * columns * 2)
    const part = integerRows(engine, plain, values, columns)
    scales.set(part.scales, from)
    return put(stored, new Uint8Array(part.values.buffer), from * columns)
  })
  if (dtype === 'I8') await put(scaleName(stored), fromF32(scales, 'F32'), 0)
}

/** Bytes that are copied at a time. */
const COPY = 2 ** 20

/** RangeError where a number that is copied is not finite: no step could use the result. */
function checkValues(title: string, values: Float32Array): void {
  const bad = values.find(value => !Number.isFinite(value))
  if (bad !== undefined) throw new RangeError(`tensor ${show(title)} expected finite numbers, got ${bad}; mend the checkpoint`)
}
