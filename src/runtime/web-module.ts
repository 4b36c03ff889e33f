/**
 * The compiled module, from whatever a runtime with the web's interfaces gives.
 * @module
 */
import { show } from '../assert.ts'
import type { Variant } from '../host.ts'
import { compiledOnce } from './compiled-once.ts'
import { ownFetch } from './web-folder.ts'

/** Where the compiled module comes from. */
export type ModuleSource = WebAssembly.Module | BufferSource | URL | string

/** One module, or one for each build; builds that are missing cannot be used. */
export type ModuleSources = ModuleSource | Partial<Record<Variant, ModuleSource>>

/** Compiles each build once, when it is first asked for; one that failed is tried again. */
export function moduleLoader(wasm: ModuleSources): (variant: Variant) => Promise<WebAssembly.Module> {
  return compiledOnce(async variant => {
    const source = typeof wasm !== 'object' || isModuleSource(wasm) ? wasm : wasm[variant]
    if (source === undefined) throw new RangeError(`"wasm" expected the build ${show(variant)}, got none; pass sotto.${variant}.wasm`)
    return compileModule(source)
  })
}

/** Compiles bytes or what lies at a URL; a ready module is taken as it is. */
export async function compileModule(source: ModuleSource): Promise<WebAssembly.Module> {
  if (source instanceof WebAssembly.Module) return source
  if (typeof source === 'string' || isUrl(source)) {
    const response = await ownFetch(String(source))
    if (!response.ok) throw new Error(`"wasm" expected a module at ${String(source)}, got status ${response.status}; check the address`)
    return WebAssembly.compile(await response.arrayBuffer())
  }
  if (source instanceof ArrayBuffer || ArrayBuffer.isView(source)) return WebAssembly.compile(source)
  throw new TypeError(`"wasm" expected a WebAssembly.Module, bytes or a URL, got ${show(source)}`)
}

function isModuleSource(wasm: ModuleSources): wasm is ModuleSource {
  return typeof wasm === 'string' || isUrl(wasm) || wasm instanceof WebAssembly.Module ||
    wasm instanceof ArrayBuffer || ArrayBuffer.isView(wasm)
}

/** Not every engine has URLs: a shell does without. */
function isUrl(value: unknown): value is URL { return typeof value === 'object' && value !== null && 'href' in value }
