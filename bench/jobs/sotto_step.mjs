// The training step in Sotto: node bench/jobs/sotto_step.mjs INPUTS [--batch FILE] [--format f32|int8], as the peers'.
//
// As a user writes it, with the package's own loader; the adapter's values are those of the peers.
import { readFileSync } from 'node:fs'
import { loadModel, attachLora, adamw, sliceOf, textClassifier, trainStep } from '../../dist/index.js'
import { node } from '../../dist/runtime/node.js'
import { ALPHA, RANK } from '../peers/inputs.mjs'
import { readSafetensors } from '../peers/safetensors.mjs'
import { measure, options } from '../peers/step.mjs'

/** A classifier with the adapter and head of INPUTS, and its batch. */
export async function load({ inputs, batch: path, format, engine }) {
  const { encoder } = await loadModel(node(), inputs, { format, ...(engine && { engine }) })
  const adapter = attachLora(encoder, { rank: RANK, alpha: ALPHA, sites: ['query', 'value'] })
  const stored = readSafetensors(`${inputs}/adapter.safetensors`)
  for (const { site, A, Bt } of adapter.pairs) {
    const values = (factor) => stored[`base_model.model.${site.name}.lora_${factor}.weight`].data
    const B = values('B'), N = site.weight.outputs
    A.write(values('A'))
    Bt.write(Float32Array.from(B, (_, i) => B[(i % N) * RANK + Math.floor(i / N)]))
  }
  const head = { weight: stored['head.weight'].data, bias: stored['head.bias'].data }
  const task = textClassifier({ encoder, labels: ['0', '1'], adapter, head })
  const { sequences, labels } = JSON.parse(readFileSync(path, 'utf8'))
  return { task, slice: sliceOf(task), batch: task.pack(sequences), targets: Int32Array.from(labels) }
}

if (process.argv[1] === import.meta.filename) {
  const settings = options()
  const { task, slice, batch, targets } = await load(settings)
  const optimizer = adamw({ learningRate: 1e-3, weightDecay: 0.01 })
  const step = () => {
    const { loss, gradientNorm } = trainStep(task, batch, targets, slice, optimizer)
    return { loss, gradNorm: gradientNorm }
  }
  const { length } = batch.ids
  await measure({
    peer: 'Sotto', version: settings.format, step, batch: { tokens: length, B: 1, T: length }, settings,
    arena_peak_mb: task.encoder.engine.arena.peak / 2 ** 20,
  })
}
