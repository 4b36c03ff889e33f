/**
 * Where noise comes from. Two kinds, told apart by type and at run time: `SystemNoise` (system-noise.ts) for anything
 * that is released, `SeededNoise` (seeded-noise.ts, exported from the simulation entry point alone) for experiments
 * that can be run again. The ledger records the kind of every draw.
 * @module
 */
import { hashBytes } from '../../canonical.ts'
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
  /**
   * Commitment to the key of a stream that was opened: 64 hexadecimal digits that may be published (see `commitmentOf`).
   * @throws Error if this source has not opened the stream
   */
  commitmentTo(id: StreamId<SecretPurpose>): string
}

const LABEL = new TextEncoder().encode('sotto noise key 1\0')

/**
 * SHA-256 of a label and the 32 bytes of a noise key. It binds to the noise, whose every bit follows from key, round and
 * scale; it hides it, as nobody can try 2^256 keys. A hash of the noise itself would not: noise on few coordinates has
 * few likely values, and whoever can list those and hash them finds the one that was drawn.
 */
export function commitmentOf(key: Uint8Array): string {
  const text = new Uint8Array(LABEL.length + key.length)
  text.set(LABEL)
  text.set(key, LABEL.length)
  try {
    return hashBytes(text)
  } finally {
    text.fill(0)
  }
}

/** Remembers which streams were opened: one draw for one (purpose, round, index). */
export class Once {
  #opened = new Map<string, string>()

  /** @throws Error at the second time */
  claim(id: StreamId<SecretPurpose>): void {
    const title = titleOf(id)
    if (this.#opened.has(title)) {
      throw new Error(`"noise" expected one draw for each purpose, round and index, got a second one for ${title}; ` +
        'a release that failed is repeated with a new source, after the ledger has been read again')
    }
    this.#opened.set(title, '')
  }

  /** Keeps the commitment to the key that a stream was opened with. */
  commit(id: StreamId<SecretPurpose>, commitment: string): void { this.#opened.set(titleOf(id), commitment) }

  /** @throws Error for a stream that was not opened */
  commitmentTo(id: StreamId<SecretPurpose>): string {
    const commitment = this.#opened.get(titleOf(id))
    if (!commitment) throw new Error(`"noise" expected a stream that was opened, got ${titleOf(id)}`)
    return commitment
  }
}

function titleOf({ purpose, round, index = 0 }: StreamId<SecretPurpose>): string { return `${purpose}/${round}/${index}` }
