/** Folders on the web: servers with ranges and without, from another origin, without HEAD; names that lead elsewhere. */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { webFolder } from '../../src/runtime/web-folder.ts'
import { rejects } from '../support/rejects.ts'

const bytes = Uint8Array.from({ length: 1000 }, (_, i) => i * 7)

interface Manner { ranges?: boolean, total?: boolean, head?: boolean, short?: boolean }

/** Serves /models/file and /models/a b%/é?.bin; gives the requests made. */
async function serve(manner: Manner, use: (origin: string, seen: string[]) => Promise<void>): Promise<void> {
  const { ranges = true, total = true, head = true, short = false } = manner, seen: string[] = []
  const server = createServer((request, response) => {
    seen.push(`${request.method} ${request.url} ${request.headers.range ?? ''}`.trim())
    const known = ['/models/file', `/models/${encodeURIComponent('a b%')}/${encodeURIComponent('é?.bin')}`].includes(request.url!)
    if (request.method === 'HEAD' && !head) return void response.writeHead(405).end()
    if (request.url === '/models/empty') return void (request.headers.range ? response.writeHead(416).end() : response.end())
    if (!known) return void response.writeHead(404).end('not here')
    const [, from, to] = /bytes=(\d+)-(\d+)/.exec(request.headers.range ?? '') ?? []
    if (!ranges || from === undefined) return void response.end(request.method === 'HEAD' ? undefined : bytes)
    const part = bytes.subarray(Number(from), Number(to) + 1)
    response.writeHead(206, total ? { 'content-range': `bytes ${from}-${to}/${bytes.length}` } : {}).end(short ? part.subarray(1) : part)
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  try {
    await use(`http://127.0.0.1:${(server.address() as AddressInfo).port}`, seen)
  } finally {
    server.close()
    server.closeAllConnections()
  }
}

test('with ranges, only the bytes asked for are sent; without, or where the total is hidden, the file is sent once', async () => {
  for (const [manner, whole] of [[{}, 0], [{ ranges: false }, 1], [{ total: false }, 1]] as const) {
    await serve(manner, async (origin, seen) => {
      const source = webFolder(`${origin}/models`)
      assert.is(await source.size!('file'), 1000)
      assert.equal(await source.readRange!('file', 10, 20), bytes.slice(10, 20))
      assert.equal(await source.readRange!('file', 990, 1000), bytes.slice(990))
      assert.equal(await source.readRange!('file', 5, 5), new Uint8Array(0))
      await rejects(source.readRange!('file', 990, 1001), /\/models\/file" expected 11 bytes from byte 990, got 10/)
      const sent = seen.filter(line => manner === undefined || line === 'GET /models/file' || ('ranges' in manner && line.startsWith('GET')))
      assert.is(sent.length, whole, JSON.stringify([manner, seen]))
    })
  }
})

test('a part that comes short is an error, not fewer bytes', () => serve({ short: true }, async origin => {
  await rejects(webFolder(`${origin}/models`).readRange!('file', 10, 20), /expected 10 bytes from byte 10, got 9/)
}))

test('has: with HEAD, without HEAD, for an empty file; reading what is not there names the address', async () => {
  for (const head of [true, false]) {
    await serve({ head }, async origin => {
      const source = webFolder(new URL(`${origin}/models/`))
      assert.equal([await source.has('file'), await source.has('empty'), await source.has('nothing')], [true, true, false])
      assert.is(await source.size!('empty'), 0)
      await rejects(source.read('nothing'), /\/models\/nothing" expected a file, got status 404/)
    })
  }
})

test('a start page in place of a file that is not there, as servers of single-page applications send it, is no file', async () => {
  for (const head of [true, false]) {
    const server = createServer((request, response) => {
      if (request.method === 'HEAD' && !head) return void response.writeHead(405).end()
      response.writeHead(200, { 'content-type': 'text/html; charset=utf-8' }).end(request.method === 'HEAD' ? undefined : '<!doctype html>')
    })
    await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
    try {
      const source = webFolder(`http://127.0.0.1:${(server.address() as AddressInfo).port}/models`)
      assert.equal([await source.has('config.json'), await source.has('page.html')], [false, true])
      for (const work of [source.read('config.json'), source.size!('config.json'), source.readRange!('config.json', 0, 8)]) {
        await rejects(work, /\/models\/config.json" expected a file, got an HTML page, as some servers send for what is not there; check the address/)
      }
    } finally {
      server.close()
      server.closeAllConnections()
    }
  }
})

test('names are names: spaces, signs and letters of any kind; none leads out of the folder', () => serve({}, async (origin, seen) => {
  const source = webFolder(`${origin}/models`)
  assert.equal(await source.read('a b%/é?.bin'), bytes)
  assert.equal(await source.read('a/../file'), bytes)
  const before = seen.length
  for (const name of ['../models2/file', '..', 'a/../../file', '.', '']) {
    await rejects(Promise.resolve().then(() => source.read(name)), /expected a file within|expected a string/)
  }
  assert.is(seen.length, before, 'nothing was asked of the server')
  // these are names within the folder, which is all that they can be
  for (const name of ['%2e%2e/file', '..\\file', 'http://127.0.0.1:1/x']) {
    await rejects(source.read(name), /status 404/)
  }
}))

test('a binding\'s fetch takes the place of the global one; a relative folder needs a base', async () => {
  const asked: string[] = []
  const fetch = async (url: string) => {
    asked.push(url)
    return new Response(bytes)
  }
  assert.equal(await webFolder('tiny', { base: 'http://files/', fetch }).read('file'), bytes)
  assert.equal(asked, ['http://files/tiny/file'])
  assert.throws(() => webFolder('tiny'), /"folder" expected a URL, got "tiny"; a relative one needs a base/)
})

test.run()
