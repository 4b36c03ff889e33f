/**
 * The adapter of browsers, for pages and dedicated workers.
 *
 * Nothing here needs `eval`, inline scripts or blobs: a content policy of `script-src 'self' 'wasm-unsafe-eval';
 * worker-src 'self'` is enough. The module's builds and the threads' script are found beside this script in the way that
 * bundlers understand (`new URL(..., import.meta.url)`); where they lie elsewhere their addresses are passed in.
 * @module
 */
import { anOptions } from '../assert.ts'
import type { Channel, Host, Threads, Variant } from '../host.ts'
import { aCache, cachedFolder, theHashes } from './browser-cache.ts'
import type { CacheOptions, FileEvent } from './browser-cache.ts'
import { browserNotes } from './browser-notes.ts'
import { serveThread } from './serve-thread.ts'
import { scopeChannel, workerChannel } from './web-channel.ts'
import { moduleLoader } from './web-module.ts'
import type { ModuleSource, ModuleSources } from './web-module.ts'
import { fillRandom } from './web-random.ts'

/** What a page may choose. */
export interface BrowserOptions {
  /** The module's builds; default: the package's files, beside this script. */
  readonly wasm?: ModuleSources
  /** The threads' script, or what starts it; default: the package's, beside this script. */
  readonly thread?: string | URL | (() => Worker)
  /** Where model files are kept; `false`: nowhere. Default: OPFS, or IndexedDB. */
  readonly cache?: CacheOptions | false
  /** Expected SHA-256 of model files, in hexadecimal, by URL or by name within the folder. A file with another is refused. */
  readonly hashes?: Readonly<Record<string, string>>
  /** What relative folders are relative to; default: the page, or the worker's script. */
  readonly base?: string | URL
  /** Hears of files that are downloaded or found in the cache. */
  readonly onFile?: (event: FileEvent) => void
}

/** The first message to a thread: how its own host is made. */
interface ThreadHello {
  readonly shared: WebAssembly.Module
  readonly cache: CacheOptions | false
  readonly hashes: Readonly<Record<string, string>>
  readonly base: string
}

/**
 * The host of a page or of a dedicated worker. Threads need a page that is cross-origin isolated.
 *
 * @throws Error where this is neither
 */
export function browser(options: BrowserOptions = {}): Host {
  const { wasm = packagedModules(), thread = packagedThread, onFile } = anOptions('browser', options, ['wasm', 'thread', 'cache', 'hashes', 'base', 'onFile'])
  const cache = options.cache === false ? false : aCache(options.cache ?? {}), hashes = theHashes(options.hashes ?? {})
  if (globalThis.location === undefined || globalThis.navigator === undefined) {
    throw new Error('browser() expected a page or a dedicated worker, got a runtime without location; use the host of this runtime: node(), deno(), bun(), workerd() or generic()')
  }
  const base = String(new URL(options.base ?? globalThis.document?.baseURI ?? globalThis.location.href, globalThis.location.href))
  const module = moduleLoader(wasm)
  const spawn = () => {
    const worker = typeof thread === 'function' ? thread() : new Worker(thread, { type: 'module' })
    return afterHello(workerChannel(worker), module('shared').then((shared): ThreadHello => ({ shared, cache, hashes, base })))
  }
  return Object.freeze({
    name: 'browser',
    version: globalThis.navigator.userAgent,
    random: fillRandom,
    now: () => performance.now(),
    pause: pauseOf(),
    module,
    folder: (path: string) => cachedFolder(path, { cache, hashes, base, onFile }),
    // whoever wants no files kept wants no notes either
    ...cache !== false && { notes: browserNotes() },
    ...sharesMemory() && { threads: Object.freeze<Threads>({ count: navigator.hardwareConcurrency, spawn }) },
  })
}

/** The life of a thread: all that the script given as `thread` has to call. */
export function serveBrowserThread(): void {
  const channel = scopeChannel()
  channel.onMessage(({ shared, ...files }: ThreadHello) => serveThread({
    name: 'browser', version: navigator.userAgent, random: fillRandom, now: () => performance.now(), pause: pauseOf(),
    module: moduleLoader({ shared }), folder: (path: string) => cachedFolder(path, files),
  }, channel))
}

/** A channel whose messages follow the first one. */
function afterHello(channel: Channel, hello: Promise<ThreadHello>): Channel {
  let failed: (error: Error) => void = () => {}
  const ready = hello.then(message => channel.post(message))
  ready.catch((error: Error) => failed(error))
  return {
    ...channel,
    post: (message, transfer) => { ready.then(() => channel.post(message, transfer), () => {}) },
    onError(listener) {
      failed = listener
      channel.onError(listener)
    },
  }
}

/** Whether threads can share the module's memory; an old browser may isolate pages and still not share. */
function sharesMemory(): boolean {
  try {
    return globalThis.crossOriginIsolated && new WebAssembly.Memory({ initial: 1, maximum: 1, shared: true }).buffer instanceof SharedArrayBuffer
  } catch {
    return false
  }
}

/** Bundlers look for these very words. */
function packagedModules(): Record<Variant, ModuleSource> {
  return {
    simd: new URL('../wasm/sotto.simd.wasm', import.meta.url),
    shared: new URL('../wasm/sotto.shared.wasm', import.meta.url),
    scalar: new URL('../wasm/sotto.scalar.wasm', import.meta.url),
  }
}

function packagedThread(): Worker {
  return new Worker(new URL('./browser-thread.js', import.meta.url), { type: 'module' })
}

/** A turn of the event loop; `setTimeout` would wait 4 ms. */
function pauseOf(): () => Promise<void> {
  const { port1, port2 } = new MessageChannel()
  const waiting: (() => void)[] = []
  return () => new Promise(resolve => {
    waiting.push(resolve)
    // set each time, so that the port is held: an old WebKit collects one that only its partner knows
    port1.onmessage = () => waiting.shift()?.()
    port2.postMessage(0)
  })
}

export { clearCache, type CacheOptions, type FileEvent } from './browser-cache.ts'
export type { ModuleSource, ModuleSources } from './web-module.ts'
