/**
 * Folders of a disk, through the file system of Node; Bun has the same.
 * @module
 */
import { mkdir, open, readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import { dirname, join, resolve, sep } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { FileSource } from '../checkpoint/source.ts'

/** Files of a run, in a folder of their own that takes the place of an older one in the end. */
export async function nodeSave(path: string, files: Readonly<Record<string, Uint8Array | string>>): Promise<void> {
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

/** The files of a directory, which none of them may leave. */
export function nodeFolder(path: string | URL): FileSource {
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
    async readRange(name: string, start: number, end: number, into: Uint8Array = new Uint8Array(end - start)) {
      const handle = await open(at(name))
      try {
        const bytes = into.subarray(0, end - start)
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
