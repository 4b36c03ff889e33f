// workerd, the runtime of Cloudflare's edge workers: a configuration is written, one request does the work.
import { request } from 'node:http'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { once, packaged, program, versionOf } from './find.mjs'
import { Crash, restarting, start, within, withFolder } from './process.mjs'
import { serveFolder } from './server.mjs'
import { resultOf, stage } from './stage.mjs'

const found = once(() => {
  const path = program(process.env.WORKERD) ?? packaged('node_modules/@cloudflare/workerd-linux-64/bin/workerd') ?? program('workerd')
  if (path === undefined) return { missing: 'run node scripts/runtimes/install.mjs' }
  const version = versionOf([path, '--version'])
  return version === undefined ? { missing: `${path} --version does not run here` } : { path, version }
})

const CONFIGURATION = `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [
    (name = "main", worker = .main),
    (name = "internet", network = (allow = ["public", "private", "local"])),
  ],
  sockets = [(name = "http", address = "127.0.0.1:0", http = (), service = "main")],
);
const main :Workerd.Worker = (
  modules = [
    (name = "run/main.js", esModule = embed "run/main.js"),
    (name = "wasm/sotto.simd.wasm", wasm = embed "wasm/sotto.simd.wasm"),
    (name = "wasm/sotto.scalar.wasm", wasm = embed "wasm/sotto.scalar.wasm"),
  ],
  compatibilityDate = "2026-01-01",
);
`

/** @type {import('./index.mjs').Runtime} */
export const workerd = Object.freeze({
  name: 'workerd', find: found,
  run: (application, { timeout = 180, flags = [], env = {}, handle } = {}) => restarting('workerd', () => withFolder(async (folder) => {
    const { path, missing } = found()
    if (missing) throw new Error(`workerd expected to be installed: ${missing}`)
    await stage(folder, application, { ground: 'workerd.mjs' })
    writeFileSync(join(folder, 'config.capnp'), CONFIGURATION)
    const server = await serveFolder(folder, { handle })
    const worker = start([path, 'serve', 'config.capnp', '--control-fd=3', ...flags],
      { cwd: folder, env: { ...process.env, HOME: folder, TMPDIR: folder, ...env }, stdio: ['ignore', 'pipe', 'pipe', 'pipe'] })
    try {
      const died = worker.ended.then((how) => { throw new Error(`workerd expected to serve, but it ${how}`) })
      const port = await within(60, 'workerd', Promise.race([listening(worker.child.stdio[3]), died])).catch((error) => { throw new Crash(error.message) })
      const body = JSON.stringify({ input: application.input ?? null, root: `${server.origin}/files` })
      return resultOf('workerd', await within(timeout, 'workerd', Promise.race([post(port, body), died])))
    } catch (error) {
      if (worker.output() !== '') error.message += `\n${worker.output()}`
      throw error
    } finally {
      await worker.end()
      await server.close()
    }
  })),
})

/** The port that workerd tells of on its control channel. */
export function listening(control) {
  return new Promise((resolve) => {
    let text = ''
    control.on('data', (chunk) => {
      text += chunk
      for (const line of text.split('\n').slice(0, -1)) {
        const event = JSON.parse(line)
        if (event.event === 'listen') resolve(event.port)
      }
    })
  })
}

/** Unlike fetch, without a limit on the time until the answer begins. */
function post(port, body) {
  return new Promise((resolve, reject) => {
    const call = request({ host: '127.0.0.1', port, method: 'POST', agent: false }, (response) => {
      const chunks = []
      response.on('data', (chunk) => chunks.push(chunk)).on('error', reject).on('end', () => {
        const text = Buffer.concat(chunks).toString('utf8')
        if (response.statusCode === 200) resolve(text)
        else reject(new Error(`workerd expected to answer, got status ${response.statusCode}: ${text}`))
      })
    })
    call.on('error', reject)
    call.end(body)
  })
}
