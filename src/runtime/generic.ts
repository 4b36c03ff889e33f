/**
 * The floor: a host for any runtime with WebAssembly, made from what the runtime gives. The module may come as bytes, as
 * a URL or, where nothing may be compiled (edge workers), as a ready `WebAssembly.Module`.
 * @module
 */
import { show } from '../assert.ts'
import type { FileSource } from '../checkpoint/source.ts'
import type { Host, Variant } from '../host.ts'

/** Where the compiled module comes from. */
export type ModuleSource = WebAssembly.Module | BufferSource | URL | string

/** What the runtime gives. */
export interface GenericOptions {
  /** One module, or one for each build; builds that are missing cannot be used. */
  readonly wasm: ModuleSource | Partial<Record<Variant, ModuleSource>>
  /** A folder of files, for models; default: files below a URL, by `fetch`. */
  readonly folder?: (path: string) => FileSource
  readonly name?: string
  readonly version?: string
}

/** A host for any runtime. */
export function generic(options: GenericOptions): Host {
  const { wasm, folder = webFolder, name = 'generic', version = '' } = options
  const modules = new Map<Variant, Promise<WebAssembly.Module>>()
  return Object.freeze({
    name, version, folder,
    random: (bytes: Uint8Array) => {
      // 65,536 bytes is the most that one call may ask for
      for (let at = 0; at < bytes.length; at += 65536) globalThis.crypto.getRandomValues(bytes.subarray(at, at + 65536) as Uint8Array<ArrayBuffer>)
    },
    now: () => globalThis.performance.now(),
    module(variant: Variant) {
      let module = modules.get(variant)
      if (module === undefined) {
        const source = typeof wasm !== 'object' || isModuleSource(wasm) ? wasm : wasm[variant]
        if (source === undefined) throw new RangeError(`"wasm" expected the build ${show(variant)}, got none; pass sotto.${variant}.wasm`)
        module = compileModule(source)
        modules.set(variant, module)
      }
      return module
    },
  })
}

/** Compiles bytes or what lies at a URL; a ready module is taken as it is. */
export async function compileModule(source: ModuleSource): Promise<WebAssembly.Module> {
  if (source instanceof WebAssembly.Module) return source
  if (typeof source === 'string' || source instanceof URL) {
    const response = await fetch(source)
    if (!response.ok) throw new Error(`"wasm" expected a module at ${String(source)}, got status ${response.status}; check the address`)
    return WebAssembly.compile(await response.arrayBuffer())
  }
  if (source instanceof ArrayBuffer || ArrayBuffer.isView(source)) return WebAssembly.compile(source)
  throw new TypeError(`"wasm" expected a WebAssembly.Module, bytes or a URL, got ${show(source)}`)
}

function isModuleSource(wasm: GenericOptions['wasm']): wasm is ModuleSource {
  return typeof wasm === 'string' || wasm instanceof URL || wasm instanceof WebAssembly.Module ||
    wasm instanceof ArrayBuffer || ArrayBuffer.isView(wasm)
}

/** Files below a URL. */
function webFolder(path: string): FileSource {
  const at = (name: string) => `${path.replace(/\/$/, '')}/${name}`
  return Object.freeze({
    async read(name: string) {
      const response = await fetch(at(name))
      if (!response.ok) throw new Error(`"${at(name)}" expected a file, got status ${response.status}; check the address`)
      return new Uint8Array(await response.arrayBuffer())
    },
    has: async (name: string) => (await fetch(at(name), { method: 'HEAD' })).ok,
  })
}
