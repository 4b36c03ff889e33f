// One LoRA step of two layers of MiniLM's size on 4 x 128 tokens, and the way there from bytes: the same in every runtime.
import { openHubModel } from '../../src/checkpoint/hub.ts'
import { memorySource } from '../../src/checkpoint/source.ts'
import { loadBert } from '../../src/model/bert.ts'
import { adamw } from '../../src/optim/optimizer.ts'
import { attachLora } from '../../src/peft/lora.ts'
import { generic } from '../../src/runtime/generic.ts'
import { bertFiles } from '../../src/selftest/models.ts'
import { sliceOf, textClassifier } from '../../src/train/classifier.ts'
import { trainStep } from '../../src/train/step.ts'
import { createEngine } from '../../src/wasm/engine.ts'

export async function main(ground) {
  const { format, steps, small } = ground.input
  const host = { ...generic({ wasm: {} }), module: ground.wasm }
  const files = memorySource(bertFiles(small ? undefined : { width: 384, inner: 1536, heads: 12, vocabulary: 1000, positions: 128 }))
  const start = performance.now()
  const engine = await createEngine(host)
  const compiled = performance.now()
  const encoder = await loadBert(engine, await openHubModel(files), { format })
  const task = textClassifier({ encoder, labels: ['a', 'b'], adapter: attachLora(encoder, { rank: 8, alpha: 16, sites: ['query', 'value'] }) })
  const loaded = performance.now()
  const tokens = small ? 12 : 128, batch = task.pack(Array.from({ length: 4 }, (_, s) => Array.from({ length: tokens }, (_, i) => (7 * i + 31 * s) % 61)))
  const slice = sliceOf(task), optimizer = adamw({ learningRate: 1e-3 }), times = []
  let loss = 0
  for (let i = 0; i <= steps; i++) {
    const from = performance.now()
    const result = trainStep(task, batch, Int32Array.of(0, 1, 1, 0), slice, optimizer)
    times.push(performance.now() - from)
    // after one update
    if (i === 1) loss = result.loss
  }
  return { loss, compileMs: compiled - start, loadMs: loaded - compiled, firstMs: times[0], stepMs: times.slice(1).sort((a, b) => a - b)[Math.floor(steps / 2)] }
}
