// Where the time of a step goes: an engine whose kernels count what they are asked to do and how long they take. The
// package needs no hook for that: an engine is an object with kernels and a memory.
import { adamw, trainStep } from '../../dist/index.js'
import { createEngine } from '../../dist/wasm/engine.js'
import { node } from '../../dist/runtime/node.js'
import { openLimits } from '../lib/limits.mjs'
import { median, repetitions, timeEach } from '../lib/timing.mjs'
import { WORK, leastMs } from '../lib/work.mjs'
import { load } from './sotto_step.mjs'

const { quick, inputs, batch, format } = JSON.parse(process.argv[2])
const STEPS = quick ? 3 : 8

const engine = await createEngine(node())
const { memory } = engine.arena
let calls = new Map()
const kernels = Object.fromEntries(Object.entries(engine.kernels).filter(([, value]) => typeof value === 'function').map(([name, kernel]) => [name, (...args) => {
  const start = performance.now()
  const result = kernel(...args)
  const ms = performance.now() - start
  let entry = calls.get(name)
  if (entry === undefined) calls.set(name, entry = { count: 0, ms: 0, floats: 0, integers: 0, bytes: 0, known: name in WORK })
  const { floats = 0, integers = 0, bytes = 0 } = WORK[name]?.(args, memory) ?? {}
  entry.count++
  entry.ms += ms
  entry.floats += floats
  entry.integers += integers
  entry.bytes += bytes
  return result
}]))

const limits = await openLimits(quick ? { ms: 0.5, tries: 2 } : { ms: 10, tries: 10 })
const { task, slice, batch: packed, targets } = await load({ inputs, batch, format, engine: { ...engine, kernels } })
const optimizer = adamw({ learningRate: 1e-3, weightDecay: 0.01 })
const step = () => trainStep(task, packed, targets, slice, optimizer)

// arrays as large as a layer's output, which is what the kernels between the products read and write
const elements = packed.ids.length * task.encoder.width
const rates = { f32: [], int: [], copy: [] }
const [from, to] = [engine.arena.reserve(elements * 4), engine.arena.reserve(elements * 4)]
const copy = () => engine.kernels.copy(to, from, elements)
const copies = repetitions(copy, quick ? 0.2 : 5)

const first = step()
for (let i = 0; i < 2; i++) step()
const steps = []
for (let i = 0; i < STEPS; i++) {
  rates.f32.push(limits.f32())
  rates.int.push(limits.int())
  rates.copy.push(elements * 8 / timeEach(copy, copies) / 1e6)
  calls = new Map()
  const start = performance.now()
  step()
  steps.push({ ms: performance.now() - start, calls })
}
const limit = { f32: median(rates.f32), int: median(rates.int), copy: median(rates.copy) }
const ms = median(steps.map((each) => each.ms))
const operations = [...steps[0].calls].map(([name, { count, known, ...work }]) => {
  const time = median(steps.map((each) => each.calls.get(name).ms))
  return { name, count, ...work, ms: time, ...(known && { least: leastMs(work, limit) }) }
}).sort((a, b) => b.ms - a.ms)
const outside = median(steps.map((each) => each.ms - [...each.calls.values()].reduce((sum, call) => sum + call.ms, 0)))
console.log(JSON.stringify({ loss: first.loss, gradNorm: first.gradientNorm, ms, outside, limit, operations }))
