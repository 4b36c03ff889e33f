// One step on several threads in turn with the same step on one, and what this machine's cores allow: independent products
// on as many threads as at once.
import { Worker, isMainThread, parentPort, workerData } from 'node:worker_threads'
import { adamw, trainStep } from '../../dist/index.js'
import { packedWeight } from '../../dist/ops/weight.js'
import { node } from '../../dist/runtime/node.js'
import { createEngine } from '../../dist/wasm/engine.js'
import { interleaved, median, repetitions, timed } from '../lib/timing.mjs'

/** An int8 product of the size of the model's, on values that do not matter: gives a function that runs it. */
async function product({ M, K, N }) {
  const engine = await createEngine(node()), { kernels, arena } = engine
  const weight = packedWeight(engine, 'int8', N, K, Float32Array.from({ length: N * K }, (_, i) => (i % 251 - 125) / 125))
  const x = arena.reserve(M * K * 4), y = arena.reserve(M * N * 4), scratch = arena.reserve(weight.scratch)
  arena.f32(x, M * K).forEach((_, i, all) => { all[i] = (i % 241 - 120) / 120 })
  return () => weight.forward(kernels, y, x, 0, M, scratch)
}

/** A thread that runs the product `count` times whenever word 0 changes, and counts word 1 up. */
async function compete({ words, size, count }) {
  const run = await product(size)
  for (let i = 0; i < count; i++) run()
  parentPort.postMessage('ready')
  for (let seen = 0; ; seen++) {
    Atomics.wait(words, 0, seen)
    for (let i = 0; i < count; i++) run()
    Atomics.add(words, 1, 1)
    Atomics.notify(words, 1)
  }
}

/** How many times faster `threads` threads that have nothing to do with each other are than one. */
async function ceiling(threads, quick) {
  const size = quick ? { M: 8, K: 16, N: 16 } : { M: 256, K: 384, N: 1536 }
  const run = await product(size), count = repetitions(run, quick ? 1 : 30)
  const words = new Int32Array(new SharedArrayBuffer(8))
  const workers = Array.from({ length: threads - 1 }, () => new Worker(new URL(import.meta.url), { workerData: { words, size, count } }))
  await Promise.all(workers.map((worker) => new Promise((resolve, reject) => worker.once('message', resolve).once('error', reject))))
  const alone = () => timed(() => { for (let i = 0; i < count; i++) run() })
  const together = () => timed(() => {
    const want = Atomics.load(words, 1) + threads - 1
    Atomics.add(words, 0, 1)
    Atomics.notify(words, 0)
    for (let i = 0; i < count; i++) run()
    for (let done; (done = Atomics.load(words, 1)) < want;) Atomics.wait(words, 1, done)
  })
  const { ratio } = interleaved(alone, together, quick ? 2 : 15)
  for (const worker of workers) worker.terminate()
  return threads / ratio
}

if (isMainThread) {
  const { load } = await import('./sotto_step.mjs')
  const { quick, inputs, batch, format, counts } = JSON.parse(process.argv[2])
  const rounds = quick ? 2 : 8
  const runs = []
  for (const threads of [1, ...counts]) {
    const engine = await createEngine(node(), { threads })
    const { task, slice, batch: packed, targets } = await load({ inputs, batch, format, engine })
    const optimizer = adamw({ learningRate: 1e-3, weightDecay: 0.01 })
    const step = () => trainStep(task, packed, targets, slice, optimizer)
    runs.push({ threads, engine, step, results: [], ms: [], cpu: [] })
  }
  for (let round = 0; round < rounds + 2; round++) {
    for (const { step, results, ms, cpu } of runs) {
      const before = process.cpuUsage()
      const time = timed(() => {
        const { loss, gradientNorm } = step()
        results.push([loss, gradientNorm])
      })
      const { user, system } = process.cpuUsage(before)
      // in the first two, engines compile
      if (round >= 2) {
        ms.push(time)
        cpu.push((user + system) / 1000)
      }
    }
  }
  const [one] = runs
  const rows = runs.slice(1).map(({ threads, engine, results, ms, cpu }) => ({
    threads, started: engine.team?.threads ?? 1, ms: median(ms), cpu: median(cpu), speedup: median(ms.map((time, i) => one.ms[i] / time)),
    same: JSON.stringify(results) === JSON.stringify(one.results), results,
  }))
  for (const { engine } of runs) engine.close?.()
  for (const row of rows) row.ceiling = await ceiling(row.threads, quick)
  console.log(JSON.stringify({ loss: one.results[0][0], one: { ms: median(one.ms), cpu: median(one.cpu) }, rows }))
} else await compete(workerData)
