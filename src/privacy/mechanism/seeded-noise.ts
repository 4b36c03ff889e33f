/**
 * Noise that can be drawn again: for simulations and tests. It promises no privacy to anybody, and what is made with
 * it says so. Exported from the simulation entry point alone.
 * @module
 */
import { anInteger } from '../../assert.ts'
import { commitmentOf, Once, type NoiseSource } from './noise-source.ts'
import type { Frame } from './scratch.ts'
import { aKey, openSecret, type SecretPurpose, type StreamId } from './stream.ts'

/** Seeded noise: the same seed, purpose, round and index give the same stream on every runtime. */
export class SeededNoise implements NoiseSource {
  readonly kind = 'seeded'
  #key: Uint8Array
  #once = new Once()

  /** @param seed - an integer from 0 to 2^53 - 1, or 32 bytes */
  constructor(seed: number | Uint8Array) {
    if (typeof seed === 'number') {
      anInteger('seed', seed)
      this.#key = new Uint8Array(32)
      new DataView(this.#key.buffer).setUint32(0, seed % 2 ** 32, true)
      new DataView(this.#key.buffer).setUint32(4, Math.floor(seed / 2 ** 32), true)
    } else {
      this.#key = aKey('seed', seed).slice()
    }
  }

  /** @throws Error if the stream was opened before */
  open(frame: Frame, id: StreamId<SecretPurpose>): number {
    this.#once.claim(id)
    this.#once.commit(id, commitmentOf(this.#key))
    return openSecret(frame, this.#key, id)
  }

  /** The same for every stream, since they share a key. */
  commitmentTo(id: StreamId<SecretPurpose>): string { return this.#once.commitmentTo(id) }
}
