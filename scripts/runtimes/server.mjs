// A web server on 127.0.0.1 for a program's folder: pages, scripts, files with ranges, and the place where results go.
import { createReadStream, statSync } from 'node:fs'
import { createServer } from 'node:http'
import { extname, join, normalize } from 'node:path'

const TYPES = {
  '.html': 'text/html; charset=utf-8', '.js': 'text/javascript', '.mjs': 'text/javascript', '.json': 'application/json',
  '.wasm': 'application/wasm',
}

/**
 * @param {string} folder
 * @param {object} [options]
 * @param {Record<string, string>} [options.headers] - on every answer
 * @param {string} [options.page] - the HTML at /
 * @param {(request: import('node:http').IncomingMessage, response: import('node:http').ServerResponse) => boolean} [options.handle] -
 *   takes what it wants and returns true
 * @returns {Promise<{ origin: string, asked: Promise<void>, result: Promise<string>, close(): Promise<void> }>} asked: the first request came;
 *   result: what was posted to /result
 */
export async function serveFolder(folder, { headers = {}, page = '', handle = () => false } = {}) {
  let tell, begin
  const result = new Promise((resolve) => { tell = resolve }), asked = new Promise((resolve) => { begin = resolve })
  const server = createServer((request, response) => {
    begin()
    for (const [name, value] of Object.entries({ 'cache-control': 'no-store', ...headers })) response.setHeader(name, value)
    const path = normalize(decodeURIComponent(new URL(request.url, 'http://localhost').pathname))
    if (handle(request, response)) return
    if (request.method === 'POST' && path === '/result') {
      const chunks = []
      request.on('data', (chunk) => chunks.push(chunk)).on('end', () => {
        response.end()
        tell(Buffer.concat(chunks).toString('utf8'))
      })
    } else if (path === '/') {
      response.writeHead(200, { 'content-type': TYPES['.html'] }).end(page)
    } else sendFile(join(folder, path), request, response)
  })
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    origin: `http://127.0.0.1:${server.address().port}`, asked, result,
    close: () => new Promise((resolve) => {
      server.close(resolve)
      server.closeAllConnections()
    }),
  }
}

function sendFile(path, request, response) {
  const entry = statSync(path, { throwIfNoEntry: false })
  if (!entry?.isFile()) return void response.writeHead(404).end()
  const type = TYPES[extname(path)] ?? 'application/octet-stream'
  const [, from, to] = /^bytes=(\d+)-(\d*)$/.exec(request.headers.range ?? '') ?? []
  const start = Number(from ?? 0), end = to ? Math.min(Number(to), entry.size - 1) : entry.size - 1
  if (from !== undefined && start >= entry.size) return void response.writeHead(416, { 'content-range': `bytes */${entry.size}` }).end()
  response.writeHead(from === undefined ? 200 : 206, {
    'content-type': type, 'accept-ranges': 'bytes', 'content-length': entry.size === 0 ? 0 : end - start + 1,
    ...from !== undefined && { 'content-range': `bytes ${start}-${end}/${entry.size}` },
  })
  if (request.method === 'HEAD' || entry.size === 0) return void response.end()
  createReadStream(path, { start, end }).pipe(response)
}
