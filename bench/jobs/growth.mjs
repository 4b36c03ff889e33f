// Times of training steps of models and batches of several sizes, in turn.
import { adamw, attachLora, loadModel, sliceOf, textClassifier, trainStep } from '../../dist/index.js'
import { node } from '../../dist/runtime/node.js'
import { median } from '../lib/timing.mjs'
import { makeBatch } from '../peers/inputs.mjs'

const { quick, series } = JSON.parse(process.argv[2])
const ROUNDS = quick ? 2 : 7

/** A step at one size: { folder, config, count, tokens, rank, maxRank }. */
async function prepare({ folder, config, count, tokens, rank, maxRank }) {
  const { encoder } = await loadModel(node(), folder, { format: 'f32' })
  const task = textClassifier({ encoder, labels: ['0', '1'], adapter: attachLora(encoder, { rank: maxRank, alpha: 16, sites: ['query', 'value'] }) })
  const { sequences, labels } = makeBatch(config, count, tokens)
  const batch = task.pack(sequences), targets = Int32Array.from(labels), slice = sliceOf(task, { rank }), optimizer = adamw({ learningRate: 1e-3 })
  return () => trainStep(task, batch, targets, slice, optimizer)
}

const steps = []
for (const size of series) steps.push(await prepare(size))
// a head at zero: the first loss is ln 2, whatever the size
const losses = steps.map((step) => step().loss)
for (const step of steps) step()
const times = steps.map(() => [])
for (let round = 0; round < ROUNDS; round++) {
  steps.forEach((step, i) => {
    const start = performance.now()
    step()
    times[i].push(performance.now() - start)
  })
}
console.log(JSON.stringify({ ms: times.map(median), losses }))
