// Reading the project's files: what every check needs.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { glob } from 'zx'

/**
 * The text files of the project that match, sorted by path.
 *
 * @param {string} root - folder of the project
 * @param {string[]} patterns - globs relative to it, `!` in front excludes
 * @returns {Promise<{ path: string, text: string }[]>} paths are relative to the root, with `/`
 */
export async function read(root, ...patterns) {
  const paths = await glob(patterns, { cwd: root, dot: true, ignore: ['**/node_modules/**'] })
  return paths.sort().map((path) => ({ path, text: readFileSync(join(root, path), 'utf8') }))
}

/** Sources that must run in every JavaScript engine: all but the adapters of runtimes, the commands and the reports. */
export const portable = ['src/**/*.ts', '!src/runtime/**', '!src/cli/**', '!src/report/**', '!src/**/*.d.ts']

/** `path:line` of a character of a text. */
export function place(path, text, index) {
  return `${path}:${text.slice(0, index).split('\n').length}`
}
