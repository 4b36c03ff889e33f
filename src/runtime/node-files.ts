/**
 * Folders of a disk, through the file system of Node; Bun has the same.
 * @module
 */
import { mkdir, open, readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import { dirname, join, parse, resolve, sep } from 'node:path'
import { fileURLToPath } from 'node:url'
import { anInteger, aString } from '../assert.ts'
import type { FileSource } from '../checkpoint/source.ts'
import { localPath } from './local-path.ts'
import { notAbove, saveFolder } from './save-folder.ts'
import type { SavingDisk } from './save-folder.ts'

/** Files of a run, in a folder of their own that takes the place of an older one in the end. */
export async function nodeSave(path: string, files: Readonly<Record<string, Uint8Array | string>>): Promise<void> {
  const target = absolute('path', path)
  notAbove(target === parse(target).root ? target.slice(0, -1) : target, process.cwd(), sep)
  await saveFolder(disk, target, process.pid, files)
}

const disk: SavingDisk = {
  kind: path => stat(path).then(entry => entry.isDirectory() ? 'folder' : 'file', unlessMissing('none')),
  async write(folder, name, bytes) {
    const file = join(folder, name)
    await mkdir(dirname(file), { recursive: true })
    await writeFile(file, bytes)
  },
  rename,
  remove: path => rm(path, { recursive: true, force: true }),
}

function absolute(title: string, path: string | URL): string {
  const local = localPath(title, path)
  return resolve(typeof local === 'string' ? local : fileURLToPath(local))
}

/** No permission is not the same as no file. */
function unlessMissing<T>(answer: T): (error: unknown) => T {
  return error => {
    if (['ENOENT', 'ENOTDIR'].includes((error as { code?: string }).code ?? '')) return answer
    throw error
  }
}

/** The files of a directory, which none of them may leave. */
export function nodeFolder(path: string | URL): FileSource {
  const root = absolute('folder', path), inside = root.endsWith(sep) ? root : root + sep
  const at = (name: string): string => {
    const file = resolve(root, aString('name', name))
    if (!file.startsWith(inside)) throw new RangeError(`"name" expected a file within ${root}, got ${name}`)
    return file
  }
  return Object.freeze({
    read: async (name: string) => new Uint8Array(await readFile(at(name))),
    has: async (name: string) => stat(at(name)).then(entry => entry.isFile(), unlessMissing(false)),
    size: async (name: string) => (await stat(at(name))).size,
    async readRange(name: string, start: number, end: number, into?: Uint8Array) {
      anInteger('end', end, anInteger('start', start))
      const handle = await open(at(name))
      try {
        const bytes = (into ?? new Uint8Array(end - start)).subarray(0, end - start)
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
