/**
 * The adapter of Node.
 * @module
 */
import { randomFillSync } from 'node:crypto'
import { open, readFile, stat } from 'node:fs/promises'
import { resolve, sep } from 'node:path'
import { performance } from 'node:perf_hooks'
import { fileURLToPath } from 'node:url'
import type { FileSource } from '../checkpoint/source.ts'
import type { Host, Variant } from '../host.ts'

/** The host of a Node process or worker thread. */
export function node(): Host {
  return Object.freeze({
    name: 'node',
    version: process.versions.node,
    random: (bytes: Uint8Array) => { randomFillSync(bytes) },
    now: () => performance.now(),
    module: compiled,
    folder,
  })
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
    async readRange(name: string, start: number, end: number) {
      const handle = await open(at(name))
      try {
        const bytes = new Uint8Array(end - start)
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
