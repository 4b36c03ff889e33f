/**
 * The adapter of Deno.
 *
 * Two things come from Deno's own Node interface, for Deno has no other: SHA-256 without waiting, and threads that do
 * not keep the process alive.
 * @module
 */
import { createHash } from 'node:crypto'
import { Worker } from 'node:worker_threads'
import type { Channel, Host, Variant } from '../host.ts'
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

const modules = new Map<Variant, Promise<WebAssembly.Module>>()

function compiled(variant: Variant): Promise<WebAssembly.Module> {
  let module = modules.get(variant)
  if (module === undefined) {
    module = Deno.readFile(new URL(`../wasm/sotto.${variant}.wasm`, import.meta.url)).then(bytes => WebAssembly.compile(bytes as Uint8Array<ArrayBuffer>))
    modules.set(variant, module)
  }
  return module
}
