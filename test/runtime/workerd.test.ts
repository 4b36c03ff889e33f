/** The adapter of edge workers, as far as it can be seen from outside one: what is passed in. */
import { readFileSync } from 'node:fs'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { memorySource } from '../../src/checkpoint/source.ts'
import { workerd } from '../../src/runtime/workerd.ts'
import { rejects } from '../support/rejects.ts'

const simd = new WebAssembly.Module(readFileSync('dist/wasm/sotto.simd.wasm'))

test('builds are taken as they are; one that is missing, bytes and unknown options are errors', async () => {
  assert.is(await workerd({ wasm: { simd } }).module('simd'), simd)
  assert.is(await workerd({ wasm: simd }).module('scalar'), simd)
  await rejects(workerd({ wasm: { simd } }).module('scalar'), /"wasm" expected the build "scalar", got simd; import sotto\.scalar\.wasm/)
  assert.throws(() => workerd({ wasm: { simd: new Uint8Array(8) as unknown as WebAssembly.Module } }), /"wasm\.simd" expected a WebAssembly\.Module, got Uint8Array; import it/)
  assert.throws(() => workerd({ wasm: { simd, fast: simd } as object }), /unknown option "fast"/)
  assert.throws(() => workerd({ wasm: simd, cache: 1 } as never), /unknown option "cache"/)
})

test('files come from a binding, from a function, and never from outside their folder', async () => {
  const asked: string[] = []
  const binding = { fetch: async (url: string) => {
    asked.push(url)
    return new Response('hello')
  } }
  const source = workerd({ wasm: simd, files: binding }).folder('models/tiny')
  assert.equal(await source.read('config.json'), new TextEncoder().encode('hello'))
  assert.equal(asked, ['http://files/models/tiny/config.json'])
  await rejects(source.read('../other/config.json'), /expected a file within/)
  const own = workerd({ wasm: simd, files: path => memorySource({ a: path }) }).folder('bucket')
  assert.equal(await own.read('a'), new TextEncoder().encode('bucket'))
  assert.is(workerd({ wasm: simd }).threads, undefined)
})

test.run()
