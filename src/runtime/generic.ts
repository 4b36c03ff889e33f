/**
 * The floor: a host for any runtime with WebAssembly, made from what the runtime gives. The module may come as bytes, as
 * a URL or, where nothing may be compiled (edge workers), as a ready `WebAssembly.Module`.
 * @module
 */
import { anOptions } from '../assert.ts'
import type { FileSource } from '../checkpoint/source.ts'
import type { Host } from '../host.ts'
import { webFolder } from './web-folder.ts'
import { moduleLoader } from './web-module.ts'
import type { ModuleSources } from './web-module.ts'
import { fillRandom } from './web-random.ts'

/** What the runtime gives. */
export interface GenericOptions {
  /** One module, or one for each build; builds that are missing cannot be used. */
  readonly wasm: ModuleSources
  /** A folder of files, for models; default: files below a URL, by `fetch`. */
  readonly folder?: (path: string) => FileSource
  readonly name?: string
  readonly version?: string
}

/**
 * A host for any runtime. Between steps of a training it lets waiting events through by `setTimeout`; where the runtime has
 * none, no event can come between either.
 */
export function generic(options: GenericOptions): Host {
  const { wasm, folder = (path: string) => webFolder(path), name = 'generic', version = '' } =
    anOptions('generic', options, ['wasm', 'folder', 'name', 'version'])
  return Object.freeze({
    name, version, folder,
    random: fillRandom,
    // where there is no clock, time stands still: no result depends on it
    now: () => globalThis.performance?.now() ?? 0,
    pause,
    module: moduleLoader(wasm),
  })
}

/** Asked for when it is used: at global scope an edge worker has no timers. */
function pause(): Promise<void> {
  return new Promise(resolve => {
    if (typeof globalThis.setTimeout === 'function') globalThis.setTimeout(resolve, 0)
    else resolve()
  })
}

export { webFolder, type Fetch, type WebFolderOptions } from './web-folder.ts'
export { compileModule, type ModuleSource, type ModuleSources } from './web-module.ts'
