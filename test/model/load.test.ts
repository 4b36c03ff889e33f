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

test('a model that does not fit is refused with what the whole of it takes, whatever ended first: at least its weights, at most what loading takes, which is enough', async () => {
  for (const format of ['f32', 'int8'] as const) {
    const { encoder } = await loadModel(node(), FOLDER, { format }), { top: need, peak } = encoder.engine.arena
    for (const maximum of [65536, 131072, need - 65536]) {
      const engine = await createEngine(node(), { maximum }), { top } = engine.arena
      const error = await loadModel(node(), FOLDER, { format, engine }).then(() => undefined, (error: Error) => error)
      assert.instance(error, RangeError)
      const [, most, least] = /^memory expected at most ([\d.]+) MiB in all, got a need of ([\d.]+) MiB or more for the weights alone; load it/.exec(error!.message)!
      assert.ok(Number(least) * 2 ** 20 >= need && Number(least) * 2 ** 20 <= peak + 0.01 * 2 ** 20 && Number(most) < Number(least), error!.message)
      assert.is(engine.arena.top, top)
    }
    await loadModel(node(), FOLDER, { format, engine: await createEngine(node(), { maximum: Math.ceil(peak / 65536) * 65536 }) })
  }
})

test('unknown options and values, and a folder that is no model, are errors', async () => {
  const host = node()
  await rejects(loadModel(host, FOLDER, { formt: 'f16' } as never), /unknown option "formt"/)
  await rejects(loadModel(host, FOLDER, { format: 'f8' as never }), /"format" expected one of "f32", "f16", "bf16", .*got "f8"/)
  await rejects(loadModel(host, FOLDER, { pooling: 'max' as never }), /"pooling" expected one of "mean", "cls", got "max"/)
  await rejects(loadModel(host, 'test/support'), /expected config\.json .* got neither in "test\/support"; check the path/)
})

test('what is no host, no folder, no engine or no truth value is a TypeError that says so; a trainable model is f32', async () => {
  const host = node()
  for (const [load, message] of [
    [() => loadModel(undefined as never, FOLDER), /^"host" expected an object with module, folder, random, now, got undefined; pass what node\(\)/],
    [() => loadModel({} as never, FOLDER), /^"host" expected .*, got Object without module; /],
    [() => loadModel(host, undefined as never), /^"folder" expected an object with read, has, got undefined; pass a path/],
    [() => loadModel(host, null as never), /^"folder" expected .* got null; pass a path/],
    [() => loadModel(host, {} as never), /^"folder" expected .* got Object without read/],
    [() => loadModel(host, FOLDER, null as never), /^"model" expected an object, got null/],
    [() => loadModel(host, FOLDER, { engine: {} as never }), /^"engine" expected an engine, got Object; pass what createEngine gave/],
    [() => loadModel(host, FOLDER, { engine: null as never }), /^"engine" expected an engine, got null/],
    [() => loadModel(host, FOLDER, { trainable: 'yes' as never }), /^"trainable" expected true or false, got "yes"/],
    [() => loadModel(host, FOLDER, { attach: 1 as never }), /^"attach" expected true or false, got 1/],
  ] as const) {
    const error: unknown = await load().then(() => undefined, (thrown: unknown) => thrown)
    assert.instance(error, TypeError)
    assert.match((error as Error).message, message)
  }
  await rejects(loadModel(host, ''), /"folder" expected a string that is not empty/)
  for (const format of ['int8', 'f16', 'bf16'] as const) {
    await rejects(loadModel(host, FOLDER, { trainable: true, format }), new RegExp(`"format" expected "f32" where the model is trainable, got "${format}"; weights that train are f32`))
  }
  assert.ok((await loadModel(host, FOLDER, { trainable: true, format: 'f32' })).encoder.tensors.some(({ name }) => name.endsWith('query.weight')))
})

test.run()
