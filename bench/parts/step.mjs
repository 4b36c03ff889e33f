// One training step of LoRA in Sotto and in other frameworks, in turn: same weights, same batch, same result.
import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { AVX2, GET } from '../lib/context.mjs'
import { median } from '../lib/timing.mjs'
import { TINY, writeInputs } from '../peers/inputs.mjs'

export const title = 'A LoRA step, MiniLM-L6 shape, rank 8 on query and value, one thread'

/** What the step must give, by PyTorch: agreed by all peers. */
const EXPECTED = JSON.parse(readFileSync(new URL('../expected.json', import.meta.url), 'utf8'))

/** Relative distance from PyTorch's first loss and gradient norm that is accepted: sums in another order. */
const TOLERANCE = 2e-5
/** An int8 base has other weights, so another loss: how near it is to f32 is told by directions, on the same batch. */
const LEAST_COSINE = { logits: 0.999, gradients: 0.99 }

/** Peers that take seconds a step take part in the first rounds only. */
const SLOW = new Set(['jax-js', 'TensorFlow.js'])

/** Rows of the batches: all of one length, and real mails. */
export async function rows(context, { spoil } = {}) {
  const { quick, out } = context
  const inputs = out('minilm')
  if (!['model.safetensors', 'vocab.txt', 'adapter.safetensors', 'batch.json'].every((file) => existsSync(join(inputs, file)))) {
    writeInputs(inputs, quick ? { config: TINY, count: 4, tokens: 16 } : {})
  }
  const rows = []
  for (const [name, batch] of quick ? [['4 x 16', 'batch']] : [['8 x 128', 'batch'], ['mails', 'mails']]) {
    const path = batch === 'mails' ? join(context.root, 'bench/mails.json') : join(inputs, 'batch.json')
    const expected = { ...EXPECTED[quick ? 'quick' : 'minilm'][batch] }
    if (spoil) expected.loss *= 1.001
    const int8 = await context.job(context.node, 'cosines', { inputs, batch: path })
    rows.push(cosineRow(context, `${name}: int8 base against f32, seeded weights`, int8))
    rows.push(...await batchRows(context, name, inputs, path, { f32: expected, int8: { loss: int8.loss, grad_norm: int8.gradNorm } }))
  }
  if (!quick) rows.push(await realRow(context))
  return rows
}

/** Sotto in each engine and format, and every peer that is there. */
function runners({ root, nodes, node, pythons, peers }, inputs, batch) {
  const script = (file) => join(root, 'bench', file)
  const args = [inputs, '--batch', batch, '--warmup', '1', '--on-demand']
  const ours = nodes.flatMap((engine) => ['f32', 'int8'].map((format) => ({
    name: `Sotto ${format}`, format, on: engine.name, goals: engine.goals, ours: true, command: engine.path,
    args: [script('jobs/sotto_step.mjs'), ...args, '--format', format],
  })))
  const torch = pythons.flatMap(({ path, torch: version }, i) => [['', {}], [', AVX2', AVX2]].map(([limit, env]) => ({
    name: `PyTorch ${version}${limit}`, on: 'Python', reference: i === 0 && limit === '', torch: true, env,
    command: path, args: [script('peers/torch_step.py'), ...args],
  })))
  const javascript = peers ? [['jax-js', 'peers/jax_step.mjs'], ['TensorFlow.js', 'peers/tfjs_step.mjs']].map(([name, file]) => ({
    name, on: node.name, command: node.path, args: ['--max-old-space-size=8192', script(file), ...args],
  })) : []
  return [...ours, ...torch, ...javascript]
}

/** All peers load, then take a step each in turn, so that a change of the machine's speed meets all of them. */
async function race({ start, quick, log }, all) {
  const rounds = quick ? 2 : 6, slowRounds = quick ? 2 : 4
  const running = all.map((runner) => ({ ...runner, child: start(runner.command, runner.args, { env: runner.env }), times: [], cpu: [] }))
  try {
    for (const runner of running) {
      try {
        await runner.child.next()
      } catch (error) {
        runner.failed = error.message
      }
    }
    // the first round, in which engines compile, counts for nobody
    for (let round = 0; round <= rounds; round++) {
      log(`round ${round} of ${rounds}`)
      for (const runner of running) {
        if (runner.failed || (SLOW.has(runner.name) && round > slowRounds)) continue
        try {
          runner.child.say('step')
          const { ms, cpu_ms } = await runner.child.next()
          if (round > 0) {
            runner.times.push(ms)
            runner.cpu.push(cpu_ms)
          }
        } catch (error) {
          runner.failed = error.message
        }
      }
    }
    for (const runner of running) {
      if (runner.failed) continue
      runner.child.say('end')
      runner.summary = await runner.child.next()
    }
  } finally {
    for (const { child } of running) child.stop()
  }
  return running
}

/** The median of the ratios of two runners' steps of the same rounds. */
const ratioOf = (a, b, key) => median(a[key].slice(0, b[key].length).map((time, i) => time / b[key][i]))

/** f32 must give what PyTorch gives; int8, in every engine, the bits of the step whose cosines were checked. */
function problem({ failed, summary, format, name, ours }, { f32, int8 }) {
  if (failed) return ours ? `did not run: ${failed.replaceAll(/\s*\n\s*/g, ' | ')}` : undefined
  const expected = format === 'int8' ? int8 : f32, tolerance = format === 'int8' ? 0 : TOLERANCE
  for (const key of ['loss', 'grad_norm']) {
    if (!(Math.abs(summary[key] - expected[key]) <= tolerance * expected[key])) return `${name} expected ${key} ${expected[key]}, got ${summary[key]}`
  }
}

/** Most of a peer's time that a step may take: PyTorch pads mails to the longest; the f32 base is a reference. */
function timeGoal({ format }, peer, batch) {
  if (format === 'f32') return peer.torch && batch !== 'mails' ? 1.8 : undefined
  if (!peer.torch) return 0.25
  return batch === 'mails' ? 0.5 : 1
}

async function batchRows(context, batch, inputs, path, expected) {
  const { pythons, peers, node, quick } = context
  const results = (await race(context, runners(context, inputs, path))).map((runner) => ({ ...runner, problem: problem(runner, expected) }))
  const rows = []
  for (const { name, on, times, cpu, summary, problem: failed, failed: absent } of results) {
    if (absent && !failed) {
      rows.push({ what: `${batch}: ${name}, a step`, on, text: 'did not run', note: absent.replaceAll(/\s*\n\s*/g, ' | ') })
      continue
    }
    rows.push({
      what: `${batch}: ${name}, a step`, on, unit: 'ms',
      ...(failed ? { failed } : {
        value: median(times), data: { ...summary, times_ms: times, cpu_ms: cpu },
        note: `processor ${median(cpu).toFixed(0)} ms, peak ${summary.peak_rss_mb.toFixed(0)} MB, loss ${summary.loss.toPrecision(6)}, gradient ${summary.grad_norm.toPrecision(6)}, ` +
          (summary.padded_tokens > summary.tokens ? `${summary.tokens} tokens padded to ${summary.padded_tokens}` : `${summary.tokens} tokens`) + (summary.isa ? `, ${summary.isa}` : ''),
      }),
    })
  }
  const well = results.filter((result) => !result.problem && !result.failed)
  for (const ours of well.filter((result) => result.ours)) {
    for (const peer of well.filter((result) => !result.ours)) {
      const most = timeGoal(ours, peer, batch)
      const judged = ours.goals && !quick && (peer.torch ? peer.reference : true)
      rows.push({
        what: `${batch}: ${ours.name} / ${peer.name}, time`, on: ours.on, unit: 'x', value: ratioOf(ours, peer, 'times'),
        ...(most && { goal: { most, for: judged } }), note: `processor time ${ratioOf(ours, peer, 'cpu').toFixed(2)} x`,
      })
      if (peer.torch) {
        rows.push({
          what: `${batch}: ${ours.name} / ${peer.name}, peak memory`, on: ours.on, unit: 'x',
          value: ours.summary.peak_rss_mb / peer.summary.peak_rss_mb, ...(ours.format === 'int8' && { goal: { most: 0.2, for: judged } }),
          note: `${ours.summary.peak_rss_mb.toFixed(0)} of ${peer.summary.peak_rss_mb.toFixed(0)} MB; PyTorch after its imports alone: ${peer.summary.imported_rss_mb.toFixed(0)} MB`,
        })
      }
    }
  }
  if (!node.goals) rows.push({ what: `${batch}: Node 24`, text: 'absent', note: GET.node24 })
  if (pythons.length === 0) rows.push({ what: `${batch}: PyTorch`, text: 'absent', note: GET.python })
  if (!peers) rows.push({ what: `${batch}: jax-js, TensorFlow.js`, text: 'absent', note: GET.peers })
  return rows
}

/** What an int8 base changes. */
function cosineRow({ node, quick }, what, { loss, lossF32, logits, gradients }) {
  const least = gradients.reduce((a, b) => b.cosine < a.cosine ? b : a)
  const low = !quick && (logits < LEAST_COSINE.logits || least.cosine < LEAST_COSINE.gradients)
  return {
    what, on: node.name, text: `cosines >= ${Math.min(logits, least.cosine).toFixed(5)}`,
    note: `logits ${logits.toFixed(6)}, gradients ${least.cosine.toFixed(6)} (${least.name}), median ${median(gradients.map(({ cosine }) => cosine)).toFixed(6)}; ` +
      `loss ${loss.toPrecision(6)}, f32 ${lossF32.toPrecision(6)}`,
    data: { logits, gradients, loss, lossF32 },
    ...(low && { failed: `expected cosines of at least ${LEAST_COSINE.logits} and ${LEAST_COSINE.gradients}, got ${logits} and ${least.cosine} (${least.name})` }),
  }
}

/** The same on the weights of the real model, where it is installed. */
async function realRow(context) {
  const { root, pythons, job, node, out } = context
  const model = process.env.SOTTO_MINILM ||
    (pythons.length > 0 ? spawnSync(pythons[0].path, [join(root, 'scripts/golden/find-minilm.py')], { encoding: 'utf8' }).stdout?.trim() : '')
  const what = 'mails: int8 base against f32, real MiniLM'
  if (!model || !existsSync(join(model, 'model.safetensors'))) return { what, text: 'absent', note: 'set SOTTO_MINILM to the folder of all-MiniLM-L6-v2' }
  writeInputs(out('real'), { model })
  return cosineRow(context, what, await job(node, 'cosines', { inputs: out('real'), batch: join(root, 'bench/mails.json') }))
}
