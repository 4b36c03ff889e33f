/**
 * The adapter of Node.
 * @module
 */
import { createHash, randomFillSync } from 'node:crypto'
import { mkdir, open, readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import { availableParallelism } from 'node:os'
import { dirname, join, resolve, sep } from 'node:path'
import { performance } from 'node:perf_hooks'
import { fileURLToPath } from 'node:url'
import { Worker } from 'node:worker_threads'
import type { FileSource } from '../checkpoint/source.ts'
import type { Channel, Host, Variant } from '../host.ts'

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
    folder,
    save,
    threads: Object.freeze({ count: availableParallelism(), spawn }),
  })
}

/** Files of a run, in a folder of their own that takes the place of an older one in the end. */
async function save(path: string, files: Readonly<Record<string, Uint8Array | string>>): Promise<void> {
  const target = resolve(path), draft = `${target}.writing-${process.pid}`
  await rm(draft, { recursive: true, force: true })
  try {
    for (const [name, content] of Object.entries(files)) {
      const file = join(draft, name)
      await mkdir(dirname(file), { recursive: true })
      await writeFile(file, content)
    }
    await rm(target, { recursive: true, force: true })
    await rename(draft, target)
  } catch (error) {
    await rm(draft, { recursive: true, force: true })
    throw error
  }
}

function spawn(): Channel {
  const worker = new Worker(new URL('./node-thread.js', import.meta.url))
  worker.unref()
  return {
    post: (message, transfer = []) => worker.postMessage(message, [...transfer]),
    // one listener at a time: the next takes the place of the last
    onMessage(listener) {
      worker.removeAllListeners('message')
      worker.on('message', listener)
    },
    onError(listener) {
      worker.removeAllListeners('error')
      worker.on('error', listener)
    },
    close: () => { void worker.terminate() },
  }
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

/** The files of a directory, which none of them may leave. */
function folder(path: string | URL): FileSource {
  const root = resolve(typeof path === 'string' ? path : fileURLToPath(path))
  const at = (name: string): string => {
    const file = resolve(root, name)
    if (file !== root && !file.startsWith(root + sep)) throw new RangeError(`"name" expected a file within ${root}, got ${name}`)
    return file
  }
  return Object.freeze({
    read: async (name: string) => new Uint8Array(await readFile(at(name))),
    has: async (name: string) => stat(at(name)).then(entry => entry.isFile(), () => false),
    size: async (name: string) => (await stat(at(name))).size,
    async readRange(name: string, start: number, end: number, into?: Uint8Array) {
      const handle = await open(at(name))
      try {
        const bytes = into?.subarray(0, end - start) ?? new Uint8Array(end - start)
        let done = 0
        while (done < bytes.length) {
          const { bytesRead } = await handle.read(bytes, done, bytes.length - done, start + done)
          if (bytesRead === 0) throw new RangeError(`"${name}" expected ${end} bytes, but it ended at ${start + done}`)
          done += bytesRead
        }
        return bytes
      } finally {
        await handle.close()
      }
    },
  })
}

export { nodeLedger, readLedgerFile, type NodeLedgerOptions } from './node-ledger.ts'
export { hasSqlite, sqliteLedger, type SqliteLedgerOptions } from './node-ledger-sqlite.ts'
