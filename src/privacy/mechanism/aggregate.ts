/**
 * Sums contributions modulo 2^b. Integers: whatever the order of arrival, the sum has the same bits.
 * @module
 */
import { PrivacyError } from '../../errors.ts'
import type { Lattice } from './lattice.ts'
import { within, type Scratch } from './scratch.ts'

/** A sum without noise: secret until it is released, and released once. */
export class Aggregate {
  readonly lattice: Lattice
  #scratch: Scratch
  #sum: Int32Array
  #count = 0
  #open = true

  constructor(scratch: Scratch, lattice: Lattice) {
    this.lattice = lattice
    this.#scratch = scratch
    this.#sum = new Int32Array(lattice.length)
  }

  /** Contributions so far. Under add-remove adjacency this number is itself private. */
  get count(): number { return this.#count }

  /**
   * Adds a contribution, after checking everything that the privacy promise needs of it.
   *
   * @throws TypeError, RangeError - not a contribution to this lattice; nothing was added
   * @throws Error - the round is full, or the sum was taken
   */
  add(values: Int32Array): void {
    const { lattice } = this
    if (!this.#open) throw new Error('"aggregate" expected to be open, but its sum was taken; start the next round')
    if (this.#count >= lattice.capacity) {
      throw new Error(`"aggregate" expected at most ${lattice.capacity} contributions, and has them; ` +
        'plan a larger capacity, or turn this client away')
    }
    if (!(values instanceof Int32Array)) throw new TypeError('"contribution" expected an Int32Array')
    if (values.length !== lattice.length) {
      throw new RangeError(`"contribution" expected ${lattice.length} integers, got ${values.length}`)
    }
    within(this.#scratch, 8 * (lattice.length + 4), (frame) => {
      const { kernels } = frame
      const v = frame.put(values)
      const largest = kernels.lattice_largest(v, values.length) >>> 0
      const limit = 2 ** (lattice.modulusBits - 1)
      if (largest >= limit) {
        throw new RangeError(`"contribution" expected integers below ${limit} in size, got one of size ${largest}`)
      }
      const squared = kernels.lattice_norm_squared(v, values.length)
      if (squared > lattice.clipInt * lattice.clipInt) {
        throw new RangeError(
          `"contribution" expected an L2 norm of at most ${lattice.clipInt}, got ${Math.sqrt(squared)}`)
      }
      const sum = frame.put(this.#sum)
      kernels.add_mod(sum, v, values.length, lattice.modulusBits)
      frame.read(sum, this.#sum)
    })
    this.#count++
  }

  /**
   * Hands the sum over, once, and forgets it.
   * @throws PrivacyError at the second time: two noises on one sum would average out
   */
  take(): Int32Array {
    if (!this.#open) throw new PrivacyError('"aggregate" expected to be released once, but its sum was taken before')
    this.#open = false
    const sum = this.#sum
    this.#sum = new Int32Array(0)
    return sum
  }
}
