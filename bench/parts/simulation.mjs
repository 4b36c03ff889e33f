// What a simulation costs beyond the training steps of its clients.
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { MINILM, TINY, writeModel } from '../peers/inputs.mjs'

export const title = 'Simulation: overhead per client, clients a second, threads'

const SMALL = { ...MINILM, vocab_size: 2000, hidden_size: 128, num_hidden_layers: 2, num_attention_heads: 4, intermediate_size: 512 }

export async function rows({ job, node, out, quick }) {
  const rows = []
  const tasks = [
    { name: 'tiny (2 layers x 32, rank 4)', config: TINY, rank: 4, examples: 4, batchSize: 4, words: 10 },
    { name: 'small (2 layers x 128, rank 8)', config: SMALL, rank: 8, examples: 8, batchSize: 4, words: 30 },
  ]
  for (const { name, config, ...settings } of quick ? tasks.slice(0, 1) : tasks) {
    const folder = out(`simulation-${config.hidden_size}`)
    if (!existsSync(join(folder, 'vocab.txt'))) writeModel(folder, config)
    const cohort = quick ? 6 : 100
    const all = { ...settings, folder, vocabulary: config.vocab_size, population: cohort, cohort, rounds: quick ? 3 : 7 }
    const run = (change) => job(node, 'simulation', { ...all, ...change })
    const hashes = new Map()
    for (const noise of [false, true]) {
      const one = await run({ threads: 1, noise, steps: true })
      if (!noise) hashes.set(1, one)
      rows.push({
        what: `${name}, ${noise ? 'with noise and accountant' : 'no noise'}: overhead of a client`, on: node.name, value: one.overheadMs, unit: 'ms', goal: { most: 0.5, for: !quick }, data: one,
        note: `${one.clientMs.toFixed(2)} ms a client, its steps alone ${one.stepsMs.toFixed(2)} ms; ${one.numbers} numbers, ${cohort} clients a round`,
      })
      rows.push({ what: `${name}, ${noise ? 'with noise and accountant' : 'no noise'}: clients a CPU-second`, on: node.name, value: one.clientsPerCpuSecond, unit: '', data: one })
    }
    const one = hashes.get(1), two = await run({ threads: 2 })
    rows.push({
      what: `${name}: two threads against one`, on: node.name, value: one.clientMs / two.clientMs, unit: 'x', data: two, note: `${two.clientMs.toFixed(2)} ms a client; same bits`,
      ...(one.hash !== two.hash && { failed: `expected the same bits on two threads as on one, got ${two.hash} and ${one.hash}` }),
    })
  }
  return rows
}
