/**
 * Files below a URL, by `fetch`: whole, or by ranges of bytes where the server can.
 * @module
 */
import { aString, show } from '../assert.ts'
import type { FileSource } from '../checkpoint/source.ts'

/** The part of `fetch` that is used; a binding of an edge worker has it too. */
export type Fetch = (url: string, init?: { method?: string, headers?: Record<string, string> }) => Promise<Response>

/** Options of a folder on the web. */
export interface WebFolderOptions {
  /** Default: the global one. */
  readonly fetch?: Fetch
  /** What a relative path is relative to; default: the page's or worker's own address. */
  readonly base?: string | URL | undefined
}

/** The runtime's own. @throws Error where it has none */
export const ownFetch: Fetch = async (url, init) => {
  if (typeof globalThis.fetch !== 'function') throw new Error(`fetch expected for ${show(url)}, got a runtime without; pass files as "folder" and the module as bytes`)
  return fetch(url, init)
}

/** Files below a URL, which none of them may leave. */
export function webFolder(path: string | URL, options: WebFolderOptions = {}): FileSource {
  const { fetch: load = ownFetch } = options
  const at = namesBelow(path, options.base)
  /** Files that the server sent whole when asked for a part. */
  const whole = new Map<string, Promise<Uint8Array>>()

  async function read(name: string): Promise<Uint8Array> {
    const response = await load(at(name))
    if (!isThere(at(name), response)) throw missing(at(name), response)
    return new Uint8Array(await response.arrayBuffer())
  }
  /** The answer to a request for a part, if it is one; else the whole file is kept. */
  async function part(name: string, start: number, end: number): Promise<Response | undefined> {
    if (whole.has(name)) return undefined
    const response = await load(at(name), { headers: { range: `bytes=${start}-${end - 1}` } })
    if (response.status === 206) return response
    // 416: an empty file has no first byte
    if (response.status !== 416 && !isThere(at(name), response)) throw missing(at(name), response)
    whole.set(name, response.ok ? response.arrayBuffer().then(buffer => new Uint8Array(buffer)) : read(name))
    return undefined
  }
  return Object.freeze({
    read,
    async has(name: string) {
      const head = await load(at(name), { method: 'HEAD' })
      // some servers answer no HEAD
      if (head.status !== 405 && head.status !== 501) return isThere(at(name), head)
      const response = await load(at(name), { headers: { range: 'bytes=0-0' } })
      void response.body?.cancel()
      return isThere(at(name), response) || response.status === 416
    },
    async size(name: string) {
      const response = await part(name, 0, 1)
      const total = /\/(\d+)$/.exec(response?.headers.get('content-range') ?? '')?.[1]
      await response?.arrayBuffer()
      if (total !== undefined) return Number(total)
      // sent whole, or from another origin whose server does not let the total be seen
      if (!whole.has(name)) whole.set(name, read(name))
      return (await whole.get(name)!).length
    },
    async readRange(name: string, start: number, end: number) {
      if (end <= start) return new Uint8Array(0)
      const response = await part(name, start, end)
      const bytes = response ? new Uint8Array(await response.arrayBuffer()) : (await whole.get(name)!).slice(start, end)
      if (bytes.length !== end - start) throw new RangeError(`${show(at(name))} expected ${end - start} bytes from byte ${start}, got ${bytes.length}; the file ends earlier or changed meanwhile`)
      return bytes
    },
  })
}

/** The address of each name; one that leads out of the folder is an error. */
export function namesBelow(path: string | URL, base: string | URL | undefined = ownAddress()): (name: string) => string {
  const text = String(path)
  let folder: string
  try {
    folder = new URL(text.endsWith('/') ? text : `${text}/`, base).href
  } catch {
    throw new RangeError(`"folder" expected a URL, got ${show(text)}; a relative one needs a base, as a page has`)
  }
  return name => {
    const url = new URL(aString('name', name).split('/').map(encodeURIComponent).join('/'), folder).href
    if (!url.startsWith(folder) || url === folder) throw new RangeError(`"name" expected a file within ${folder}, got ${name}`)
    return url
  }
}

function ownAddress(): string | undefined {
  return globalThis.document?.baseURI ?? globalThis.location?.href
}

/** Whether an answer is the file: servers of single-page applications send their start page for whatever is not there. */
export function isThere(url: string, response: Response): boolean { return response.ok && !isPage(url, response) }

/** What is said of a file that is not there. */
export function missing(url: string, response: Response): Error {
  const got = response.ok && isPage(url, response) ? 'an HTML page, as some servers send for what is not there' : `status ${response.status}`
  return new Error(`${show(url)} expected a file, got ${got}; check the address`)
}

function isPage(url: string, { headers }: Response): boolean {
  return /^text\/html\b/i.test(headers.get('content-type') ?? '') && !/\.html?$/i.test(url)
}
