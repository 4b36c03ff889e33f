/**
 * Noise that keeps a privacy promise: every draw takes a fresh 32-byte key from the host's generator and erases it.
 * @module
 */
import { show } from '../../assert.ts'
import { commitmentOf, Once, type NoiseSource } from './noise-source.ts'
import type { Frame } from './scratch.ts'
import { openSecret, type SecretPurpose, type StreamId } from './stream.ts'

/** Fills an array with random bytes fit for keys, e.g. `(bytes) => crypto.getRandomValues(bytes)`. */
export type RandomBytes = (bytes: Uint8Array<ArrayBuffer>) => unknown

/**
 * System noise. It takes no seed, keeps no key, cannot be serialised (JSON or structured clone) and never gives the
 * same stream twice: also a process that was killed and resumed draws a new key, so no two aggregates ever meet the
 * same noise.
 */
export class SystemNoise implements NoiseSource {
  readonly kind = 'system'
  // an own property that holds a function: structuredClone and postMessage refuse the object
  readonly toJSON: () => never = () => {
    throw new TypeError('"noise" expected not to be serialised: system noise has no state to keep')
  }

  #random: RandomBytes
  #once = new Once()

  /** @param random - the host's generator of random bytes; the key is read back from the array that it is given */
  constructor(random: RandomBytes) {
    if (typeof random !== 'function') {
      throw new TypeError(`"random" expected a function that fills a Uint8Array, got ${show(random)}; ` +
        'system noise takes no seed')
    }
    if (new.target !== SystemNoise) {
      throw new TypeError('"SystemNoise" expected not to be extended: its open() is the promise')
    }
    this.#random = random
    const first = this.#draw(), second = this.#draw()
    if (first.every((byte, i) => byte === second[i])) {
      throw new Error('"random" expected fresh bytes at each call, got the same 32 twice; ' +
        'pass the generator of the host')
    }
    Object.freeze(this)
  }

  /** @throws Error if the stream was opened before, or if the host's generator leaves the array as it was */
  open(frame: Frame, id: StreamId<SecretPurpose>): number {
    this.#once.claim(id)
    const key = this.#draw()
    try {
      this.#once.commit(id, commitmentOf(key))
      return openSecret(frame, key, id)
    } finally {
      key.fill(0)
    }
  }

  /** Different for every stream; the key itself is gone. */
  commitmentTo(id: StreamId<SecretPurpose>): string { return this.#once.commitmentTo(id) }

  #draw(): Uint8Array {
    const key = new Uint8Array(32)
    this.#random(key)
    // chance 2^-256 with a generator that works
    if (key.every((byte) => byte === 0)) {
      throw new Error('"random" expected to fill the array that it is given, got zeros only')
    }
    return key
  }

  /** True for objects that this constructor made, whatever others look like. */
  static is(value: unknown): value is SystemNoise {
    return value !== null && typeof value === 'object' && #random in value &&
      Object.getPrototypeOf(value) === SystemNoise.prototype
  }
}
