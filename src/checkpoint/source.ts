/**
 * Where the bytes of a model, tokenizer or data folder come from: a directory, a web server, a cache, an object in
 * memory. Each runtime gives its own; portable code sees only this.
 * @module
 */
import { aString, show } from '../assert.ts'
import { FormatError } from '../errors.ts'

/** A folder of named files. Names use `/` and are relative to the folder. */
export interface FileSource {
  /** The whole file, as bytes that the caller owns. Rejects where there is no such file. */
  read(name: string): Promise<Uint8Array>
  /** Whether the file exists. */
  has(name: string): Promise<boolean>
  /**
   * Bytes from `start` up to, not including, `end`. Used only together with `size`.
   *
   * @param into Memory of at least that many bytes that may be used for them: a large file then leaves no garbage.
   * @returns The bytes, at the start of `into` or in fresh memory.
   */
  readRange?(name: string, start: number, end: number, into?: Uint8Array): Promise<Uint8Array>
  /** The length of the file in bytes. With `readRange` it lets a large file be read one tensor at a time. */
  size?(name: string): Promise<number>
}

/**
 * A source over bytes that are already in memory, for tests, bundlers and caches.
 *
 * @param files Each file's bytes, or its text, by name.
 */
export function memorySource(files: Readonly<Record<string, Uint8Array | string>>): FileSource {
  const entries = new Map<string, Uint8Array>()
  for (const [name, content] of Object.entries(files)) {
    entries.set(name, typeof content === 'string' ? new TextEncoder().encode(content) : content)
  }
  const get = (name: string): Uint8Array => {
    const bytes = entries.get(aString('name', name))
    if (bytes === undefined) throw missing(name)
    return bytes
  }
  return Object.freeze({
    read: async (name: string) => get(name).slice(),
    has: async (name: string) => entries.has(name),
    readRange: async (name: string, start: number, end: number) => get(name).slice(start, end),
    size: async (name: string) => get(name).length,
  })
}

/**
 * Reads a whole file, with an error that says what the file is for when it is not there.
 *
 * @throws FormatError where the file is missing.
 */
export async function readFile(source: FileSource, name: string, purpose: string): Promise<Uint8Array> {
  if (!await source.has(name)) throw missing(name, purpose)
  return source.read(name)
}

function missing(name: string, purpose?: string): FormatError {
  const why = purpose === undefined ? '' : ` (${purpose})`
  return new FormatError(`file expected ${show(name)}${why}, got none; check the folder's path and that it is complete`)
}
