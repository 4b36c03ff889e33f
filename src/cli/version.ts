/**
 * The version of the package, from the one place that states it.
 * @module
 */
import { readFileSync } from 'node:fs'

/** E.g. `0.1.0`. */
export function packageVersion(): string {
  const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as { version: string }
  return version
}
