/**
 * Where noise comes from. Two kinds, told apart by type and at run time: `SystemNoise` (system-noise.ts) for anything
 * that is released, `SeededNoise` (seeded-noise.ts, exported from the simulation entry point alone) for experiments
 * that can be run again. The ledger records the kind of every draw.
 * @module
 */
import type { Frame } from './scratch.ts'
import type { SecretPurpose, StreamId } from './stream.ts'

export type NoiseKind = 'system' | 'seeded'

/** Opens secret streams. */
export interface NoiseSource {
  readonly kind: NoiseKind
  /**
   * Address of a fresh secret stream in the frame, which erases it when it ends.
   * @throws Error if this source has opened the same (purpose, round, index) before.
   */
  open(frame: Frame, id: StreamId<SecretPurpose>): number
}

/** Remembers which streams were opened: one draw for one (purpose, round, index). */
export class Once {
  #opened = new Set<string>()

  /** @throws Error at the second time */
  claim(id: StreamId<SecretPurpose>): void {
    const title = `${id.purpose}/${id.round}/${id.index ?? 0}`
    if (this.#opened.has(title)) {
      throw new Error(`"noise" expected one draw for each purpose, round and index, got a second one for ${title}; ` +
        'a release that failed is repeated with a new source, after the ledger has been read again')
    }
    this.#opened.add(title)
  }
}
