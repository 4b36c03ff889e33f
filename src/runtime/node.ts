/**
 * The adapter of Node.
 * @module
 */
import { createHash, randomFillSync } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { availableParallelism } from 'node:os'
import { performance } from 'node:perf_hooks'
import { Worker } from 'node:worker_threads'
import type { Channel, Host, Variant } from '../host.ts'
import { nodeChannel } from './node-channel.ts'
import { nodeFolder, nodeSave } from './node-files.ts'

/** The host of a Node process or worker thread. */
export function node(): Host {
  return Object.freeze({
    name: 'node',
    version: process.versions.node,
    random: (bytes: Uint8Array) => { randomFillSync(bytes) },
    now: () => performance.now(),
    pause: () => new Promise<void>(resolve => setImmediate(resolve)),
    sha256: (bytes: Uint8Array) => createHash('sha256').update(bytes).digest(),
    module: compiled,
    folder: nodeFolder,
    save: nodeSave,
    threads: Object.freeze({ count: availableParallelism(), spawn }),
  })
}

function spawn(): Channel {
  return nodeChannel(new Worker(new URL('./node-thread.js', import.meta.url), { execArgv: [] }))
}

const modules = new Map<Variant, Promise<WebAssembly.Module>>()

function compiled(variant: Variant): Promise<WebAssembly.Module> {
  let module = modules.get(variant)
  if (module === undefined) {
    const url = new URL(`../wasm/sotto.${variant}.wasm`, import.meta.url)
    module = readFile(url).then(bytes => WebAssembly.compile(bytes))
    modules.set(variant, module)
  }
  return module
}

export { nodeLedger, readLedgerFile, type NodeLedgerOptions } from './node-ledger.ts'
export { hasSqlite, sqliteLedger, type SqliteLedgerOptions } from './node-ledger-sqlite.ts'
