// slow
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { openHubModel } from '../../src/checkpoint/hub.ts'
import type { FileSource } from '../../src/checkpoint/source.ts'
import { loadBert } from '../../src/model/bert.ts'
import { adamw } from '../../src/optim/optimizer.ts'
import { attachLora } from '../../src/peft/lora.ts'
import { node } from '../../src/runtime/node.ts'
import { sliceOf, textClassifier } from '../../src/train/classifier.ts'
import { trainStep } from '../../src/train/step.ts'
import { createEngine } from '../../src/wasm/engine.ts'

const MIB = 2 ** 20
const SIZES = { hidden_size: 384, num_hidden_layers: 6, num_attention_heads: 12, intermediate_size: 1536, vocab_size: 30522, max_position_embeddings: 512, type_vocab_size: 2 }

/** A model folder of MiniLM-L6's size whose 90 MB of weights are made as they are read: small numbers, norms of one. */
function seededMiniLm(): FileSource {
  const { hidden_size: C, intermediate_size: F } = SIZES
  const shapes: [string, number[]][] = [
    ['embeddings.word_embeddings.weight', [SIZES.vocab_size, C]], ['embeddings.position_embeddings.weight', [512, C]], ['embeddings.token_type_embeddings.weight', [2, C]],
    ['embeddings.LayerNorm.weight', [C]], ['embeddings.LayerNorm.bias', [C]],
    ...Array.from({ length: SIZES.num_hidden_layers }, (_, i) => `encoder.layer.${i}`).flatMap(name => [
      ...['attention.self.query', 'attention.self.key', 'attention.self.value', 'attention.output.dense'].map(site => [`${name}.${site}`, C, C] as const),
      [`${name}.intermediate.dense`, F, C] as const, [`${name}.output.dense`, C, F] as const,
    ].flatMap(([site, N, K]): [string, number[]][] => [[`${site}.weight`, [N, K]], [`${site}.bias`, [N]]])
      .concat(['attention.output.LayerNorm', 'output.LayerNorm'].flatMap((norm): [string, number[]][] => [[`${name}.${norm}.weight`, [C]], [`${name}.${norm}.bias`, [C]]]))),
  ]
  let end = 0
  const header = JSON.stringify(Object.fromEntries(shapes.map(([name, shape]) => {
    const start = end
    end += shape.reduce((a, b) => a * b, 4)
    return [name, { dtype: 'F32', shape, data_offsets: [start, end] }]
  })))
  const text = new TextEncoder().encode(header.padEnd(Math.ceil(header.length / 8) * 8))
  const norms = shapes.filter(([name]) => name.endsWith('LayerNorm.weight')).map(([name]) => (JSON.parse(header) as Record<string, { data_offsets: [number, number] }>)[name].data_offsets)
  const files: Record<string, Uint8Array> = { 'config.json': new TextEncoder().encode(JSON.stringify({ model_type: 'bert', hidden_act: 'gelu', layer_norm_eps: 1e-12, ...SIZES })) }
  const start = 8 + text.length
  const range = async (from: number, to: number, into: Uint8Array = new Uint8Array(to - from)): Promise<Uint8Array> => {
    const bytes = into.subarray(0, to - from)
    const head = new Uint8Array(start)
    new DataView(head.buffer).setBigUint64(0, BigInt(text.length), true)
    head.set(text, 8)
    if (from < start) bytes.set(head.subarray(from, Math.min(to, start)))
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    for (let at = Math.max(from, start); at + 4 <= to; at += 4) {
      const place = at - start, one = norms.some(([a, b]) => place >= a && place < b)
      view.setFloat32(at - from, one ? 1 : ((Math.imul(place, 2654435761) >>> 8) / 2 ** 24 - 0.5) * 0.12, true)
    }
    return bytes
  }
  return {
    read: async name => name in files ? files[name].slice() : range(0, start + end),
    has: async name => name in files || name === 'model.safetensors',
    size: async name => name in files ? files[name].length : start + end,
    readRange: async (name, from, to, into) => name in files ? files[name].slice(from, to) : range(from, to, into),
  }
}

test('MiniLM-L6 in int8 loads and trains 8 x 128 tokens, and one text of 512, in a memory of 72 MiB; the whole stays below the 128 MB of an edge worker', async () => {
  const host = node(), engine = await createEngine(host, { maximum: 72 * MIB })
  const before = process.memoryUsage()
  const encoder = await loadBert(engine, await openHubModel(seededMiniLm()), { format: 'int8' })
  const loaded = engine.arena.peak
  const task = textClassifier({ encoder, labels: ['a', 'b'], adapter: attachLora(encoder, { rank: 8, alpha: 16, sites: ['query', 'value'] }) })
  const optimizer = adamw({ learningRate: 1e-3 }), slice = sliceOf(task)
  const text = (length: number, seed: number) => Array.from({ length }, (_, i) => (i * 7919 + seed) % SIZES.vocab_size)
  let jsBytes = 0
  for (const texts of [Array.from({ length: 8 }, (_, s) => text(128, s)), [text(512, 5)]]) {
    const { loss } = trainStep(task, task.pack(texts), new Int32Array(texts.length), slice, optimizer)
    assert.ok(loss > 0 && loss < 5, String(loss))
    const { heapUsed, external, arrayBuffers } = process.memoryUsage()
    jsBytes = Math.max(jsBytes, heapUsed - before.heapUsed + external - before.external + arrayBuffers - before.arrayBuffers - engine.arena.memory.buffer.byteLength)
  }
  const wasm = engine.arena.memory.buffer.byteLength
  console.log(`weights and tables ${(loaded / MIB).toFixed(1)} MiB, peak of a step ${(engine.arena.peak / MIB).toFixed(1)}, memory ${(wasm / MIB).toFixed(1)}, JavaScript beside it ${(jsBytes / MIB).toFixed(1)}`)
  assert.ok(wasm <= 72 * MIB)
  assert.ok(wasm + Math.max(0, jsBytes) < 128e6, `${wasm} and ${jsBytes} bytes`)
})

test.run()
