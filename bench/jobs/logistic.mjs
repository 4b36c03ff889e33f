// Clients a CPU-second: logistic regression 784 x 10 on 60 samples, batches of 10, a contribution each.
//
// node bench/jobs/logistic.mjs {"data": FILE, "clients": N}: writes the data for the peer, trains, prints JSON.
import { writeFileSync } from 'node:fs'
import { contribute } from '../../dist/federated/client.js'
import { makePlan } from '../../dist/federated/plan.js'
import { featureEncoder } from '../../dist/model/features.js'
import { readSlice } from '../../dist/peft/slice.js'
import { random } from '../../dist/random.js'
import { node } from '../../dist/runtime/node.js'
import { sliceOf, textClassifier } from '../../dist/train/classifier.js'
import { createEngine } from '../../dist/wasm/engine.js'

const SAMPLES = 60, WIDTH = 784, CLASSES = 10
const { data, clients: count } = JSON.parse(process.argv[2])
const host = node()
const encoder = featureEncoder(await createEngine(host), SAMPLES, WIDTH)
const task = textClassifier({ encoder, labels: Array.from({ length: CLASSES }, (_, i) => String(i)) })
const slice = sliceOf(task), publicSeed = '5e'.repeat(32)
const plan = makePlan({
  round: 1, task: 'logistic', state: 'zero', slice, reads: slice, publicSeed, clip: 1, cohort: count, capacity: 2 * count, noiseMultiplier: 1,
  local: { epochs: 1, batchSize: 10, learningRate: 0.1 },
})
const draw = random(publicSeed, 'data')
const clients = Array.from({ length: count }, (_, client) => {
  const y = Int32Array.from({ length: SAMPLES }, () => draw.below(CLASSES))
  // a class raises its own tenth of the numbers
  const x = Float32Array.from({ length: SAMPLES * WIDTH }, (_, i) => draw.below(1000) / 2000 + (i % WIDTH % CLASSES === y[Math.floor(i / WIDTH)] ? 0.3 : 0))
  return { client, x, y }
})
const sequences = Array.from({ length: SAMPLES }, (_, i) => Int32Array.of(i))

// the peer takes a client's samples as they lie: in the order in which Sotto draws them
const bytes = clients.map(({ client, x, y }) => {
  const order = random(publicSeed, 'order', plan.round, client).shuffle(sequences.map((_, i) => i))
  const ordered = new Float32Array(SAMPLES * WIDTH)
  order.forEach((from, to) => ordered.set(x.subarray(from * WIDTH, (from + 1) * WIDTH), to * WIDTH))
  return Buffer.concat([Buffer.from(ordered.buffer), Buffer.from(Int32Array.from(order, i => y[i]).buffer)])
})
writeFileSync(data, Buffer.concat(bytes))

const state = readSlice(task.parameters, slice), into = new Int32Array(plan.lattice.length)
const round = (hashed) => {
  let norm = 0
  for (const { client, x, y } of clients) {
    encoder.write(x)
    const result = contribute(task, plan, state, { sequences, targets: y }, client, host.sha256, into)
    if (hashed && result.hash.length !== 64) throw new Error('a hash expected 64 digits')
    if (client === 0) norm = result.local.norm
  }
  return norm
}
const norm = round(true)
for (let i = 0; i < 4; i++) round(true)
/** With and without the hash of each contribution, in turn. */
const seconds = [0, 0], rounds = 10
for (let i = 0; i < 2 * rounds; i++) {
  const start = process.cpuUsage()
  round(i % 2 === 1)
  const { user, system } = process.cpuUsage(start)
  seconds[i % 2] += (user + system) / 1e6
}
const [clientsPerCpuSecond, hashedPerCpuSecond] = seconds.map((sum) => rounds * count / sum)
console.log(JSON.stringify({ norm, clientsPerCpuSecond, hashedPerCpuSecond }))
