/** Mailboxes of one process share a filter: whenever one of them waits, others may use it, and none may see or keep what is another's. */
import { build } from 'esbuild'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { temporary } from './support.ts'

/** In place of the filter: one number, whose training adds one a step; whatever may wait waits for three turns of the event loop. */
const FILTER = `
const turns = async () => { for (let i = 0; i < 3; i++) await new Promise(resolve => setImmediate(resolve)) }
export async function sha256(bytes) { const copy = String(bytes); await turns(); return copy }
export async function openFilter() {
  let value = 0
  return {
    memory: () => 0, reset() { value = 0 }, restore(values) { value = values[0] }, values: () => Float32Array.of(value), classify: () => [value],
    files: () => ({ 'adapter_model.safetensors': Uint8Array.of(value) }), hash: () => sha256(Uint8Array.of(value)),
    train(mails, { saved } = {}) {
      let done = saved?.[0] ?? 0
      value = saved?.[1] ?? Number(mails[0].text)
      return {
        steps: 3, get done() { return done }, loss: 0, get nextTokens() { return done < 3 ? 1 : 0 }, step() { done++; value++ },
        save: () => Uint8Array.of(done, value), finish: () => ({ contribution: new Uint8Array(1), hash: String(value) }), close() {},
      }
    },
  }
}`

/** In place of the package: a slice is one step. */
const PACKAGE = `
export const workerd = () => ({})
export function runSlice(training) { training.step(); return { steps: 1, tokens: 1, finished: training.done === training.steps } }
export default {}`

interface Box { fetch(request: Request): Promise<Response> }

async function mailboxOf(): Promise<new (state: object, environment: object) => Box> {
  const outfile = join(temporary('mailboxes'), 'worker.mjs')
  await build({
    entryPoints: ['examples/edge/worker.ts'], outfile, bundle: true, format: 'esm', logLevel: 'silent',
    plugins: [{ name: 'doubles', setup({ onResolve, onLoad }) {
      onResolve({ filter: /^sotto|filter\.ts$/ }, ({ path }) => ({ path, namespace: 'double' }))
      onLoad({ filter: /./, namespace: 'double' }, ({ path }) => ({ contents: path.startsWith('sotto') ? PACKAGE : FILTER }))
    } }],
  })
  return (await import(pathToFileURL(outfile).href) as { Mailbox: new (state: object, environment: object) => Box }).Mailbox
}

test('20 mailboxes that train and ask at the same time each keep and see their own values', async () => {
  const Mailbox = await mailboxOf()
  const outcomes = await Promise.all(Array.from({ length: 20 }, async (_, n) => {
    const kept = new Map<string, unknown>()
    // each mailbox's storage takes its own time
    const wait = async () => { for (let i = 0; i <= n % 5; i++) await new Promise(resolve => setImmediate(resolve)) }
    const box = new Mailbox({ storage: {
      get: async (name: string) => (await wait(), kept.get(name)),
      put: async (entries: object) => { await wait(); Object.entries(entries).forEach(([name, value]) => kept.set(name, value)) },
      delete: async (names: string[]) => { await wait(); names.forEach(name => kept.delete(name)) },
    } }, {})
    const ask = async (path: string, body?: string) =>
      await (await box.fetch(new Request(`http://edge${path}`, body === undefined ? {} : { method: 'POST', body }))).json() as Record<string, unknown>
    let last = await ask('/train', JSON.stringify({ mails: [{ text: String(10 * n), label: 'ham' }] }))
    while (last.finished !== true) last = await ask('/train', '')
    const { chances } = await ask('/classify?text=a')
    return [last.adapter, last.contribution, (kept.get('values') as Float32Array)[0], chances]
  }))
  assert.equal(outcomes, Array.from({ length: 20 }, (_, n) => [`${10 * n + 3}`, `${10 * n + 3}`, 10 * n + 3, [10 * n + 3]]))
})

test.run()
