/**
 * Folders of a disk, through Deno's own interface.
 * @module
 */
import { anInteger, aString } from '../assert.ts'
import type { FileSource } from '../checkpoint/source.ts'
import { Deno } from './deno-api.ts'
import { localPath } from './local-path.ts'
import { notAbove, saveFolder } from './save-folder.ts'
import type { SavingDisk } from './save-folder.ts'

/** The files of a directory, which none of them may leave. */
export function denoFolder(path: string | URL): FileSource {
  const at = filesBelow(folderUrl('folder', path))
  return Object.freeze({
    read: async (name: string) => Deno.readFile(at(name)),
    has: async (name: string) => Deno.stat(at(name)).then(entry => entry.isFile, unlessMissing(false)),
    size: async (name: string) => (await Deno.stat(at(name))).size,
    async readRange(name: string, start: number, end: number) {
      anInteger('end', end, anInteger('start', start))
      const file = await Deno.open(at(name))
      try {
        await file.seek(start, 0)
        const bytes = new Uint8Array(end - start)
        let done = 0
        while (done < bytes.length) {
          const count = await file.read(bytes.subarray(done))
          if (count === null) throw new RangeError(`"${name}" expected ${end} bytes, but it ended at ${start + done}`)
          done += count
        }
        return bytes
      } finally {
        file.close()
      }
    },
  })
}

/** Files of a run, in a folder of their own that takes the place of an older one in the end. */
export async function denoSave(path: string, files: Readonly<Record<string, Uint8Array | string>>): Promise<void> {
  const target = folderUrl('path', path).href.slice(0, -1)
  notAbove(target, fileUrl(Deno.cwd()).slice(0, -1), '/')
  await saveFolder(disk, target, Deno.pid, files)
}

const disk: SavingDisk = {
  kind: path => Deno.stat(new URL(path)).then(entry => entry.isFile ? 'file' : 'folder', unlessMissing('none')),
  async write(folder, name, bytes) {
    const file = filesBelow(new URL(closed(folder)))(name)
    await Deno.mkdir(new URL('.', file), { recursive: true })
    await Deno.writeFile(file, bytes)
  },
  rename: (from, to) => Deno.rename(new URL(from), new URL(to)),
  remove: path => Deno.remove(new URL(path), { recursive: true }).catch(unlessMissing(undefined)),
}

/** No permission is not the same as no file. */
function unlessMissing<T>(answer: T): (error: unknown) => T {
  return error => {
    if (['NotFound', 'NotADirectory'].includes((error as Error).name)) return answer
    throw error
  }
}

/** Names to URLs of files, so that `..` and links of text are resolved before anything is compared. */
function filesBelow(root: URL): (name: string) => URL {
  return name => {
    const file = new URL(encode(aString('name', name)), root)
    if (!file.href.startsWith(root.href) || file.href === root.href) throw new RangeError(`"name" expected a file within ${root.pathname}, got ${name}`)
    return file
  }
}

function folderUrl(title: string, path: string | URL): URL {
  const local = localPath(title, path)
  if (typeof local !== 'string') return new URL(closed(local.href))
  const text = encode(local)
  return new URL(closed(/^[A-Za-z]:/.test(text) ? `file:///${text}` : new URL(text, fileUrl(Deno.cwd())).href))
}

function closed(href: string): string { return href.endsWith('/') ? href : `${href}/` }

/** `/a b`, or `C:/a b` on Windows, as the URL of a folder. */
function fileUrl(path: string): string {
  const text = encode(path)
  return `file://${text.startsWith('/') ? '' : '/'}${text}/`
}

/** A path as part of a URL: `%`, `?` and `#` are letters of names. */
function encode(path: string): string {
  if (Deno.build.os !== 'windows') return path.split('/').map(encodeURIComponent).join('/')
  return path.replaceAll('\\', '/').split('/').map((part, i) => i === 0 && /^[A-Za-z]:$/.test(part) ? part : encodeURIComponent(part)).join('/')
}
