/**
 * What is trained, as plain data, so that every thread builds the same.
 * @module
 */
import { canonicalJson, hashOf } from '../canonical.ts'
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
import { hashModelFiles } from './model-files.ts'

/** A task as plain data. */
export interface TaskDescription {
  /** Folder of the model, as the host knows it. */
  readonly model: string
  readonly labels: readonly string[]
  /** An adapter; without one the whole model is trained. */
  readonly lora?: LoraConfig
  readonly format?: NonNullable<LoadOptions['format']>
  readonly embeddings?: NonNullable<LoadOptions['embeddings']>
  readonly pooling?: Pooling
}

/** A task in memory. */
export interface Task extends Model {
  readonly classifier: Classifier
  /** Hash of the description and of the model's files: what plans name. */
  readonly hash: string
  /** SHA-256 of each of the model's files. */
  readonly files: Readonly<Record<string, string>>
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

/**
 * Builds a task; in a thread, around the weights that lie in the shared memory.
 *
 * @param identity - where it is known already: the files are not hashed again
 */
export async function buildTask(
  host: Host, description: TaskDescription, region?: ThreadRegion, identity?: TaskIdentity,
): Promise<Task> {
  const { model: folder, labels, lora, format, embeddings, pooling } = description
  const trainable = lora === undefined
  const start: SharedRegion | undefined = region &&
    { memory: region.memory, base: trainable ? region.base : 65536, limit: trainable ? region.limit : 65536 * 65536 }
  const engine = await createEngine(host, start ? { region: start } : {})
  const model = await loadModel(host, folder, {
    engine, trainable, attach: !trainable && region?.attach === true,
    ...(format && { format }), ...(embeddings && { embeddings }), ...(pooling && { pooling }),
  })
  const sharedTop = engine.arena.top
  // weights that are trained are a thread's own; frozen ones are shared, and what follows is the thread's own
  if (region && !trainable) engine.arena.continueAt(region.base, region.limit)
  const adapter = lora && attachLora(model.encoder, lora)
  const classifier = textClassifier({ encoder: model.encoder, labels, adapter })
  return Object.freeze({ ...model, classifier, sharedTop, ...identity ?? await identify(host, description) })
}

/** What a task is, to the last bit of the model. */
export interface TaskIdentity {
  /** SHA-256 of each of the model's files. */
  readonly files: Readonly<Record<string, string>>
  /** Hash of them and of the description, but for where the model lies. */
  readonly hash: string
}

/** Reads and hashes the model's files. */
export async function identify(host: Host, description: TaskDescription): Promise<TaskIdentity> {
  const files = await hashModelFiles(host, description.model)
  return Object.freeze({ files, hash: taskHash(files, description) })
}

/** Hash of a task. */
export function taskHash(files: TaskIdentity['files'], { model: _, ...rest }: Omit<TaskDescription, 'model'> & { model?: string }): string {
  return hashOf({ files, description: JSON.parse(canonicalJson(rest as unknown as Plain)) as Plain })
}
