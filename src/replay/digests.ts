/**
 * Hashes that a transcript names: of data, of values, of tensors.
 * @module
 */
import { canonicalJson, hashArray, hashBytes } from '../canonical.ts'
import type { Sha256 } from '../canonical.ts'
import type { Example } from '../data/example.ts'
import type { Slice } from '../peft/slice.ts'

/** SHA-256 of a list of examples: of the canonical JSON of [[text, label], ...]. */
export function hashExamples(examples: readonly Example[], native?: Sha256): string {
  return hashBytes(new TextEncoder().encode(canonicalJson(examples.map(({ text, label }) => [text, label]))), native)
}

/** SHA-256 of each tensor among the values of a whole slice; of some of them only, where named. */
export function hashTensors(whole: Slice, values: Float32Array, native?: Sha256, only?: ReadonlySet<string>): Record<string, string> {
  const out: Record<string, string> = {}
  let at = 0
  for (const { tensor, from, to, columns } of whole.parts) {
    const end = at + (to - from) * columns
    if (only === undefined || only.has(tensor)) out[tensor] = hashArray(values.subarray(at, end), native)
    at = end
  }
  return out
}
