/**
 * A hundred steps of each family with LoRA and with DyLoRA, over f32 and int8 weights; and some of full fine-tuning.
 * @module
 */
import { adamw, sgd } from '../optim/optimizer.ts'
import { attachLora } from '../peft/lora.ts'
import { readSlice } from '../peft/slice.ts'
import { random } from '../random.ts'
import { sliceOf, textClassifier } from '../train/classifier.ts'
import type { Classifier, SliceOptions } from '../train/classifier.ts'
import { predict, trainStep } from '../train/step.ts'
import type { Optimizer } from '../optim/optimizer.ts'
import { SITES, tinyEncoder } from './models.ts'
import type { Family } from './models.ts'
import type { Level, Section } from './section.ts'
import type { Sink } from './sink.ts'

const LABELS = ['ham', 'spam', 'neither']
const RANK = 5

interface Run {
  readonly steps: number
  readonly optimizer: Optimizer
  /** The slice of a step. */
  slice(step: number): SliceOptions
  readonly dropout: number
}

/** Steps on random texts of 1 to 9 tokens; losses, norms and, in the end, every trained value. */
function train(task: Classifier, label: string, { steps, optimizer, slice, dropout }: Run, sink: Sink): void {
  for (let step = 0; step < steps; step++) {
    const source = random('selftest batch', label, step)
    const texts = Array.from({ length: 2 + source.below(3) }, () =>
      Int32Array.from({ length: 1 + source.below(9) }, () => source.below(task.encoder.vocabularySize)))
    const { loss, gradientNorm, correct } = trainStep(task, task.pack(texts), Int32Array.from(texts, () => source.below(LABELS.length)),
      sliceOf(task, slice(step)), optimizer, {
        maxGradientNorm: 0.5, dropout: dropout > 0 ? { rate: dropout, key: [source.u32() | 0, step] } : undefined,
      })
    sink.f64(loss, gradientNorm, correct)
  }
  sink.f32(readSlice(task.parameters, sliceOf(task)))
  sink.f32(predict(task, task.pack([Int32Array.of(1, 2, 3, 4, 5), Int32Array.of(7)])))
}

function lora(family: Family, format: 'f32' | 'f16' | 'bf16' | 'int8', steps = 100, level: Level = 'full', name = `${family} lora ${format}`): Section {
  return { name: `train/${name}`, level, async run({ engine }, sink) {
    const encoder = await tinyEncoder(engine, family, { format })
    const adapter = attachLora(encoder, { rank: RANK, alpha: 7, sites: SITES[family], seed: 3 })
    train(textClassifier({ encoder, labels: LABELS, adapter }), name,
      { steps, optimizer: adamw({ learningRate: 0.01, weightDecay: 0.01 }), slice: () => ({}), dropout: 0.1 }, sink)
  } }
}

function dylora(family: Family, format: 'f32' | 'int8'): Section {
  const name = `${family} dylora ${format}`
  return { name: `train/${name}`, level: 'full', async run({ engine }, sink) {
    const encoder = await tinyEncoder(engine, family, { format })
    const adapter = attachLora(encoder, { rank: RANK, alpha: 7, sites: SITES[family], seed: 4, scaling: 'alpha/sqrt(r)' })
    const ranks = random('selftest ranks', name)
    const drawn = Array.from({ length: 100 }, () => 1 + ranks.below(RANK))
    train(textClassifier({ encoder, labels: LABELS, adapter }), name, {
      steps: 100, optimizer: sgd({ learningRate: 0.1, momentum: 0.9 }), dropout: 0,
      slice: step => ({ rank: drawn[step], variant: step % 3 === 2 ? 'row' : 'prefix', factors: (['both', 'B', 'A'] as const)[step % 7 % 3] }),
    }, sink)
  } }
}

function full(family: Family): Section {
  return { name: `train/${family} full`, level: 'full', async run({ engine }, sink) {
    const encoder = await tinyEncoder(engine, family, { trainable: true })
    train(textClassifier({ encoder, labels: LABELS }), `${family} full`,
      { steps: 20, optimizer: adamw({ learningRate: 1e-3 }), slice: () => ({}), dropout: 0.1 }, sink)
  } }
}

const FAMILIES = ['bert', 'roberta', 'distilbert', 'use-lite'] as const

export const training: readonly Section[] = [
  lora('bert', 'f32', 6, 'quick', 'bert lora f32, six steps'),
  ...FAMILIES.flatMap(family => (['f32', 'int8'] as const).flatMap(format => [lora(family, format), dylora(family, format)])),
  lora('bert', 'f16', 30), lora('roberta', 'bf16', 30),
  ...FAMILIES.map(full),
]
