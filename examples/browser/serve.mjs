// Serves the page on this machine:
//   node examples/browser/serve.mjs [--port 8080] [--one-thread]
// The headers are what a real server would send. With --one-thread those that isolate the page are left out: the page then
// has no shared memory and trains in one worker.
import { createReadStream, statSync } from 'node:fs'
import { createServer } from 'node:http'
import { extname, join, normalize } from 'node:path'
import { fileURLToPath } from 'node:url'
import { buildPage } from './build.mjs'

/** Scripts, workers and requests of the page's own origin alone; compiling WebAssembly is the one thing that is allowed beyond. */
export const CONTENT_POLICY = [
  "default-src 'none'", "script-src 'self' 'wasm-unsafe-eval'", "worker-src 'self'", "connect-src 'self'", "style-src 'self'",
  "img-src 'self' data:", "base-uri 'none'", "form-action 'none'", "frame-ancestors 'none'",
].join('; ')

/** What makes a page cross-origin isolated, so that threads may share memory. */
const ISOLATION = { 'cross-origin-opener-policy': 'same-origin', 'cross-origin-embedder-policy': 'require-corp', 'cross-origin-resource-policy': 'same-origin' }

const TYPES = {
  '.html': 'text/html; charset=utf-8', '.js': 'text/javascript; charset=utf-8', '.css': 'text/css; charset=utf-8', '.svg': 'image/svg+xml',
  '.json': 'application/json', '.wasm': 'application/wasm', '.map': 'application/json', '.safetensors': 'application/octet-stream',
}

/**
 * Answers a request with a file of the built page.
 *
 * @param {string} folder
 * @param {boolean} isolated
 * @returns {(request: import('node:http').IncomingMessage, response: import('node:http').ServerResponse) => void}
 */
export function site(folder, isolated = true) {
  const headers = { 'content-security-policy': CONTENT_POLICY, 'x-content-type-options': 'nosniff', 'referrer-policy': 'no-referrer', 'cache-control': 'no-cache', ...isolated ? ISOLATION : {} }
  return (request, response) => {
    let path
    try {
      path = normalize(decodeURIComponent(new URL(request.url, 'http://localhost').pathname))
    } catch {
      // what is no address: a bare `%`, `//`
      response.writeHead(400, { 'content-type': 'text/plain' }).end('no address')
      return
    }
    if (path.endsWith('/')) path += 'index.html'
    const file = join(folder, path), entry = /\.\.|\0/.test(path) ? undefined : statSync(file, { throwIfNoEntry: false })
    for (const [name, value] of Object.entries(headers)) response.setHeader(name, value)
    if (!['GET', 'HEAD'].includes(request.method)) response.writeHead(405).end()
    else if (!entry?.isFile()) response.writeHead(404, { 'content-type': 'text/plain' }).end('not found')
    else {
      response.writeHead(200, { 'content-type': TYPES[extname(path)] ?? 'application/octet-stream', 'content-length': entry.size })
      if (request.method === 'HEAD') response.end()
      else createReadStream(file).pipe(response)
    }
  }
}

/** A server on this machine. Port 0: any. */
export async function serve(folder, { port = 0, isolated = true } = {}) {
  const server = createServer(site(folder, isolated))
  await new Promise((resolve, reject) => server.once('error', reject).listen(port, '127.0.0.1', resolve))
  return {
    origin: `http://127.0.0.1:${server.address().port}`,
    close: () => new Promise((resolve) => {
      server.close(resolve)
      server.closeAllConnections()
    }),
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const words = process.argv.slice(2), at = words.indexOf('--port'), port = at < 0 ? '8080' : words[at + 1] ?? 'none'
  if (!/^\d{1,5}$/.test(port) || Number(port) > 65535) {
    console.error(`"--port" expected an integer from 0 to 65535, got ${port}; 0 takes any that is free`)
    process.exitCode = 2
  } else {
    const { origin } = await serve(await buildPage(), { port: Number(port), isolated: !words.includes('--one-thread') })
    console.log(`Open ${origin} in a browser. Ctrl-C ends.`)
  }
}
