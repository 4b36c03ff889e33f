// How far an int8 base is from an f32 base on the same batch: cosines of the logits and of every gradient of the adapter.
import { createEngine } from '../../dist/wasm/engine.js'
import { node } from '../../dist/runtime/node.js'
import { withGradients } from '../../dist/train/gradients.js'
import { predict } from '../../dist/train/step.js'
import { cosine } from '../../scripts/quality/cosines.mjs'
import { load } from './sotto_step.mjs'

const { inputs, batch } = JSON.parse(process.argv[2])

async function outcome(format) {
  const engine = await createEngine(node())
  const { task, slice, batch: packed, targets } = await load({ inputs, batch, format, engine })
  const logits = predict(task, packed)
  return withGradients(task, packed, targets, slice, {}, (gradients, { loss, gradientNorm }) => ({
    logits, loss, gradNorm: gradientNorm,
    gradients: new Map([...gradients].map(([part, at]) => [part.tensor, engine.arena.f32(at, (part.to - part.from) * part.columns).slice()])),
  }))
}

const f32 = await outcome('f32'), int8 = await outcome('int8')
const cosines = [...f32.gradients].map(([name, values]) => ({ name, cosine: cosine(values, int8.gradients.get(name)) }))
console.log(JSON.stringify({ loss: int8.loss, gradNorm: int8.gradNorm, lossF32: f32.loss, logits: cosine(f32.logits, int8.logits), gradients: cosines }))
