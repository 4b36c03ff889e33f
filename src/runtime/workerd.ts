/**
 * The adapter of edge workers (workerd, Cloudflare Workers). Nothing may be compiled there, so the module's builds are
 * imported by the worker's own script and passed in:
 *
 *   import simd from 'sotto/wasm/sotto.simd.wasm'
 *   const host = workerd({ wasm: { simd } })
 *
 * A host may be made at global scope: randomness, files and time are asked for only when they are used, in a handler.
 * @module
 */
import { anOptions, show } from '../assert.ts'
import type { FileSource } from '../checkpoint/source.ts'
import type { Host, Variant } from '../host.ts'
import { webFolder } from './web-folder.ts'
import type { Fetch } from './web-folder.ts'
import { fillRandom } from './web-random.ts'

/** What a worker passes in. */
export interface WorkerdOptions {
  /** Imported builds of the module: one, or by name. */
  readonly wasm: WebAssembly.Module | Partial<Record<Variant, WebAssembly.Module>>
  /**
   * Where models are: a binding with `fetch` (static assets, another service), or a function that opens a folder (of a
   * bucket, say); default: files below a URL.
   */
  readonly files?: { fetch(url: string, init?: Parameters<Fetch>[1]): Promise<Response> } | ((path: string) => FileSource)
}

/** The address that paths of a binding are below; it sees only the path. */
const BINDING = 'http://files/'

/** The host of an edge worker. There are no threads, and time stands still while a worker computes. */
export function workerd(options: WorkerdOptions): Host {
  const { wasm, files } = anOptions('workerd', options, ['wasm', 'files'])
  const builds = wasm instanceof WebAssembly.Module ? { simd: wasm, scalar: wasm } : anOptions('wasm', wasm, ['simd', 'shared', 'scalar'])
  for (const [variant, module] of Object.entries(builds)) {
    if (!(module instanceof WebAssembly.Module)) {
      throw new TypeError(`"wasm.${variant}" expected a WebAssembly.Module, got ${show(module)}; import it: import ${variant} from 'sotto/wasm/sotto.${variant}.wasm'`)
    }
  }
  return Object.freeze({
    name: 'workerd',
    version: globalThis.navigator?.userAgent ?? '',
    random: fillRandom,
    now: () => performance.now(),
    pause: () => new Promise<void>(resolve => { setTimeout(resolve, 0) }),
    async module(variant: Variant) {
      const module = builds[variant]
      if (module === undefined) throw new RangeError(`"wasm" expected the build ${show(variant)}, got ${Object.keys(builds).join(', ') || 'none'}; import sotto.${variant}.wasm`)
      return module
    },
    folder: typeof files === 'function' ? files
      : files === undefined ? (path: string) => webFolder(path)
        : (path: string) => webFolder(path, { base: BINDING, fetch: (url, init) => files.fetch(url, init) }),
  })
}

export { webFolder, type Fetch, type WebFolderOptions } from './web-folder.ts'
