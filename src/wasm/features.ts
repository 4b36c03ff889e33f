/**
 * What this engine can do, found by asking it to validate a few bytes; chosen once, here.
 * @module
 */
import type { Variant } from '../host.ts'

// (module (func (result v128) i32.const 0 i8x16.splat))
const SIMD = [0, 97, 115, 109, 1, 0, 0, 0, 1, 5, 1, 96, 0, 1, 123, 3, 2, 1, 0, 10, 8, 1, 6, 0, 65, 0, 253, 15, 11]

/** True where WebAssembly SIMD128 is there. */
export function hasSimd(): boolean {
  return WebAssembly.validate(new Uint8Array(SIMD))
}

/** The fastest build that this engine accepts over a memory of its own. All builds give the same bits. */
export function bestVariant(): Variant {
  return hasSimd() ? 'simd' : 'scalar'
}
