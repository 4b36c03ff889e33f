/**
 * The adapter of Deno.
 *
 * Two things come from Deno's own Node interface, for Deno has no other: SHA-256 without waiting, and threads that do
 * not keep the process alive.
 * @module
 */
import { createHash } from 'node:crypto'
import { Worker } from 'node:worker_threads'
import type { Channel, Host } from '../host.ts'
import { compiledOnce } from './compiled-once.ts'
import { Deno } from './deno-api.ts'
import { denoFolder, denoSave } from './deno-files.ts'
import { nodeChannel } from './node-channel.ts'
import { fillRandom } from './web-random.ts'

/** The host of a Deno process or worker. It needs `--allow-read` for models, `--allow-write` to save. */
export function deno(): Host {
  return Object.freeze({
    name: 'deno',
    version: Deno.version.deno,
    random: fillRandom,
    now: () => performance.now(),
    pause: () => new Promise<void>(resolve => { setTimeout(resolve, 0) }),
    sha256: (bytes: Uint8Array) => new Uint8Array(createHash('sha256').update(bytes).digest()),
    module: compiled,
    folder: denoFolder,
    save: denoSave,
    threads: Object.freeze({ count: navigator.hardwareConcurrency, spawn }),
  })
}

function spawn(): Channel {
  return nodeChannel(new Worker(new URL('./deno-thread.js', import.meta.url)))
}

const compiled = compiledOnce(async variant =>
  WebAssembly.compile(await Deno.readFile(new URL(`../wasm/sotto.${variant}.wasm`, import.meta.url)) as Uint8Array<ArrayBuffer>))
