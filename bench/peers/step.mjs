// What the JavaScript peers share: the inputs, the timing, and the one line of JSON they print. See torch_step.py for
// what a step is.
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { createInterface } from 'node:readline'
import { parseArgs } from 'node:util'
import { ALPHA, RANK } from './inputs.mjs'
import { readSafetensors } from './safetensors.mjs'

export const require = createRequire(import.meta.url)

export function options() {
  const { positionals, values } = parseArgs({
    allowPositionals: true,
    options: {
      batch: { type: 'string' },
      steps: { type: 'string', default: '5' },
      warmup: { type: 'string', default: '1' },
      'on-demand': { type: 'boolean', default: false },
      format: { type: 'string', default: 'f32' },
    },
  })
  if (positionals.length !== 1) {
    console.error('usage: node STEP.mjs INPUTS [--batch FILE.json] [--steps 5] [--warmup 1] [--on-demand]')
    process.exit(2)
  }
  const [inputs] = positionals
  const { batch = `${inputs}/batch.json`, steps, warmup, format, 'on-demand': onDemand } = values
  return { inputs, batch, format, steps: Number(steps), warmup: Number(warmup), onDemand }
}

/** The batch padded to its longest sequence; mask 1 for real tokens, bias 0 or -1e9 for attention. */
export function readBatch(path) {
  const { sequences, labels } = JSON.parse(readFileSync(path, 'utf8'))
  const B = sequences.length
  const T = Math.max(...sequences.map((sequence) => sequence.length))
  const ids = new Int32Array(B * T)
  const mask = new Float32Array(B * T)
  for (let b = 0; b < B; b++) {
    ids.set(sequences[b], b * T)
    mask.fill(1, b * T, b * T + sequences[b].length)
  }
  const tokens = mask.reduce((sum, value) => sum + value, 0)
  const pooling = mask.map((value, i) => value / sequences[Math.floor(i / T)].length)
  return { B, T, ids, mask, pooling, bias: mask.map((value) => (value ? 0 : -1e9)), labels, tokens }
}

export function oneHot(indices, classes) {
  return Float32Array.from({ length: indices.length * classes }, (_, i) =>
    Number(indices[Math.floor(i / classes)] === i % classes))
}

/** Tensors of the model by short names, and the sum of its frozen embeddings before their layer norm [B * T, C]. */
export function readModel({ inputs, batch }) {
  const config = JSON.parse(readFileSync(`${inputs}/config.json`, 'utf8'))
  const { hidden_size: C, num_attention_heads: H, num_hidden_layers: L, intermediate_size: F } = config
  const tensors = readSafetensors(`${inputs}/model.safetensors`)
  const adapter = readSafetensors(`${inputs}/adapter.safetensors`)
  const { ids, T } = batch
  const [word, position, type] = ['word', 'position', 'token_type'].map((name) =>
    tensors[`embeddings.${name}_embeddings.weight`].data)
  const embedded = new Float32Array(ids.length * C)
  for (let i = 0; i < ids.length; i++) {
    for (let c = 0; c < C; c++) embedded[i * C + c] = word[ids[i] * C + c] + position[(i % T) * C + c] + type[c]
  }
  const layers = Array.from({ length: L }, (_, layer) => {
    const of = (name) => tensors[`encoder.layer.${layer}.${name}`].data
    const linear = (name) => ({ weight: of(`${name}.weight`), bias: of(`${name}.bias`) })
    const pair = (site) => ['A', 'B'].map((factor) =>
      adapter[`base_model.model.encoder.layer.${layer}.attention.self.${site}.lora_${factor}.weight`].data)
    return {
      query: linear('attention.self.query'), key: linear('attention.self.key'), value: linear('attention.self.value'),
      output: linear('attention.output.dense'), inner: linear('intermediate.dense'), outer: linear('output.dense'),
      norm1: linear('attention.output.LayerNorm'), norm2: linear('output.LayerNorm'),
      queryPair: pair('query'), valuePair: pair('value'),
    }
  })
  return {
    C, H, L, F, D: C / H, R: RANK, scale: ALPHA / RANK, eps: config.layer_norm_eps, embedded, layers,
    norm: { weight: tensors['embeddings.LayerNorm.weight'].data, bias: tensors['embeddings.LayerNorm.bias'].data },
    head: {
      weight: adapter['head.weight'].data, bias: adapter['head.bias'].data, labels: adapter['head.bias'].shape[0],
    },
  }
}

function median(values) {
  const sorted = [...values].sort((a, b) => a - b)
  return (sorted[(sorted.length - 1) >> 1] + sorted[sorted.length >> 1]) / 2
}

/**
 * `step` trains once and resolves to { loss, gradNorm } of the state before the update.
 *
 * With --on-demand a step is taken for each line that comes on the standard input, and its times are printed: so that
 * peers can take turns. The first --warmup steps count for no median; the summary follows when the input says "end".
 */
export async function measure({ peer, version, step, batch, settings, ...more }) {
  const { steps, warmup, onDemand } = settings
  const times = []
  const cpuTimes = []
  let first
  let count = 0
  const once = async () => {
    const start = performance.now()
    const cpu = process.cpuUsage()
    const result = await step()
    const ms = performance.now() - start
    const { user, system } = process.cpuUsage(cpu)
    const cpuMs = (user + system) / 1000
    first ??= result
    if (count++ >= warmup) {
      times.push(ms)
      cpuTimes.push(cpuMs)
    }
    return { ms, cpu_ms: cpuMs }
  }
  if (onDemand) {
    console.log(JSON.stringify({ ready: true }))
    for await (const line of createInterface({ input: process.stdin })) {
      if (line === 'end') break
      console.log(JSON.stringify(await once()))
    }
  } else while (count < warmup + steps) await once()
  console.log(JSON.stringify({
    peer, median_ms: median(times), min_ms: Math.min(...times), cpu_median_ms: median(cpuTimes), times_ms: times,
    peak_rss_mb: process.resourceUsage().maxRSS / 1024, loss: first.loss, grad_norm: first.gradNorm,
    tokens: batch.tokens, padded_tokens: batch.B * batch.T, threads: 1,
    version, versions: { node: process.version, [peer]: version }, ...more,
  }))
  process.stdin.destroy()
}
