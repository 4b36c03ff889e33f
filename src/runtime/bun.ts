/**
 * The adapter of Bun.
 * @module
 */
import type { Channel, Host } from '../host.ts'
import { compiledOnce } from './compiled-once.ts'
import { nodeFolder, nodeSave } from './node-files.ts'
import { nodeNotes } from './node-notes.ts'
import { workerChannel } from './web-channel.ts'
import { fillRandom } from './web-random.ts'

/** What is used of Bun's own interface. */
declare const Bun: {
  readonly version: string
  file(path: URL): { arrayBuffer(): Promise<ArrayBuffer> }
  readonly CryptoHasher: new (algorithm: 'sha256') => { update(bytes: Uint8Array): { digest(): Uint8Array } }
}

/** The host of a Bun process or worker. */
export function bun(): Host {
  return Object.freeze({
    name: 'bun',
    version: Bun.version,
    random: fillRandom,
    now: () => performance.now(),
    pause: () => new Promise<void>(resolve => setImmediate(resolve)),
    sha256: (bytes: Uint8Array) => new Uint8Array(new Bun.CryptoHasher('sha256').update(bytes).digest()),
    module: compiled,
    folder: nodeFolder,
    save: nodeSave,
    notes: nodeNotes(),
    threads: Object.freeze({ count: navigator.hardwareConcurrency, spawn }),
  })
}

function spawn(): Channel {
  return workerChannel(new Worker(new URL('./bun-thread.js', import.meta.url).href, { type: 'module' }))
}

const compiled = compiledOnce(async variant => WebAssembly.compile(await Bun.file(new URL(`../wasm/sotto.${variant}.wasm`, import.meta.url)).arrayBuffer()))
