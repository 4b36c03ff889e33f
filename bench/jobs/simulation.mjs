// A simulated federated training whose clients all have as much data, in turn with the same training steps alone.
import { attachLora, loadModel, sgd, sliceOf, textClassifier, trainStep } from '../../dist/index.js'
import { node } from '../../dist/runtime/node.js'
import { simulate } from '../../dist/simulation/index.js'
import { generator, median, timed } from '../lib/timing.mjs'

const { folder, population, cohort, rounds, threads, examples, words, batchSize, rank, vocabulary, noise, steps } = JSON.parse(process.argv[2])

const next = generator(5)
const pick = () => 5 + Math.floor(next() * (vocabulary - 5))
const example = () => ({ text: Array.from({ length: words }, () => `w${pick()}`).join(' '), label: next() < 0.5 ? 'a' : 'b' })
const clients = Array.from({ length: population }, (_, i) => ({ id: String(i), examples: Array.from({ length: examples }, example) }))
const local = { epochs: 1, batchSize, learningRate: 0.05 }

const simulation = simulate({
  host: node(), clients, test: [example(), example()], rounds, cohort, local, threads, evaluateEvery: rounds,
  task: { model: folder, labels: ['a', 'b'], lora: { rank, alpha: 16, sites: ['query', 'value'] }, format: 'f32' },
  method: { kind: 'lora' }, server: { optimizer: 'sgd', learningRate: 1 },
  ...(noise && { privacy: { unit: 'client', adjacency: 'add-remove', noiseMultiplier: 1, delta: 1e-6, population: 1_000_000, noiseCohort: 1000, clip: 0.5 } }),
})

/** The training steps of as many clients as a round has, alone, in an engine of their own. */
async function stepsAlone() {
  const { encoder } = await loadModel(node(), folder, { format: 'f32' })
  const classifier = textClassifier({ encoder, labels: ['a', 'b'], adapter: attachLora(encoder, { rank, alpha: 16, sites: ['query', 'value'] }) })
  const slice = sliceOf(classifier), optimizer = sgd({ learningRate: 0.01 })
  const targets = Int32Array.from({ length: batchSize }, (_, i) => i % 2)
  const batches = Array.from({ length: cohort * examples / batchSize }, () =>
    Array.from({ length: batchSize }, () => [2, ...Array.from({ length: words }, pick), 3]))
  return () => { for (const batch of batches) trainStep(classifier, classifier.pack(batch), targets, slice, optimizer) }
}

const alone = steps ? await stepsAlone() : undefined
const reports = [], roundMs = [], cpuSeconds = [], aloneMs = []
const turns = simulation[Symbol.asyncIterator]()
for (;;) {
  const start = performance.now(), cpu = process.cpuUsage()
  const { value, done } = await turns.next()
  if (done) break
  reports.push(value)
  const { user, system } = process.cpuUsage(cpu)
  roundMs.push(performance.now() - start)
  cpuSeconds.push((user + system) / 1e6)
  if (alone) aloneMs.push(timed(alone))
}
const result = await simulation.result()
// the first round loads and compiles, and so do the first steps
const trained = reports.slice(1).map((report) => report.clients)
const each = (values) => median(values.slice(1).map((value, i) => value / trained[i]))
console.log(JSON.stringify({
  hash: result.finalHash, threads: result.threads, clients: trained.reduce((a, b) => a + b, 0), numbers: Math.round(reports[0].bytesDown / 4),
  clientMs: each(roundMs), clientsPerCpuSecond: 1 / each(cpuSeconds), peakRssMb: process.resourceUsage().maxRSS / 1024,
  // each round is compared with the steps that came right after it
  ...(alone && { stepsMs: each(aloneMs), overheadMs: each(roundMs.map((ms, i) => ms - aloneMs[i])) }),
}))
