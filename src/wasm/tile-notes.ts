/**
 * The tiles that an engine was found to like, kept from one visit to the next where the host has notes: for each runtime, its
 * version and the module's build.
 * @module
 */
import { hashOf } from '../canonical.ts'
import type { Host, Variant } from '../host.ts'
import type { Kernels } from './instantiate.ts'
import type { TileChoice, Tiles } from './tuning.ts'

/** Keeps what timing chooses, and brings what it chose before. */
export interface TileNotes {
  readonly remember: (kind: keyof Tiles, rows: number) => void
  /** Takes over what is noted, unless something was chosen meanwhile. Nobody has to wait for it. */
  recall(choice: TileChoice): Promise<void>
}

/** The notes of a host on one build of the module. */
export function tileNotes({ notes, name, version }: Host, variant: Variant, kernels: Kernels): TileNotes {
  if (notes === undefined) return { remember() {}, recall: () => Promise.resolve() }
  // a module does not give its bytes away; its functions tell one build from another
  const build = hashOf([name, version, variant, ...Object.keys(kernels)]).slice(0, 32)
  const key = (kind: keyof Tiles) => `tiles-${kind}-${build}`
  return {
    // where there is no room, the next visit times again
    remember: (kind, rows) => { Promise.resolve().then(() => notes.set(key(kind), String(rows))).catch(() => {}) },
    async recall(choice) {
      for (const kind of ['floats', 'integers'] as const) {
        const text = await Promise.resolve().then(() => notes.get(key(kind))).catch(() => undefined)
        if (text === '4' || text === '5') choice.adopt(kind, Number(text))
      }
    },
  }
}
