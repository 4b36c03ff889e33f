// Where a runtime's program is, and which version it has.
import { execFileSync } from 'node:child_process'
import { accessSync, constants } from 'node:fs'
import { delimiter, join } from 'node:path'
import { home } from './install.mjs'

/** A program by its path, or by its name on the PATH; undefined where there is none. */
export function program(name) {
  if (name === undefined || name === '') return undefined
  const paths = name.includes('/') ? [name] : (process.env.PATH ?? '').split(delimiter).map((folder) => join(folder, name))
  return paths.find((path) => {
    try {
      accessSync(path, constants.X_OK)
      return true
    } catch {
      return false
    }
  })
}

/** A file of an installed runtime package. */
export const packaged = (path) => program(join(home, path))

/** The first number of several parts in what a command prints; undefined where it does not run. */
export function versionOf([file, ...args], { env = process.env, timeout = 60_000 } = {}) {
  try {
    const text = execFileSync(file, args, { encoding: 'utf8', env, timeout, stdio: ['ignore', 'pipe', 'pipe'] })
    return /\d+([.-]\d+)+[\w.+-]*/.exec(text)?.[0]
  } catch {
    return undefined
  }
}

/** The version of an installed system package, where the system keeps such a list. */
export function debianVersion(name) {
  return versionOf(['dpkg-query', '-W', '-f', '${Version}', name])?.split('-')[0]
}

/** `look` once; later calls give the same answer. */
export function once(look) {
  let answer
  return () => answer ??= look()
}
