/** Model folders in memory: of test/fixtures, quantised, cut into shards, with one tensor changed. */
import { createHash } from 'node:crypto'
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { parseSafetensors, writeSafetensors } from '../../src/checkpoint/safetensors.ts'
import type { TensorData } from '../../src/checkpoint/safetensors.ts'
import { memorySource } from '../../src/checkpoint/source.ts'
import type { FileSource } from '../../src/checkpoint/source.ts'
import { loadModel } from '../../src/model/load.ts'
import type { ModelOptions } from '../../src/model/load.ts'
import { quantizeModel } from '../../src/model/quantize.ts'
import type { QuantizeOptions } from '../../src/model/quantize.ts'
import { attachLora } from '../../src/peft/lora.ts'
import { node } from '../../src/runtime/node.ts'
import { sliceOf, textClassifier } from '../../src/train/classifier.ts'
import type { Classifier } from '../../src/train/classifier.ts'
import { withGradients } from '../../src/train/gradients.ts'
import { predict } from '../../src/train/step.ts'
import { createEngine } from '../../src/wasm/engine.ts'
import { rng } from './rng.ts'

export type Files = Record<string, Uint8Array | string>

/** The files of a folder. */
export function filesOf(folder: string): Files {
  const names = readdirSync(folder).filter(name => statSync(`${folder}/${name}`).isFile() && !name.startsWith('golden'))
  return Object.fromEntries(names.map(name => [name, new Uint8Array(readFileSync(`${folder}/${name}`))]))
}

/** The files of a folder, quantised. */
export async function quantized(files: Files, options: QuantizeOptions = {}): Promise<Files> {
  const engine = await createEngine(node()), parts: [Uint8Array, number][] = []
  const { config, bytes } = await quantizeModel(engine, memorySource(files), options, async (data, position) => { parts.push([data.slice(), position]) })
  const weights = new Uint8Array(bytes)
  for (const [data, position] of parts) weights.set(data, position)
  const beside = Object.entries(files).filter(([name]) => !/^(?:model\..*|.*\.bin|shard.*)$/.test(name))
  return { ...Object.fromEntries(beside), 'config.json': config, 'model.safetensors': weights }
}

/** The tensors of a file, and a way to write it again. */
export async function tensorsOf(bytes: Uint8Array): Promise<{ tensors: Map<string, TensorData>, metadata: Record<string, string> }> {
  const file = parseSafetensors(bytes), tensors = new Map<string, TensorData>()
  for (const [name, { dtype, shape }] of file.tensors) tensors.set(name, { dtype, shape, data: await file.bytes(name) })
  return { tensors, metadata: Object.fromEntries(file.metadata) }
}

/** The files with their weights changed. */
export async function changed(files: Files, change: (tensors: Map<string, TensorData>, metadata: Record<string, string>) => void): Promise<Files> {
  const { tensors, metadata } = await tensorsOf(files['model.safetensors'] as Uint8Array)
  change(tensors, metadata)
  return { ...files, 'model.safetensors': writeSafetensors(tensors, metadata) }
}

/** The files with their weights in `count` shards. */
export async function sharded(files: Files, count: number): Promise<Files> {
  const { tensors } = await tensorsOf(files['model.safetensors'] as Uint8Array)
  const parts = Array.from({ length: count }, () => new Map<string, TensorData>()), map: Record<string, string> = {}
  for (const [i, [name, tensor]] of [...tensors].entries()) {
    parts[i % count].set(name, tensor)
    map[name] = `shard-${i % count}.safetensors`
  }
  const { 'model.safetensors': _, ...rest } = files
  return { ...rest, ...Object.fromEntries(parts.map((part, i) => [`shard-${i}.safetensors`, writeSafetensors(part)])), 'model.safetensors.index.json': JSON.stringify({ weight_map: map }) }
}

/** A classifier with an adapter whose values are not zero, the same for the same model. */
export async function classifierOf(source: string | FileSource, options: ModelOptions = {}, sites = ['query', 'value']): Promise<Classifier> {
  const { encoder } = await loadModel(node(), source, options)
  return adapted(encoder, sites)
}

export function adapted(encoder: Classifier['encoder'], sites = ['query', 'value']): Classifier {
  const adapter = attachLora(encoder, { rank: 3, alpha: 6, sites, seed: 5 })
  const task = textClassifier({ encoder, labels: ['a', 'b', 'c'], adapter }), random = rng(9)
  for (const name of ['head.weight', 'head.bias']) task.parameters.get(name)!.write(random.f32(task.parameters.get(name)!.length, 0.3))
  for (const { Bt } of adapter.pairs) Bt.write(random.f32(Bt.length, 0.2))
  return task
}

const SEQUENCES = [[2, 9, 14, 7, 3], [2, 21, 8, 8, 30, 11, 3], [2, 17, 3]], TARGETS = Int32Array.of(1, 0, 2)

/** Logits and the gradient of every part of the adapter and head. */
export function outcome(task: Classifier): { logits: Float32Array, gradients: Map<string, Float32Array> } {
  const { arena } = task.encoder.engine, batch = task.pack(SEQUENCES), slice = sliceOf(task)
  const logits = predict(task, batch)
  const gradients = withGradients(task, batch, TARGETS, slice, {}, addresses => new Map(slice.parts.map(part =>
    [part.tensor, arena.f32(addresses.get(part)!, (part.to - part.from) * part.columns).slice()])))
  return { logits, gradients }
}

/** SHA-256 of logits and gradients. */
export function hashOutcome(task: Classifier): string {
  const { logits, gradients } = outcome(task), hash = createHash('sha256').update(new Uint8Array(logits.buffer))
  for (const [name, values] of gradients) hash.update(name).update(new Uint8Array(values.buffer))
  return hash.digest('hex')
}
