/**
 * Notes as small files in the user's folder for caches.
 * @module
 */
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises'
import { homedir } from 'node:os'
import { join } from 'node:path'
import type { Notes } from '../host.ts'

/** Where notes are kept. */
function cacheFolder(): string {
  const { LOCALAPPDATA, XDG_CACHE_HOME } = process.env
  const folder = LOCALAPPDATA || XDG_CACHE_HOME || join(homedir(), process.platform === 'darwin' ? 'Library/Caches' : '.cache')
  return join(folder, 'sotto')
}

/** Notes in `folder`; default: the user's. */
export function nodeNotes(folder: () => string = cacheFolder): Notes {
  return Object.freeze({
    get: (key: string) => readFile(join(folder(), key), 'utf8').catch(() => undefined),
    async set(key: string, text: string) {
      const path = join(folder(), key), whole = `${path}.${process.pid}`
      await mkdir(folder(), { recursive: true })
      await writeFile(whole, text)
      await rename(whole, path)
    },
  })
}
