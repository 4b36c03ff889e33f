/**
 * Folders of a disk, through Deno's own interface.
 * @module
 */
import { aString } from '../assert.ts'
import type { FileSource } from '../checkpoint/source.ts'
import { Deno } from './deno-api.ts'

/** The files of a directory, which none of them may leave. */
export function denoFolder(path: string | URL): FileSource {
  const at = filesBelow(path)
  return Object.freeze({
    read: async (name: string) => Deno.readFile(at(name)),
    // no permission is not the same as no file
    has: async (name: string) => Deno.stat(at(name)).then(entry => entry.isFile, error => {
      if ((error as Error).name === 'NotFound' || (error as Error).name === 'NotADirectory') return false
      throw error
    }),
    size: async (name: string) => (await Deno.stat(at(name))).size,
    async readRange(name: string, start: number, end: number) {
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
  const target = folderUrl(path), draft = new URL(`${target.href.slice(0, -1)}.writing-${Deno.pid}/`)
  const remove = (folder: URL) => Deno.remove(folder, { recursive: true }).catch((error: Error) => {
    if (error.name !== 'NotFound') throw error
  })
  await remove(draft)
  try {
    const at = filesBelow(draft)
    for (const [name, content] of Object.entries(files)) {
      await Deno.mkdir(new URL('.', at(name)), { recursive: true })
      await Deno.writeFile(at(name), typeof content === 'string' ? new TextEncoder().encode(content) : content)
    }
    await remove(target)
    await Deno.rename(draft, target)
  } catch (error) {
    await remove(draft)
    throw error
  }
}

/** Names to URLs of files, so that `..` and links of text are resolved before anything is compared. */
function filesBelow(path: string | URL): (name: string) => URL {
  const root = folderUrl(path)
  return name => {
    const file = new URL(encode(aString('name', name)), root)
    if (!file.href.startsWith(root.href) || file.href === root.href) throw new RangeError(`"name" expected a file within ${root.pathname}, got ${name}`)
    return file
  }
}

function folderUrl(path: string | URL): URL {
  if (path instanceof URL) return closed(path.href)
  const text = encode(path)
  return closed(/^[A-Za-z]:/.test(text) ? `file:///${text}` : new URL(text, fileUrl(Deno.cwd())).href)
}

function closed(href: string): URL { return new URL(href.endsWith('/') ? href : `${href}/`) }

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
