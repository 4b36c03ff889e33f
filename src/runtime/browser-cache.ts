/**
 * Model files that a browser downloads once. A file is kept under the SHA-256 of its bytes, and the bytes are hashed
 * again each time a folder is opened: a file that was cut off or changed is fetched again, one that is not what was
 * expected is refused and not kept. Where nothing can be kept (a private window, no room) files are fetched each time.
 * @module
 */
import { sha256 } from '@noble/hashes/sha2.js'
import { bytesToHex } from '@noble/hashes/utils.js'
import { anOptions, aString, oneOf, show } from '../assert.ts'
import type { FileSource } from '../checkpoint/source.ts'
import { FormatError } from '../errors.ts'
import { openStore } from './browser-store.ts'
import type { FileStore } from './browser-store.ts'
import { isThere, missing, namesBelow, webFolder } from './web-folder.ts'

/** What became of a file: for progress and for those who wonder why a page loads slowly. */
export interface FileEvent {
  readonly url: string
  /** `cache`: it was there, whole; `network`: it is on its way or has come. */
  readonly from: 'cache' | 'network'
  readonly loaded: number
  /** Undefined where the server does not say. */
  readonly total: number | undefined
  /** Set with the last event of a file: whether it is in the cache now. */
  readonly kept?: boolean
  /** Why it had to be fetched again, or could not be kept. */
  readonly problem?: string
}

/** Options of the cache. */
export interface CacheOptions {
  /** Folder of OPFS or database of IndexedDB; default `sotto-files`. */
  readonly name?: string
  /** Default: OPFS, and IndexedDB where OPFS is not to be had. */
  readonly store?: FileStore['kind']
}

/** How files are loaded. */
export interface LoadOptions {
  readonly cache: CacheOptions | false
  /** Expected SHA-256, in hexadecimal, by URL or by name within the folder. */
  readonly hashes: Readonly<Record<string, string>>
  readonly base?: string | URL | undefined
  readonly onFile?: ((event: FileEvent) => void) | undefined
}

/** Files below this size are hashed by the browser in one piece; larger ones bit by bit, to spare memory. */
const ONE_PIECE = 2 ** 28

const NAME = 'sotto-files'

/** Removes everything that the cache keeps, in both kinds of store. */
export async function clearCache(name: string = NAME): Promise<void> {
  for (const kind of ['opfs', 'indexeddb'] as const) await (await openStore(name, kind))?.clear()
}

/** Checks options. */
export function aCache(cache: CacheOptions): CacheOptions {
  const { name, store } = anOptions('cache', cache, ['name', 'store'])
  if (name !== undefined) aString('cache.name', name)
  if (store !== undefined) oneOf('cache.store', store, ['opfs', 'indexeddb'])
  return cache
}

/** Checks expected hashes. */
export function theHashes(hashes: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  if (hashes === null || typeof hashes !== 'object') throw new TypeError(`"hashes" expected an object of names and hashes, got ${show(hashes)}`)
  for (const [name, hash] of Object.entries(hashes)) {
    if (typeof hash !== 'string' || !/^[0-9a-f]{64}$/.test(hash)) throw new RangeError(`"hashes" expected a SHA-256 of 64 small hexadecimal digits for ${name}, got ${show(hash)}; sha256sum prints it`)
  }
  return hashes
}

/** Files below a URL: verified, and kept. */
export function cachedFolder(path: string, { cache, hashes, base, onFile = () => {} }: LoadOptions): FileSource {
  const at = namesBelow(path, base), plain = webFolder(path, { base })
  const opened = new Map<string, Promise<Blob>>()
  let opening: Promise<FileStore | undefined> | undefined
  const store = () => opening ??= cache ? openStore(cache.name ?? NAME, cache.store) : Promise.resolve(undefined)
  const expectedOf = (name: string) => hashes[at(name)] ?? hashes[name]
  /** Only a whole file can be hashed or kept. */
  const takesWhole = (name: string) => cache !== false || expectedOf(name) !== undefined

  function open(name: string): Promise<Blob> {
    let file = opened.get(name)
    if (file === undefined) {
      file = load(at(name), expectedOf(name), store, onFile)
      opened.set(name, file)
      file.catch(() => opened.delete(name))
    }
    return file
  }
  /** Bytes of a file that is open; it is opened again where another tab has written it meanwhile. */
  async function bytesFrom(name: string, part: (content: Blob) => Blob): Promise<Uint8Array> {
    try {
      return await bytesOf(part(await open(name)))
    } catch (error) {
      if (!['NotReadableError', 'NotFoundError'].includes((error as Error).name)) throw error
      opened.delete(name)
      return bytesOf(part(await open(name)))
    }
  }
  return Object.freeze({
    read: async (name: string) => takesWhole(name) ? bytesFrom(name, content => content) : plain.read(name),
    async has(name: string) {
      if (opened.has(name)) return true
      const expected = expectedOf(name)
      // what is kept under its hash needs no network
      return expected !== undefined && await (await store())?.get(expected) !== undefined || plain.has(name)
    },
    size: async (name: string) => takesWhole(name) ? (await open(name)).size : plain.size!(name),
    async readRange(name: string, start: number, end: number) {
      if (!takesWhole(name)) return plain.readRange!(name, start, end)
      const { size } = await open(name)
      if (end > size) throw new RangeError(`"${name}" expected ${end} bytes, but it ended at ${size}`)
      return bytesFrom(name, content => content.slice(start, end))
    },
  })
}

/** A file from the store if it is there and right; else from the network, into the store. */
async function load(
  url: string, expected: string | undefined, open: () => Promise<FileStore | undefined>, onFile: (event: FileEvent) => void,
): Promise<Blob> {
  const store = await open()
  const note = `of-${bytesToHex(sha256(new TextEncoder().encode(url)))}`
  let problem: string | undefined
  // without an expected hash the server is asked whether the file is still the one that was kept
  const hash = expected ?? (store && await knownHash(store, note, url))
  if (store && hash !== undefined) {
    const kept = await store.get(hash).catch(() => undefined)
    if (kept !== undefined) {
      // another tab may be writing it
      const got = await hashOf(kept).catch(() => undefined)
      if (got === hash) {
        onFile({ url, from: 'cache', loaded: kept.size, total: kept.size, kept: true })
        return kept
      }
      problem = `the kept file expected the hash ${hash}, got ${got ?? 'bytes that cannot be read'}; fetched again`
      await store.delete(hash).catch(() => {})
    }
  }
  const { content, tag } = await download(url, onFile)
  const got = await hashOf(content)
  if (expected !== undefined && got !== expected) {
    throw new FormatError(`${JSON.stringify(url)} expected the SHA-256 ${expected}, got ${got}; the file is not the one that was meant: it is not used and not kept`)
  }
  let kept = false
  if (store && (expected !== undefined || tag !== undefined)) {
    try {
      // another thread may have been quicker: a file that is there is left to those who read it
      const there = await store.get(got).catch(() => undefined)
      if (there?.size !== content.size) await store.put(got, content)
      if (expected === undefined) await store.put(note, new Blob([JSON.stringify({ hash: got, tag })]))
      kept = true
    } catch (error) {
      const { name } = error as Error
      // another tab or thread writes the same bytes at this moment: what was read of them was half a file
      problem = name === 'NoModificationAllowedError' ? undefined : problem ?? `could not be kept: ${name}`
    }
  }
  onFile({ url, from: 'network', loaded: content.size, total: content.size, kept, ...problem !== undefined && { problem } })
  return content
}

/** The hash of what was kept of a URL, if the server still has the same. */
async function knownHash(store: FileStore, note: string, url: string): Promise<string | undefined> {
  const text = await store.get(note).then(file => file?.text(), () => undefined)
  if (text === undefined) return undefined
  try {
    const { hash, tag } = JSON.parse(text) as { hash?: unknown, tag?: unknown }
    if (typeof hash !== 'string' || !/^[0-9a-f]{64}$/.test(hash)) return undefined
    const response = await fetch(url, { method: 'HEAD', cache: 'no-cache' })
    return isThere(url, response) && tagOf(response) === tag ? hash : undefined
  } catch {
    return undefined
  }
}

/** What changes when a file does, as far as the server says. */
function tagOf({ headers }: Response): string | undefined {
  return headers.get('etag') ?? headers.get('last-modified') ?? undefined
}

async function download(url: string, onFile: (event: FileEvent) => void): Promise<{ content: Blob, tag: string | undefined }> {
  const response = await fetch(url)
  if (!isThere(url, response)) throw missing(url, response)
  const length = response.headers.get('content-encoding') === null ? response.headers.get('content-length') : null
  const total = length === null ? undefined : Number(length)
  const pieces: Uint8Array<ArrayBuffer>[] = []
  const reader = response.body?.getReader()
  for (let loaded = 0; reader !== undefined;) {
    const { done, value } = await reader.read()
    if (done) break
    pieces.push(value)
    loaded += value.length
    onFile({ url, from: 'network', loaded, total })
  }
  return { content: reader ? new Blob(pieces) : await response.blob(), tag: tagOf(response) }
}

/** SHA-256 in hexadecimal. The browser's own exists only on https and localhost. */
async function hashOf(content: Blob): Promise<string> {
  const { subtle } = globalThis.crypto
  if (subtle && content.size <= ONE_PIECE) return bytesToHex(new Uint8Array(await subtle.digest('SHA-256', await content.arrayBuffer())))
  const hash = sha256.create()
  for (let at = 0; at < content.size; at += 2 ** 22) hash.update(await bytesOf(content.slice(at, at + 2 ** 22)))
  return bytesToHex(hash.digest())
}

async function bytesOf(content: Blob): Promise<Uint8Array> { return new Uint8Array(await content.arrayBuffer()) }
