/** Which build an engine takes. */
import { bestVariant, hasSimd } from '../../src/wasm/features.ts'

export async function main(): Promise<{ simd: boolean, variant: string }> {
  return { simd: hasSimd(), variant: bestVariant() }
}
