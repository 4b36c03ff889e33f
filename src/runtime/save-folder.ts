/**
 * How a folder is written whole or not at all, on any disk: beside its place, and then put there.
 * @module
 */
import { show } from '../assert.ts'

/** What saving asks of a disk; paths are absolute. */
export interface SavingDisk {
  kind(path: string): Promise<'folder' | 'file' | 'none'>
  /** Writes a file of a folder; folders on the way are made. */
  write(folder: string, name: string, bytes: Uint8Array): Promise<void>
  rename(from: string, to: string): Promise<void>
  /** No error where there is nothing. */
  remove(path: string): Promise<void>
}

/**
 * Writes the files; a folder that is there is replaced, and comes back if that fails.
 *
 * @param target absolute, without a slash at its end
 * @param mark what names of drafts end in, e.g. the number of the process
 * @throws TypeError, RangeError for a name that leads out of the folder and for what is neither text nor bytes; Error
 *   where a file lies in the folder's place; what the disk throws
 */
export async function saveFolder(disk: SavingDisk, target: string, mark: number, files: Readonly<Record<string, Uint8Array | string>>): Promise<void> {
  const contents = contentsOf(files)
  const before = await disk.kind(target)
  if (before === 'file') throw new Error(`"path" expected a folder or nothing, got the file ${show(target)}; choose another place`)
  const draft = `${target}.writing-${mark}`, old = `${target}.replaced-${mark}`
  await disk.remove(draft)
  try {
    for (const [name, bytes] of contents) await disk.write(draft, name, bytes)
    if (before === 'folder') await disk.rename(target, old)
    try {
      await disk.rename(draft, target)
    } catch (error) {
      if (before === 'folder') await disk.rename(old, target)
      throw error
    }
  } catch (error) {
    await disk.remove(draft)
    throw error
  }
  await disk.remove(old)
}

/** @throws RangeError where a folder that is to be replaced holds the working directory, or is all of a disk */
export function notAbove(target: string, working: string, separator: string): void {
  if (`${working}${separator}`.startsWith(`${target}${separator}`)) {
    throw new RangeError(`"path" expected a folder of its own, got ${show(target || separator)}, which holds the working directory; choose a new folder`)
  }
}

/** All is checked before anything is written. */
function contentsOf(files: Readonly<Record<string, Uint8Array | string>>): [string, Uint8Array][] {
  if (files === null || typeof files !== 'object') throw new TypeError(`"files" expected an object of names and contents, got ${show(files)}`)
  const contents = Object.entries(files).map(([name, content]): [string, Uint8Array] => {
    if (/[\\\0]/.test(name) || name.split('/').some(part => part === '' || part === '.' || part === '..')) {
      throw new RangeError(`"files" expected names within the folder, such as "a/b.txt", got ${show(name)}`)
    }
    if (typeof content !== 'string' && !(content instanceof Uint8Array)) throw new TypeError(`"files" expected text or bytes as ${show(name)}, got ${show(content)}`)
    return [name, typeof content === 'string' ? new TextEncoder().encode(content) : content]
  })
  if (contents.length === 0) throw new RangeError('"files" expected at least one file, got none')
  return contents
}
