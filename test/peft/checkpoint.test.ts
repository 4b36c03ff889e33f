import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { parseSafetensors, writeSafetensors } from '../../src/checkpoint/safetensors.ts'
import type { TensorData } from '../../src/checkpoint/safetensors.ts'
import { memorySource } from '../../src/checkpoint/source.ts'
import type { FileSource } from '../../src/checkpoint/source.ts'
import { readF32 } from '../../src/checkpoint/tensor-file.ts'
import { exportAdapter, importAdapter } from '../../src/peft/checkpoint.ts'
import { NUMERICS_VERSION } from '../../src/numerics.ts'
import { node } from '../../src/runtime/node.ts'
import { textClassifier } from '../../src/train/classifier.ts'
import { predict } from '../../src/train/step.ts'
import { close, sameBits } from '../support/close.ts'
import { encoderOf, golden } from '../support/golden.ts'
import { python, runPython, skipAloud } from '../support/python.ts'
import { rejects } from '../support/rejects.ts'
import { LABELS, SEQUENCES, tinyTask } from '../support/tasks.ts'

type Files = Record<string, Uint8Array | string>
const most = (x: ArrayLike<number>) => Array.from(x).reduce((top, v) => Math.max(top, Math.abs(v)), 0)
/** As test/model/bert-golden.test.ts: a few hundred f32 roundings on the longest path through two layers. */
const FORWARD = 4e-6

/** A classifier from an adapter's folder, in an engine of its own. */
async function imported(source: FileSource, folder = 'tiny-bert') {
  const encoder = await encoderOf(`test/fixtures/${folder}`)
  const { adapter, head, labels } = await importAdapter(encoder, source)
  return textClassifier({ encoder, adapter, head, labels: labels ?? LABELS })
}

for (const [folder, rank, alpha, sites] of [
  ['tiny-bert-peft', 4, 8, ['query', 'value']],
  ['tiny-bert-peft-all', 3, 12, ['attention.output.dense', 'intermediate.dense', 'key', 'output.dense', 'query', 'value']],
] as const) {
  test(`${folder}, as PEFT wrote it: settings, and PEFT's logits within ${FORWARD} of the largest`, async () => {
    const task = await imported(node().folder(`test/fixtures/${folder}`)), expected = await golden(folder).tensor('logits')
    assert.equal([task.adapter!.config.rank, task.adapter!.config.alpha, task.adapter!.config.sites], [rank, alpha, sites])
    close(predict(task, task.pack(golden('tiny-bert').json.sequences)), expected, FORWARD * most(expected), 'logits')
  })

  test(`${folder}: exported again, the tensors of adapter and head are PEFT's bytes`, async () => {
    const source = node().folder(`test/fixtures/${folder}`), files = exportAdapter(await imported(source))
    for (const name of ['adapter_model.safetensors', 'head.safetensors']) {
      const [ours, theirs] = [parseSafetensors(files[name] as Uint8Array), parseSafetensors(await source.read(name))]
      assert.equal([...ours.tensors.keys()].sort(), [...theirs.tensors.keys()].sort())
      for (const tensor of ours.tensors.keys()) assert.equal(await ours.bytes(tensor), await theirs.bytes(tensor), tensor)
    }
    const config = JSON.parse(new TextDecoder().decode(await source.read('adapter_config.json')))
    for (const [key, value] of Object.entries(JSON.parse(files['adapter_config.json'] as string))) {
      if (!['task_type', 'base_model_name_or_path'].includes(key)) assert.equal(value, config[key], key)
    }
  })
}

test('export then import: the logits of every rank prefix, bit for bit, both scalings; export again gives the same bytes', async () => {
  for (const options of [{}, { scaling: 'alpha/sqrt(r)' as const }, { sites: ['attention.output.dense', 'dense'], alpha: 7 }, { folder: 'tiny-distilbert', sites: ['q_lin', 'lin1'] }]) {
    const task = await tinyTask(options), batch = task.pack(SEQUENCES)
    for (const rank of [4, 3, 1]) {
      const files = exportAdapter(task, { rank }), back = await imported(memorySource(files), options.folder)
      assert.is(back.adapter!.config.rank, rank)
      assert.equal(back.labels, LABELS)
      assert.is(back.adapter!.pairs.length, task.adapter!.pairs.length)
      sameBits(predict(back, batch), predict(task, batch, rank), `rank ${rank}`)
      assert.equal(exportAdapter(back), files)
    }
    assert.equal(exportAdapter(task), exportAdapter(task, { rank: 4 }))
  }
})

test('files name the numerics version; another is loaded, and told; none is undefined; nonsense is an error', async () => {
  const task = await tinyTask(), files = exportAdapter(task), name = 'adapter_model.safetensors'
  for (const file of [name, 'head.safetensors']) {
    assert.is(parseSafetensors(files[file] as Uint8Array).metadata.get('sotto.numerics'), String(NUMERICS_VERSION), file)
  }
  const tensors = parseSafetensors(files[name] as Uint8Array), values = new Map<string, TensorData>()
  for (const [tensor, { dtype, shape }] of tensors.tensors) values.set(tensor, { dtype, shape, data: await tensors.bytes(tensor) })
  const load = async (metadata: Record<string, string>) =>
    importAdapter(await encoderOf('test/fixtures/tiny-bert'), memorySource({ ...files, [name]: writeSafetensors(values, metadata) }))
  const other = await load({ 'sotto.numerics': String(NUMERICS_VERSION + 1) })
  assert.is(other.numerics, NUMERICS_VERSION + 1)
  other.adapter.pairs.forEach(({ A }, i) => sameBits(A.read(), task.adapter!.pairs[i].A.read(), A.name))
  assert.is((await load({ format: 'pt' })).numerics, undefined)
  for (const bad of ['0', '-1', '1.5', 'one', '', '1e3', '01']) {
    await rejects(load({ 'sotto.numerics': bad }), /"adapter_model\.safetensors" expected a positive integer as metadata "sotto\.numerics"/)
  }
})

test('words that would match the pooler in transformers are written as whole names; a base model\'s name is kept', async () => {
  const config = (files: Files) => JSON.parse(files['adapter_config.json'] as string)
  const dense = config(exportAdapter(await tinyTask({ sites: ['dense'] }), { baseModel: 'sentence-transformers/all-MiniLM-L6-v2' }))
  assert.is(dense.target_modules.length, 6)
  assert.ok(dense.target_modules.every((name: string) => /^encoder\.layer\.\d\..*dense$/.test(name)))
  assert.is(dense.base_model_name_or_path, 'sentence-transformers/all-MiniLM-L6-v2')
  assert.equal(config(exportAdapter(await tinyTask())).target_modules, ['intermediate.dense', 'query', 'value'])
})

test('what Sotto exports loads in the real PEFT and gives the same logits there: full rank, prefix, rank-stabilised, every site', async () => {
  const path = python('peft', 'transformers', 'torch')
  if (path === undefined) return skipAloud('exported adapters in the real PEFT: no Python with peft, transformers and torch (SOTTO_PYTHON)')
  const place = mkdtempSync(join(tmpdir(), 'sotto-peft-')), input = join(place, 'input.json')
  try {
    writeFileSync(input, JSON.stringify(SEQUENCES))
    const runs: string[][] = [], expected: [string, Float32Array][] = []
    for (const [folder, options, ranks] of [
      ['tiny-bert', {}, [4, 2]], ['tiny-bert', { scaling: 'alpha/sqrt(r)', sites: ['query', 'dense'], alpha: 3.5 }, [3]],
      ['tiny-roberta', {}, [4]], ['tiny-distilbert', { sites: ['q_lin', 'v_lin', 'out_lin', 'lin2'] }, [2]],
    ] as const) {
      const task = await tinyTask({ folder, ...options }), batch = task.pack(SEQUENCES)
      for (const rank of ranks) {
        const target = join(place, String(runs.length))
        mkdirSync(target)
        for (const [name, content] of Object.entries(exportAdapter(task, { rank, baseModel: folder }))) writeFileSync(join(target, name), content)
        runs.push([`test/fixtures/${folder}`, target, input])
        expected.push([`${folder}, rank ${rank}`, predict(task, batch, rank)])
      }
    }
    // one process for all: importing torch takes longer than the rest
    const output = runPython(path, '-c', 'import json, sys\nsys.path.insert(0, "scripts/golden")\nimport check_peft\n' +
      'for run in json.loads(sys.argv[1]):\n  sys.argv[1:] = run\n  assert check_peft.main() == 0\n  print()', JSON.stringify(runs))
    const results = output.trim().split('\n').map(line => JSON.parse(line).logits.flat() as number[])
    assert.is(results.length, 5)
    expected.forEach(([title, logits], i) => close(logits, results[i], FORWARD * most(results[i]), title))
  } finally {
    rmSync(place, { recursive: true })
  }
})

/** The files of a good adapter, changed. */
async function changed(change: (files: Files, tensors: Map<string, TensorData>, config: Record<string, unknown>) => void): Promise<FileSource> {
  const files: Files = exportAdapter(await tinyTask({ sites: ['query'], rank: 2 })), file = parseSafetensors(files['adapter_model.safetensors'] as Uint8Array)
  const tensors = new Map<string, TensorData>()
  for (const { name, shape } of file.tensors.values()) tensors.set(name, { dtype: 'F32', shape, data: await readF32(file, name) })
  const config = JSON.parse(files['adapter_config.json'] as string)
  files['adapter_model.safetensors'] = files['adapter_config.json'] = ''
  change(files, tensors, config)
  if (files['adapter_model.safetensors'] === '') files['adapter_model.safetensors'] = writeSafetensors(tensors)
  if (files['adapter_config.json'] === '') files['adapter_config.json'] = JSON.stringify(config)
  return memorySource(files)
}

const A0 = 'base_model.model.encoder.layer.0.attention.self.query.lora_A.weight'
const renamed = (tensors: Map<string, TensorData>, from: string, to: string) => { tensors.set(to, tensors.get(from)!); tensors.delete(from) }

test('adapters of a task model (a prefix before the names) and pairs of the unused pooler are read; only some layers become whole names', async () => {
  const encoder = await encoderOf('test/fixtures/tiny-bert')
  const { adapter } = await importAdapter(encoder, await changed((_, tensors) => {
    for (const name of [...tensors.keys()]) renamed(tensors, name, name.replace('model.encoder', 'model.bert.encoder'))
    tensors.set('base_model.model.bert.pooler.dense.lora_A.weight', { dtype: 'F32', shape: [2, 48], data: new Float32Array(96) })
  }))
  assert.equal(adapter.config.sites, ['query'])
  const some = await importAdapter(encoder, await changed((_, tensors) => {
    for (const name of [...tensors.keys()]) if (name.includes('layer.1')) tensors.delete(name)
  }))
  assert.equal(some.adapter.config.sites, ['encoder.layer.0.attention.self.query'])
  assert.is(some.head?.bias.length, 3)
})

const faults: [string, RegExp, Parameters<typeof changed>[0]][] = [
  ['no settings', /file expected "adapter_config\.json"/, files => { delete files['adapter_config.json'] }],
  ['no factors', /file expected "adapter_model\.safetensors"/, files => { delete files['adapter_model.safetensors'] }],
  ['settings that are not JSON', /"adapter_config\.json" expected JSON/, files => { files['adapter_config.json'] = '{' }],
  ['factors that are cut short', /"adapter_model\.safetensors" expected/, files => { files['adapter_model.safetensors'] = new Uint8Array(20) }],
  ['another method', /"peft_type" expected "LORA", got "IA3"/, (_, __, config) => { config['peft_type'] = 'IA3' }],
  ['no rank', /"r" expected/, (_, __, config) => { delete config['r'] }],
  ['rank 0', /"r" expected >=1/, (_, __, config) => { config['r'] = 0 }],
  ['alpha as text', /"lora_alpha" expected number/, (_, __, config) => { config['lora_alpha'] = '8' }],
  ['DoRA', /"use_dora" expected no value, got true; Sotto reads plain LoRA/, (_, __, config) => { config['use_dora'] = true }],
  ['ranks that differ', /"rank_pattern" expected no value/, (_, __, config) => { config['rank_pattern'] = { query: 8 } }],
  ['trained biases', /"bias" expected "none"/, (_, __, config) => { config['bias'] = 'all' }],
  ['other saved modules', /"modules_to_save" expected no value/, (_, __, config) => { config['modules_to_save'] = ['classifier'] }],
  ['an initialisation that changes the base', /"init_lora_weights" expected/, (_, __, config) => { config['init_lora_weights'] = 'pissa' }],
  ['a tensor of another model', /expected factors of linear layers of this bert model alone .* got tensor "base_model\.model\.transformer/,
    (_, tensors) => renamed(tensors, A0, 'base_model.model.transformer.layer.0.q.lora_A.weight')],
  ['a tensor that is no factor', /got tensor "classifier\.weight"/, (_, tensors) => { tensors.set('classifier.weight', { dtype: 'F32', shape: [1], data: new Float32Array(1) }) }],
  ['a factor without its other', /expected both factors of "encoder\.layer\.0\.attention\.self\.query", got lora_B alone/, (_, tensors) => { tensors.delete(A0) }],
  ['a factor twice', /expected one factor A of/, (_, tensors) => { tensors.set(A0.replace('model.encoder', 'model.bert.encoder'), tensors.get(A0)!) }],
  ['a factor of another rank', /expected shape \[2, 48\], got \[3, 48\]/, (_, tensors) => { tensors.set(A0, { dtype: 'F32', shape: [3, 48], data: new Float32Array(144) }) }],
  ['integers', /expected tensor .* of type F32, F16, BF16 or F64, got I32/, (_, tensors) => { tensors.set(A0, { dtype: 'I32', shape: [2, 48], data: new Uint8Array(384) }) }],
  ['NaN', /expected finite numbers in tensor .*query\.lora_A\.weight", got NaN at element 95/, (_, tensors) => { (tensors.get(A0)!.data as Float32Array)[95] = NaN }],
  ['no pair at all', /expected at least one pair of factors/, (_, tensors) => tensors.clear()],
  ['labels without a head', /file expected "head\.safetensors" beside "classifier\.json"/, files => { delete files['head.safetensors'] }],
  ['a head of other labels', /head\.weight" expected shape \[2, 48\], got \[3, 48\]/, files => { files['classifier.json'] = '{"architecture":"bert","pooling":"mean","labels":["x","y"]}' }],
  ['another pooling', /"pooling" expected "mean" as the model that is loaded, got "cls"/, files => { files['classifier.json'] = '{"architecture":"bert","pooling":"cls","labels":["x","y"]}' }],
  ['another architecture', /"architecture" expected "bert"/, files => { files['classifier.json'] = '{}' }],
  ['labels twice', /"labels" expected at least two different names/, files => { files['classifier.json'] = '{"architecture":"bert","pooling":"mean","labels":["x","x"]}' }],
  ['a tensor beside the head', /"head\.safetensors" expected head\.weight and head\.bias alone, got tensor "extra"/,
    files => { files['head.safetensors'] = writeSafetensors(new Map([['extra', { dtype: 'F32', shape: [1], data: new Float32Array(1) }]])) }],
]

test(`${faults.length} faulty folders: each an error that names file and key or tensor, and nothing is attached`, async () => {
  const encoder = await encoderOf('test/fixtures/tiny-bert'), { top } = encoder.engine.arena
  for (const [title, message, change] of faults) {
    const error = await rejects(importAdapter(encoder, await changed(change)), message)
    assert.ok(['FormatError', 'RangeError'].includes(error.name), title)
    assert.is(encoder.engine.arena.top, top, title)
  }
})

test('a classifier without adapter, ranks out of range, values that are not finite: errors of export', async () => {
  const task = await tinyTask()
  assert.throws(() => exportAdapter({ ...task, adapter: undefined }), /expected a classifier with an adapter, got one without/)
  assert.throws(() => exportAdapter(task, { rank: 5 }), /"rank" expected an integer from 1 to 4, got 5/)
  assert.throws(() => exportAdapter(task, { ranks: 5 } as never), /unknown option "ranks"/)
  task.adapter!.pairs[0].A.write(new Float32Array(48).fill(NaN), 0)
  assert.throws(() => exportAdapter(task), /expected finite numbers, got others in "base_model/)
})

test.run()
