// How time and memory grow.
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { exponent, line } from '../lib/fit.mjs'
import { MINILM, TINY, writeModel } from '../peers/inputs.mjs'

export const title = 'Growth of a step (f32 base) and of a simulation'

const HEAD_WIDTH = 32
/** Farthest that a point may lie from the straight line, as a share of it. */
const STRAIGHT = 0.1

export async function rows(context) {
  const { job, node, out, quick } = context
  const model = ({ width, layers }) => {
    const config = quick ? { ...TINY, hidden_size: width, num_hidden_layers: layers, num_attention_heads: width / 16, intermediate_size: 2 * width }
      : { ...MINILM, vocab_size: 2000, hidden_size: width, num_hidden_layers: layers, num_attention_heads: width / HEAD_WIDTH, intermediate_size: 4 * width }
    const folder = out(`growth-${width}-${layers}`)
    if (!existsSync(join(folder, 'vocab.txt'))) writeModel(folder, config)
    return { folder, config }
  }
  const base = quick ? { width: 32, layers: 1, count: 2, tokens: 8, rank: 2, maxRank: 4 } : { width: 256, layers: 2, count: 8, tokens: 64, rank: 8, maxRank: 64 }
  const series = quick ? [
    ['tokens (sequences of 8)', 'line', [1, 2, 4].map((count) => [count * 8, { count }])],
    ['rank b', 'line', [1, 2, 4].map((rank) => [rank, { rank }])],
  ] : [
    ['tokens (sequences of 64)', 'line', [2, 4, 8, 16, 32].map((count) => [count * 64, { count }])],
    ['length of a sequence (1,024 tokens in all)', 'line', [32, 64, 128, 256, 512].map((tokens) => [tokens, { tokens, count: 1024 / tokens }])],
    ['width', 'power', [128, 256, 384, 512].map((width) => [width, { width }])],
    ['layers', 'line', [1, 2, 4, 6].map((layers) => [layers, { layers }])],
    ['rank b', 'line', [1, 2, 4, 8, 16, 32, 64].map((rank) => [rank, { rank }])],
  ]
  const rows = []
  for (const [what, kind, points] of series) {
    const sizes = points.map(([, change]) => {
      const { width, layers, ...rest } = { ...base, ...change }
      return { ...model({ width, layers }), ...rest }
    })
    const { ms, losses } = await job(node, 'growth', { series: sizes })
    const wrong = losses.find((loss) => Math.abs(loss - Math.LN2) > 1e-5)
    const measured = points.map(([x], i) => [x, ms[i]])
    const straight = line(measured)
    rows.push({
      what: `step against ${what}`, on: node.name, data: { points: measured, ...straight },
      ...(wrong !== undefined && { failed: `expected a first loss of ln 2, got ${wrong}` }),
      ...(kind === 'power' ? { text: `x^${exponent(measured).toFixed(2)}` }
        : { value: straight.deviation, unit: 'off a line', ...(/tokens \(|rank/.test(what) && { goal: { most: STRAIGHT, for: !quick } }) }),
      note: `${measured.map(([x, y]) => `${x}: ${y.toFixed(1)} ms`).join(', ')}` + (kind === 'line' ? `; ${straight.fixed.toFixed(1)} + ${straight.slope.toPrecision(2)} a unit` : ''),
    })
  }
  const inputs = model(quick ? { width: 32, layers: 2 } : { width: 384, layers: 6 })
  const layers = quick ? [1] : [3, 4, 5]
  const prefix = await job(node, 'prefix', {
    inputs: inputs.folder, layers, vocabulary: inputs.config.vocab_size, examples: quick ? 4 : 16, tokens: quick ? 8 : 64, repeats: quick ? 1 : 3,
  })
  rows.push({
    what: `three epochs on layers ${layers.join(', ')} of ${quick ? 2 : 6}: activations below them computed each time against kept`, on: node.name,
    value: prefix.ratio, unit: 'x', data: prefix, note: `${prefix.plainMs.toFixed(0)} and ${prefix.keptMs.toFixed(0)} ms; same bits`,
    ...(!prefix.same && { failed: 'expected the same last loss' }),
  })
  rows.push(...await clientRows(context))
  return rows
}

/** Clients a round, and clients in all. */
async function clientRows({ job, node, out, quick }) {
  const folder = out('growth-simulation')
  if (!existsSync(join(folder, 'vocab.txt'))) writeModel(folder, TINY)
  const settings = { folder, rounds: 4, threads: 1, examples: 4, words: 10, batchSize: 4, rank: 4, vocabulary: TINY.vocab_size }
  const rows = []
  for (const [what, sizes, of] of quick ? [['clients a round', [4, 8], (n) => ({ population: 8, cohort: n })]] : [
    ['clients a round (of 1,600)', [50, 200, 800, 1600], (n) => ({ population: 1600, cohort: n })],
    ['clients in all (50 a round)', [400, 1600, 6400], (n) => ({ population: n, cohort: 50 })],
  ]) {
    const found = []
    for (const n of sizes) found.push({ n, ...await job(node, 'simulation', { ...settings, ...of(n) }) })
    rows.push({
      what: `simulation: time of a client against ${what}`, on: node.name, value: found.at(-1).clientMs / found[0].clientMs, unit: 'x from least to most',
      note: found.map(({ n, clientMs }) => `${n}: ${clientMs.toFixed(2)} ms`).join(', '), data: { found },
    })
    rows.push({
      what: `simulation: peak memory against ${what}`, on: node.name, value: found.at(-1).peakRssMb / found[0].peakRssMb, unit: 'x from least to most', goal: { most: 1.3, for: !quick },
      note: found.map(({ n, peakRssMb }) => `${n}: ${peakRssMb.toFixed(0)} MB`).join(', '), data: { found },
    })
  }
  return rows
}
