// Threads inside one step: two against one, beside what the machine's cores allow.
import { availableParallelism } from 'node:os'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { TINY, writeInputs } from '../peers/inputs.mjs'

export const title = 'Threads inside one step, MiniLM-L6 shape, rank 8 on query and value'

export async function rows(context, { spoil } = {}) {
  const { quick, out, nodes, job } = context
  const inputs = out('minilm'), batch = join(inputs, 'batch.json')
  if (!['model.safetensors', 'vocab.txt', 'adapter.safetensors', 'batch.json'].every((file) => existsSync(join(inputs, file)))) {
    writeInputs(inputs, quick ? { config: TINY, count: 4, tokens: 16 } : {})
  }
  const cores = availableParallelism(), rows = []
  for (const node of nodes) {
    for (const format of ['int8', 'f32']) {
      const { one, rows: runs } = await job(node, 'threads', { inputs, batch, format, counts: [2] })
      for (const { threads, started, ms, cpu, speedup, same, results, ceiling } of runs) {
        const failed = spoil || !same ? `expected the losses and gradient norms of one thread, got ${JSON.stringify(results[0])} first` :
          started !== threads ? `expected ${threads} threads, got ${started}` : undefined
        rows.push({
          what: `${quick ? '4 x 16' : '8 x 128'}: Sotto ${format}, ${threads === 2 ? 'two' : threads} threads against one`, on: node.name, unit: 'x',
          ...(failed ? { failed } : {
            // fewer cores than threads cannot meet it
            value: speedup, goal: { least: 1.8, for: node.goals && format === 'int8' && !quick && cores >= threads }, data: { one, ms, cpu, ceiling },
            note: `${one.ms.toFixed(0)} ms to ${ms.toFixed(0)} ms, same bits; processor time ${(cpu / one.cpu).toFixed(2)} x; ` +
              `${threads} independent threads on these ${cores} cores: ${ceiling.toFixed(2)} x`,
          }),
        })
      }
    }
  }
  return rows
}
