/**
 * Paths of this machine, as programs give them.
 * @module
 */
import { aString, show } from '../assert.ts'

/**
 * A path or a `file:` address, which may be text too; an address of the web is not taken for a relative path.
 *
 * @throws TypeError, RangeError
 */
export function localPath(title: string, path: string | URL): string | URL {
  if (path instanceof URL ? path.protocol === 'file:' : !/^[a-z][a-z0-9+.-]*:\/\//i.test(aString(title, path))) return path
  const address = new URL(path)
  if (address.protocol === 'file:') return address
  throw new RangeError(`"${title}" expected a path of this machine, got the address ${show(address.href)}; for files of the web pass webFolder(address) of sotto/generic`)
}
