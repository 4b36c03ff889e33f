// A simulated federated training whose clients all have as much data, and the same training steps alone.
import { sgd, sliceOf, trainStep } from '../../dist/index.js'
import { node } from '../../dist/runtime/node.js'
import { simulate } from '../../dist/simulation/index.js'
import { generator, median } from '../lib/timing.mjs'

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
const reports = [], cpu = []
let before = process.cpuUsage()
for await (const report of simulation) {
  reports.push(report)
  const used = process.cpuUsage(before)
  before = process.cpuUsage()
  cpu.push((used.user + used.system) / 1e6)
}
const result = await simulation.result()
// the first round loads and compiles
const seconds = reports.map((report, i) => report.seconds - (i === 0 ? 0 : reports[i - 1].seconds)).slice(1)
const trained = reports.slice(1).map((report) => report.clients)
const output = {
  hash: result.finalHash, threads: result.threads, clients: trained.reduce((a, b) => a + b, 0), numbers: Math.round(reports[0].bytesDown / 4),
  clientMs: median(seconds.map((s, i) => 1000 * s / trained[i])), clientsPerCpuSecond: median(cpu.slice(1).map((s, i) => trained[i] / s)),
  peakRssMb: process.resourceUsage().maxRSS / 1024,
}
if (steps) {
  const { classifier } = result, slice = sliceOf(classifier, { rank })
  const sequences = () => Array.from({ length: batchSize }, () => [2, ...Array.from({ length: words }, pick), 3])
  const targets = Int32Array.from({ length: batchSize }, (_, i) => i % 2)
  const batches = Array.from({ length: 16 }, () => classifier.pack(sequences()))
  const perClient = examples / batchSize, optimizer = sgd({ learningRate: 0.01 })
  const times = Array.from({ length: 40 }, () => {
    const start = performance.now()
    for (const batch of batches) trainStep(classifier, batch, targets, slice, optimizer)
    return (performance.now() - start) / batches.length * perClient
  })
  output.stepsMs = median(times.slice(10))
}
console.log(JSON.stringify(output))
