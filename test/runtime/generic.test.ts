/** The generic host: a module as bytes, as a URL, or ready; a model folder over HTTP. */
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { createServer } from 'node:http'
import { readFileSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { loadModel } from '../../src/model/load.ts'
import { browser } from '../../src/runtime/browser.ts'
import { generic } from '../../src/runtime/generic.ts'
import type { ModuleSource } from '../../src/runtime/generic.ts'
import { node } from '../../src/runtime/node.ts'
import { diagnose } from '../../src/selftest/diagnose.ts'
import { textClassifier } from '../../src/train/classifier.ts'
import { Graph } from '../../src/graph/graph.ts'
import { Pass } from '../../src/ops/pass.ts'
import type { Host } from '../../src/host.ts'
import { rejects } from '../support/rejects.ts'

const bytes = readFileSync('dist/wasm/sotto.simd.wasm')

async function serve<R>(body: (origin: string) => Promise<R>): Promise<R> {
  const server = createServer((request, response) => {
    try {
      const file = readFileSync(`.${decodeURIComponent(request.url!)}`)
      response.writeHead(200).end(request.method === 'HEAD' ? undefined : file)
    } catch {
      response.writeHead(404).end()
    }
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  try {
    return await body(`http://127.0.0.1:${(server.address() as AddressInfo).port}`)
  } finally {
    server.close()
    server.closeAllConnections()
  }
}

async function embedding(host: Host, folder: string): Promise<Float32Array> {
  const { encoder, tokenizer } = await loadModel(host, folder)
  const graph = new Graph(encoder.engine)
  const batch = textClassifier({ encoder, labels: ['a', 'b'] }).pack([tokenizer.encode('win free money', 16)])
  const y = graph.keep(encoder.embed(new Pass({ graph }), batch))
  return graph.run(read => read(y))
}

test('bytes, an ArrayBuffer, a URL, its text and a ready module give the same bits as Node\'s host', async () => {
  const expected = await embedding(node(), 'test/fixtures/tiny-bert')
  await serve(async origin => {
    const url = `${origin}/dist/wasm/sotto.simd.wasm`
    const sources: ModuleSource[] = [bytes, new Uint8Array(bytes).buffer, new URL(url), url, new WebAssembly.Module(bytes)]
    for (const wasm of sources) {
      assert.equal(await embedding(generic({ wasm }), `${origin}/test/fixtures/tiny-bert`), expected)
    }
    assert.equal(await embedding(generic({ wasm: { simd: bytes } }), `${origin}/test/fixtures/tiny-bert/`), expected)
  })
})

test('random bytes of any length; a build that was not given and an address without a module are errors', async () => {
  const host = generic({ wasm: { simd: bytes } })
  const random = new Uint8Array(200_000)
  host.random(random)
  assert.ok(new Set(random.subarray(150_000)).size > 200)
  await rejects(host.module('scalar') as Promise<unknown>, /expected the build "scalar", got none/)
  await rejects(host.module('fast' as 'simd') as Promise<unknown>, /"variant" expected one of "simd", "shared", "scalar", got "fast"/)
  await serve(async origin => {
    await rejects(generic({ wasm: `${origin}/nothing.wasm` }).module('simd'), /expected a module at .* got status 404/)
  })
  await rejects(generic({ wasm: 7 as unknown as string }).module('simd') as Promise<unknown>, /bytes or a URL, got/)
})

test('between two steps a generic host lets waiting events through, where the runtime has timers', async () => {
  const host = generic({ wasm: { simd: bytes } }), { setTimeout } = globalThis
  let heard = false
  setTimeout(() => { heard = true }, 0)
  for (let i = 0; i < 100 && !heard; i++) await host.pause!()
  assert.ok(heard)
  try {
    Reflect.deleteProperty(globalThis, 'setTimeout')
    await host.pause!()
  } finally {
    globalThis.setTimeout = setTimeout
  }
})

test('on the floor: without clock, randomness and fetch it computes the committed bits, and says what it lacks', async () => {
  const names = ['performance', 'crypto', 'fetch'] as const
  const before = names.map(name => Object.getOwnPropertyDescriptor(globalThis, name)!)
  const host = generic({ wasm: { simd: bytes, scalar: readFileSync('dist/wasm/sotto.scalar.wasm') } })
  try {
    for (const name of names) Object.defineProperty(globalThis, name, { value: undefined, configurable: true, writable: true })
    assert.is(host.now(), 0)
    const { selfTest, speed, randomness, fit } = await diagnose(host)
    assert.equal(selfTest!.differing, [])
    assert.equal([speed, randomness, fit], [undefined, false, false])
    assert.throws(() => host.random(new Uint8Array(4)), /random bytes expected crypto\.getRandomValues, got a runtime without/)
    await rejects(host.folder('http://127.0.0.1/models').read('config.json'), /fetch expected for "http:\/\/127\.0\.0\.1\/models\/config\.json", got a runtime without/)
    await rejects(generic({ wasm: 'http://127.0.0.1/a.wasm' }).module('simd') as Promise<unknown>, /fetch expected/)
  } finally {
    names.forEach((name, i) => { Object.defineProperty(globalThis, name, before[i]) })
  }
})

test('a page\'s host outside a page is an error that names the others', () => {
  assert.throws(() => browser(), /browser\(\) expected a page or a dedicated worker, got a runtime without location; use the host of this runtime: node\(\)/)
})

test.run()
