// slow
/** `sotto quantize` as a process: what it writes and prints, and everything that it refuses. */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { changed, classifierOf, filesOf, hashOutcome } from '../support/folders.ts'
import { listed, sotto, tempFolder, workspace } from './support.ts'

const MODEL = resolve('test/fixtures/tiny-bert')

test('a folder that loads like the one it came from, by one line of output; quiet and JSON; a run can use it', async () => {
  const folder = workspace({ model: 'small' }), { code, out, err } = await sotto(['quantize', MODEL, '--out', 'small'], folder)
  assert.equal([code, err], [0, ''])
  assert.match(out, /^small\/model\.safetensors: [\d.]+ kB of [\d.]+ kB \(\d+ %\); tensors: 22 F32, 15 I8; left out, since the encoder does not read them: \d+\n$/)
  assert.equal(listed(join(folder, 'small')), ['config.json', 'model.safetensors', 'special_tokens_map.json', 'tokenizer.json', 'tokenizer_config.json'])
  assert.is(hashOutcome(await classifierOf(join(folder, 'small'))), hashOutcome(await classifierOf(MODEL, { format: 'int8' })))
  const json = await sotto(['quantize', MODEL, '--out', join(folder, 'half'), '--format', 'f16', '--embeddings', 'f32', '--json', '--quiet'], folder)
  const said = JSON.parse(json.out)
  assert.equal([json.code, said.out, said.types], [0, join(folder, 'half'), { F32: 25, F16: 12 }])
  assert.is(said.bytes, readFileSync(join(folder, 'half/model.safetensors')).length)
  const run = await sotto(['simulate', 'mail.json', '--rounds', '2', '--json', '--quiet'], folder)
  assert.is(run.code, 0, run.err)
})

test('nothing is overwritten, and bad input ends with code 2, one line, and nothing written', async () => {
  const folder = tempFolder()
  mkdirSync(join(folder, 'taken'))
  writeFileSync(join(folder, 'taken/notes.txt'), 'mine')
  writeFileSync(join(folder, 'file'), '')
  mkdirSync(join(folder, 'none'))
  const nan = await changed(filesOf(MODEL), tensors => {
    const name = 'encoder.layer.1.output.dense.weight', tensor = tensors.get(name)!, data = (tensor.data as Uint8Array).slice()
    data.set([0, 0, 0xc0, 0x7f], 64)
    tensors.set(name, { ...tensor, data })
  })
  mkdirSync(join(folder, 'nan'))
  for (const [name, content] of Object.entries(nan)) writeFileSync(join(folder, 'nan', name), content)
  for (const [args, pattern] of [
    [[MODEL, '--out', 'taken'], /"--out" expected a new folder, got "taken" with files in it/],
    [[MODEL, '--out', MODEL], /"--out" expected a new folder/],
    [[MODEL, '--out', 'file'], /"--out" expected a folder, got the file "file"/],
    [[MODEL, '--out', 'file/below'], /"--out" expected a place that can be written/],
    [[MODEL], /required option '--out <folder>' not specified/],
    [['nowhere', '--out', 'new'], /model expected a folder, got "nowhere"/],
    [['file', '--out', 'new'], /model expected a folder, got "file"/],
    [['none', '--out', 'new'], /file expected "config\.json"/],
    [['nan', '--out', 'new'], /encoder\.layer\.1\.output\.dense\.weight" expected finite numbers .* got NaN/],
    [[MODEL, '--out', 'new', '--format', 'int4'], /Allowed choices are int8, f16/],
    [[MODEL, '--out', 'new', '--embeddings', 'bf16'], /Allowed choices are int8, f16, f32/],
    [[MODEL, '--out', 'new', '--keep', 'kye'], /"keep" expected ends of names/],
  ] as [string[], RegExp][]) {
    const { code, out, err } = await sotto(['quantize', ...args], folder)
    assert.equal([code, out, err.trimEnd().split('\n').length], [2, '', 1], `${args.join(' ')}: ${err}`)
    assert.match(err, pattern)
  }
  assert.equal(listed(folder), ['file', 'nan', 'none', 'taken'])
  assert.equal(listed(join(folder, 'taken')), ['notes.txt'])
  assert.not(existsSync(join(folder, 'new')))
})

test('an empty folder is taken; --help tells formats and an example', async () => {
  const folder = tempFolder()
  mkdirSync(join(folder, 'empty'))
  assert.is((await sotto(['quantize', MODEL, '--out', 'empty', '--quiet'], folder)).code, 0)
  assert.ok(listed(join(folder, 'empty')).includes('model.safetensors'))
  const { code, out } = await sotto(['quantize', '--help'])
  assert.is(code, 0)
  for (const word of ['--format', '--embeddings', '--keep', 'sotto quantize models/']) assert.ok(out.includes(word), word)
})

test.run()
