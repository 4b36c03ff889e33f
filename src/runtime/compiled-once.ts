/**
 * Each build of the module is compiled once, when it is first asked for.
 * @module
 */
import { oneOf } from '../assert.ts'
import type { Variant } from '../host.ts'

/** Keeps what `compile` gave for each build; one that failed is tried again. */
export function compiledOnce(compile: (variant: Variant) => Promise<WebAssembly.Module>): (variant: Variant) => Promise<WebAssembly.Module> {
  const modules = new Map<Variant, Promise<WebAssembly.Module>>()
  return async variant => {
    let module = modules.get(oneOf('variant', variant, ['simd', 'shared', 'scalar']))
    if (module === undefined) {
      module = compile(variant)
      modules.set(variant, module)
      module.catch(() => modules.delete(variant))
    }
    return module
  }
}
