/**
 * What is trained, as plain data, so that every thread builds the same.
 * @module
 */
import { canonicalJson, hashBytes, hashOf } from '../canonical.ts'
import type { Plain } from '../canonical.ts'
import type { Host } from '../host.ts'
import type { LoadOptions } from '../model/encoder.ts'
import { loadModel } from '../model/load.ts'
import type { Model } from '../model/load.ts'
import type { Pooling } from '../ops/pool.ts'
import { attachLora } from '../peft/lora.ts'
import type { LoraConfig } from '../peft/lora.ts'
import { textClassifier } from '../train/classifier.ts'
import type { Classifier } from '../train/classifier.ts'
import { createEngine } from '../wasm/engine.ts'
import type { SharedRegion } from '../wasm/engine.ts'

/** A task as plain data. */
export interface TaskDescription {
  /** Folder of the model, as the host knows it. */
  readonly model: string
  readonly labels: readonly string[]
  /** An adapter; without one the whole model is trained. */
  readonly lora?: LoraConfig
  readonly format?: NonNullable<LoadOptions['format']>
  readonly pooling?: Pooling
}

/** A task in memory. */
export interface Task extends Model {
  readonly classifier: Classifier
  /** Hash of the description and of the weights' files: what plans name. */
  readonly hash: string
  /** First address after what threads can share. */
  readonly sharedTop: number
}

/** Where a thread's own memory is, and where the shared weights start. */
export interface ThreadRegion {
  readonly memory: WebAssembly.Memory
  /** This thread's part. */
  readonly base: number
  readonly limit: number
  /** True: the frozen weights lie at the start of the memory already. */
  readonly attach: boolean
}

/** Builds a task; in a thread, around the weights that lie in the shared memory. */
export async function buildTask(host: Host, description: TaskDescription, region?: ThreadRegion): Promise<Task> {
  const { model: folder, labels, lora, format, pooling } = description
  const trainable = lora === undefined
  const start: SharedRegion | undefined = region &&
    { memory: region.memory, base: trainable ? region.base : 65536, limit: trainable ? region.limit : 65536 * 65536 }
  const engine = await createEngine(host, start ? { region: start } : {})
  const model = await loadModel(host, folder, {
    engine, trainable, attach: !trainable && region?.attach === true,
    ...(format && { format }), ...(pooling && { pooling }),
  })
  const sharedTop = engine.arena.top
  // weights that are trained are a thread's own; frozen ones are shared, and what follows is the thread's own
  if (region && !trainable) engine.arena.continueAt(region.base, region.limit)
  const adapter = lora && attachLora(model.encoder, lora)
  const classifier = textClassifier({ encoder: model.encoder, labels, adapter })
  return Object.freeze({ ...model, classifier, sharedTop, hash: await taskHash(host, description) })
}

/** Hash of the description, but for where the model lies, and of the model's files. */
async function taskHash(host: Host, { model, ...rest }: TaskDescription): Promise<string> {
  const source = host.folder(model)
  const files: { [name: string]: string } = {}
  for (const name of ['config.json', 'model.safetensors', 'model.safetensors.index.json', 'tokenizer.json', 'model.json', 'vocab.json']) {
    if (await source.has(name)) files[name] = await fingerprint(source, name)
  }
  return hashOf({ files, description: JSON.parse(canonicalJson(rest as unknown as Plain)) as Plain })
}

/** SHA-256 of a small file; of a large one, of its length, its start and its end: to tell models apart, not to prove one. */
async function fingerprint(source: ReturnType<Host['folder']>, name: string): Promise<string> {
  const size = await source.size?.(name)
  if (size === undefined || source.readRange === undefined || size < 2 ** 20) return hashBytes(await source.read(name))
  const ends = [await source.readRange(name, 0, 2 ** 19), await source.readRange(name, size - 2 ** 19, size)]
  return hashOf({ size, ends: ends.map(bytes => hashBytes(bytes)) })
}
