// The same training step in each runtime that is here, relative to Node 24, and the way from bytes to the first step.
import { runtimes } from '../../scripts/runtimes/index.mjs'

export const title = 'The same step in each runtime: two layers of MiniLM\'s size, 4 x 128 tokens, one thread'

/** The clock of an edge worker stands still while it computes: there, more steps against fewer, by our own clock. */
async function timeless(runtime, program, steps) {
  const seconds = []
  let answer
  for (const count of [1, 1 + steps]) {
    const from = performance.now()
    answer = await runtime.run({ ...program, input: { ...program.input, steps: count } }, { timeout: 300 })
    seconds.push(performance.now() - from)
  }
  return { ...answer, stepMs: (seconds[1] - seconds[0]) / steps, compileMs: undefined }
}

export async function rows({ quick, log, node }) {
  const rows = [], steps = quick ? 2 : 8
  // goals are stated for Node 24: it is what others are compared with
  const reference = runtimes.find(({ name }) => name === (node.goals ? 'node24' : 'node20'))
  const others = runtimes.filter((each) => each !== reference && (quick ? /^node\d+$/ : /^(?!.*(arm64|cog))/).test(each.name))
  for (const format of quick ? ['int8'] : ['f32', 'int8']) {
    let base
    for (const runtime of [reference, ...others]) {
      const { version, missing } = runtime.find()
      const what = `${format} base, a step`, on = `${runtime.name} ${version ?? ''}`.trim()
      if (missing) {
        if (rows.every((row) => row.on !== on)) rows.push({ what: `a step`, on, text: 'not here', note: missing })
        continue
      }
      log(`${format}: ${on}`)
      try {
        const program = { entry: 'bench/programs/step.mjs', input: { format, steps, small: quick } }
        const answer = runtime.name === 'workerd' ? await timeless(runtime, program, steps) : await runtime.run(program, { timeout: 300 })
        base ??= answer
        rows.push({
          what, on, value: answer.stepMs / base.stepMs, unit: 'x', data: answer,
          note: `${answer.stepMs.toFixed(0)} ms${answer.compileMs === undefined ? '' : `; from bytes: module ${answer.compileMs.toFixed(0)} ms, model ${answer.loadMs.toFixed(0)} ms, first step ${answer.firstMs.toFixed(0)} ms`}`,
          ...(answer.loss !== base.loss && { failed: `expected the loss ${base.loss}, got ${answer.loss}` }),
        })
      } catch (error) {
        rows.push({ what, on, text: 'did not run', note: error.message.split('\n')[0] })
      }
    }
  }
  return rows
}
