/** A folder of the files that a driver gives, for runtimes that have neither files nor `fetch`. */
import type { Ground } from '../../scripts/runtimes/stage.mjs'
import type { FileSource } from '../../src/checkpoint/source.ts'

export function groundFolder({ file }: Ground, folder: string): FileSource {
  const read = async (name: string): Promise<Uint8Array> => {
    if (name.split('/').includes('..') || name.startsWith('/')) throw new RangeError(`"name" expected a file within ${folder}, got ${name}`)
    return file(`${folder}/${name}`).catch(error => { throw new Error(`${name}: ${String(error)}`) })
  }
  return {
    read,
    has: (name) => read(name).then(() => true, (error: Error) => {
      if (error instanceof RangeError) throw error
      return false
    }),
  }
}
