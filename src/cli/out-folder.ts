/**
 * The folder that a command writes: checked before the work begins, so that nothing is lost when it ends.
 * @module
 */
import { constants } from 'node:fs'
import { access, readFile, readdir, stat } from 'node:fs/promises'
import { rmSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { show } from '../assert.ts'
import { RESULTS_FORMAT } from '../report/run-folder.ts'
import { InputError } from './failure.ts'

/**
 * A folder that is new, empty, or an earlier run's, and that can be written.
 *
 * @returns its absolute path
 * @throws InputError for a folder with other things in it, and a place that cannot be written
 */
export async function checkOutFolder(path: string): Promise<string> {
  const folder = resolve(path)
  const kind = await stat(folder).then(entry => entry.isDirectory() ? 'folder' : 'file', () => 'none')
  if (kind === 'file') throw new InputError(`"--out" expected a folder, got the file ${show(path)}; choose another place`)
  if (kind === 'folder' && (await readdir(folder)).length > 0 && !await isRun(folder)) {
    throw new InputError(`"--out" expected a new folder or one of an earlier run, got ${show(path)} with other files in it; choose another place`)
  }
  await checkWritable(dirname(folder), path)
  return folder
}

async function isRun(folder: string): Promise<boolean> {
  try {
    return (JSON.parse(await readFile(join(folder, 'results.json'), 'utf8')) as { format?: string }).format === RESULTS_FORMAT
  } catch {
    return false
  }
}

/** The nearest folder above that exists must take new files. */
async function checkWritable(folder: string, path: string): Promise<void> {
  try {
    if (!(await stat(folder)).isDirectory()) throw Object.assign(new Error(), { code: 'ENOTDIR' })
    await access(folder, constants.W_OK)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOENT' && dirname(folder) !== folder) return checkWritable(dirname(folder), path)
    throw new InputError(`"--out" expected a place that can be written, got ${show(path)} (${code ?? 'unknown'}); choose another place`)
  }
}

/** Removes what an interrupted write may have left beside the folder. */
export function removeDraft(folder: string): void {
  rmSync(`${folder}.writing-${process.pid}`, { recursive: true, force: true })
}
