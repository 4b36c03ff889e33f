// Where the time of a step goes, each operation against its own limit.
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { TINY, writeInputs } from '../peers/inputs.mjs'

export const title = 'Profile of a step, 8 x 128, by kernel: milliseconds, and the limit over the time'

const EXPECTED = JSON.parse(readFileSync(new URL('../expected.json', import.meta.url), 'utf8'))

/** What a kernel with a general name does in this step. */
const TITLES = { matmul: 'matmul (low-rank branch, head)', copy: 'copy (gradient shared by two paths)' }

/** Kernels below this share of the step are added up. */
const SMALL = 0.004

export async function rows({ job, node, out, quick }) {
  const inputs = out('minilm'), batch = join(inputs, 'batch.json')
  if (!existsSync(join(inputs, 'vocab.txt'))) writeInputs(inputs, quick ? { config: TINY, count: 4, tokens: 16 } : {})
  const expected = { f32: EXPECTED[quick ? 'quick' : 'minilm'].batch.loss, int8: (await job(node, 'cosines', { inputs, batch })).loss }
  const rows = []
  for (const format of ['f32', 'int8']) {
    const result = await job(node, 'profile', { inputs, batch, format })
    const { ms, outside, limit, operations } = result
    const failed = Math.abs(result.loss - expected[format]) > 2e-5 * expected[format] ? `expected a loss of ${expected[format]}, got ${result.loss}` : undefined
    const share = (time) => `${(100 * time / ms).toFixed(1)} %`
    const least = operations.reduce((sum, operation) => sum + (operation.least ?? 0), 0)
    rows.push({
      what: `${format} base: whole step`, on: node.name, value: ms, unit: 'ms', ...(failed && { failed }), data: { format, ms, outside, limit, operations },
      note: `limits allow ${least.toFixed(0)} ms (${(least / ms).toFixed(2)}); f32 ${limit.f32.toFixed(0)} and int ${limit.int.toFixed(0)} Gop/s, copying ${limit.copy.toFixed(0)} GB/s`,
    })
    const large = operations.filter((operation) => operation.ms >= SMALL * ms), small = operations.filter((operation) => operation.ms < SMALL * ms)
    for (const { name, count, ms: time, least: bound, floats, integers } of large) {
      const work = integers || floats
      rows.push({
        what: `${format} base: ${TITLES[name] ?? name}`, on: node.name, value: time, unit: 'ms',
        note: `${share(time)}, ${count} calls, ${bound === undefined ? 'no limit known' : `limit / time ${(bound / time).toFixed(2)}`}` +
          (work ? `, ${(work / time / 1e6).toFixed(1)} Gop/s` : ', limit: copying'),
      })
    }
    const rest = small.reduce((sum, operation) => sum + operation.ms, 0)
    rows.push({ what: `${format} base: ${small.length} smaller kernels`, on: node.name, value: rest, unit: 'ms', note: share(rest) })
    rows.push({ what: `${format} base: outside kernels (graph, plan, checks)`, on: node.name, value: outside, unit: 'ms', note: share(outside) })
  }
  return rows
}
