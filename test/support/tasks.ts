/** Small classifiers on the tiny models of test/fixtures, with factors, head and batch that are not zero. */
import { attachLora } from '../../src/peft/lora.ts'
import type { LoraConfig } from '../../src/peft/lora.ts'
import { HEAD_BIAS, HEAD_WEIGHT, textClassifier } from '../../src/train/classifier.ts'
import type { Classifier } from '../../src/train/classifier.ts'
import { encoderOf } from './golden.ts'
import { rng } from './rng.ts'

export const SEQUENCES = [[2, 9, 14, 7, 3], [2, 3], [2, 21, 8, 8, 30, 11, 3], [2, 17, 3]]
export const TARGETS = Int32Array.of(1, 0, 2, 1)
export const LABELS = ['a', 'b', 'c']

export type TaskOptions = Partial<LoraConfig> & {
  readonly folder?: string
  /** No adapter. */
  readonly base?: boolean
  readonly trainable?: boolean
  /** Leave B at zero, as it starts. */
  readonly zeroB?: boolean
}

/** A classifier in an engine of its own; the same options give the same values. */
export async function tinyTask({ folder = 'tiny-bert', base = false, trainable = false, zeroB = false, ...lora }: TaskOptions = {}): Promise<Classifier> {
  const encoder = await encoderOf(`test/fixtures/${folder}`, { trainable })
  const adapter = base ? undefined : attachLora(encoder, { rank: 4, alpha: 8, sites: ['query', 'value', 'intermediate.dense'], seed: 3, ...lora })
  const task = textClassifier({ encoder, labels: LABELS, adapter }), random = rng(77)
  task.parameters.get(HEAD_WEIGHT)!.write(random.f32(LABELS.length * encoder.embeddingWidth, 0.2))
  task.parameters.get(HEAD_BIAS)!.write(random.f32(LABELS.length, 0.2))
  if (!zeroB) for (const { Bt } of adapter?.pairs ?? []) Bt.write(random.f32(Bt.length, 0.2))
  return task
}

/** All values of a task, by name, frozen weights included. */
export function snapshot(task: Classifier): Map<string, Float32Array> {
  const values = new Map([...task.parameters].map(([name, tensor]) => [name, tensor.read()]))
  for (const site of task.encoder.sites) values.set(`${site.name} (frozen)`, site.weight.read())
  return values
}
