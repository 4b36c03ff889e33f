import { readdirSync, readFileSync } from 'node:fs'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { memorySource } from '../../src/checkpoint/source.ts'
import type { FileSource } from '../../src/checkpoint/source.ts'
import { loadModel } from '../../src/model/load.ts'
import { node } from '../../src/runtime/node.ts'
import { createEngine } from '../../src/wasm/engine.ts'
import { rejects } from '../support/rejects.ts'

const FOLDER = 'test/fixtures/tiny-bert'
const files = Object.fromEntries(readdirSync(FOLDER).map(name => [name, new Uint8Array(readFileSync(`${FOLDER}/${name}`))]))

test('a folder that is cut short while its values are read leaves nothing in the engine, which then loads a whole one', async () => {
  const engine = await createEngine(node()), { top } = engine.arena, whole = memorySource(files)
  let reads = 0
  const broken: FileSource = { ...whole, readRange: async (name, start, end) => {
    if (++reads > 20) throw new Error('the disk is gone')
    return whole.readRange!(name, start, end)
  } }
  await rejects(loadModel(node(), broken, { engine }), /the disk is gone/)
  assert.ok(reads > 20)
  assert.is(engine.arena.top, top)
  const { encoder, tokenizer } = await loadModel(node(), whole, { engine })
  assert.is(encoder.pooling, 'mean')
  assert.ok(tokenizer.vocabularySize <= encoder.vocabularySize && engine.arena.top > top)
})

test('unknown options and values, and a folder that is no model, are errors', async () => {
  const host = node()
  await rejects(loadModel(host, FOLDER, { formt: 'f16' } as never), /unknown option "formt"/)
  await rejects(loadModel(host, FOLDER, { format: 'f8' as never }), /"format" expected one of "f32", "f16", "bf16", .*got "f8"/)
  await rejects(loadModel(host, FOLDER, { pooling: 'max' as never }), /"pooling" expected one of "mean", "cls", got "max"/)
  await rejects(loadModel(host, 'test/support'), /expected config\.json .* got neither in "test\/support"; check the path/)
})

test.run()
