/**
 * The adapter of Node.
 * @module
 */
import * as crypto from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { availableParallelism } from 'node:os'
import { performance } from 'node:perf_hooks'
import { Worker } from 'node:worker_threads'
import type { Channel, Host } from '../host.ts'
import { compiledOnce } from './compiled-once.ts'
import { nodeChannel } from './node-channel.ts'
import { nodeFolder, nodeSave } from './node-files.ts'
import { nodeNotes } from './node-notes.ts'

/** The host of a Node process or worker thread. */
export function node(): Host {
  return Object.freeze({
    name: 'node',
    version: process.versions.node,
    random: (bytes: Uint8Array) => { crypto.randomFillSync(bytes) },
    now: () => performance.now(),
    pause: () => new Promise<void>(resolve => setImmediate(resolve)),
    sha256,
    module: compiled,
    folder: nodeFolder,
    save: nodeSave,
    notes: nodeNotes(),
    threads: Object.freeze({ count: availableParallelism(), spawn }),
  })
}

/** In one call where Node has it (from 20.12 on): a hash object lives until the heap is collected whole, and a client has some. */
const sha256 = typeof crypto.hash === 'function'
  ? (bytes: Uint8Array): Uint8Array => crypto.hash('sha256', bytes, 'buffer')
  : (bytes: Uint8Array): Uint8Array => crypto.createHash('sha256').update(bytes).digest()

function spawn(): Channel {
  return nodeChannel(new Worker(new URL('./node-thread.js', import.meta.url), { execArgv: [] }))
}

const compiled = compiledOnce(async variant => WebAssembly.compile(await readFile(new URL(`../wasm/sotto.${variant}.wasm`, import.meta.url))))

export { nodeLedger, readLedgerFile, type NodeLedgerOptions } from './node-ledger.ts'
export { hasSqlite, sqliteLedger, type SqliteLedgerOptions } from './node-ledger-sqlite.ts'
