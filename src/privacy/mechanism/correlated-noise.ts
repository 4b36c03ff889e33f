/**
 * Correlated noise for devices that nobody can sample at random: banded matrix factorisation (Choquette-Choo et al.,
 * arXiv 2306.08153), buffered linear Toeplitz (McMahan, Xu, Zhang, arXiv 2408.08868) and tree aggregation (DP-FTRL;
 * Kairouz et al., arXiv 2103.00039), exactly, in integers. Memory a coordinate: bands - 1 integers, a number a buffer,
 * or log2(rounds) + 1 integers. Proof: assembly/privacy/correlated.ts.
 *
 * Each coordinate has its own clock, which moves on in rounds that train it, so slices of different rank share one
 * state; the participation schedule to account for is then that of the rows' clocks (`rankSliceParticipation`).
 * @module
 */
import { anInteger, anOptions } from '../../assert.ts'
import type { PrivacyEvent } from '../accountant/event.ts'
import { designOf, type CorrelatedStrategy, type Design } from './correlated-design.ts'
import type { Lattice } from './lattice.ts'
import type { NoiseSource } from './noise-source.ts'
import type { Frame } from './scratch.ts'

export interface CorrelatedOptions {
  /** Lattice of all coordinates, without rotation and quantile; rounds of slices use `sliceLattice` of it. */
  readonly lattice: Lattice
  readonly strategy: CorrelatedStrategy
  /** Most rounds that any coordinate is in. */
  readonly rounds: number
  /** A unit's participations are at least this many rounds apart, counted by the fastest clock. */
  readonly minSeparation: number
  readonly maxParticipations: number
}

/** What must be kept to go on later. As secret as the noise itself: with it, noise can be taken off. */
export interface CorrelatedState {
  readonly history: Int32Array | Float64Array
  readonly counts: Int32Array
}

/** Noise of a whole run: one event pays for all of its rounds. */
export class CorrelatedNoise {
  readonly lattice: Lattice
  #rounds: number
  #design: Design
  #history: Int32Array | Float64Array
  #counts: Int32Array

  /** @throws RangeError for a lattice that changes from round to round, or a strategy that fits no integers */
  constructor(options: CorrelatedOptions, state?: CorrelatedState) {
    anOptions('correlated', options, ['lattice', 'strategy', 'rounds', 'minSeparation', 'maxParticipations'])
    const { lattice, strategy, rounds, minSeparation, maxParticipations } = options
    anInteger('rounds', rounds, 1, 2 ** 24)
    if (lattice.rotate || lattice.quantileInt > 0 || lattice.sigmaInt === 0) {
      throw new RangeError('"lattice" expected noise, no rotation and no quantile: noise can be taken back in a ' +
        'later round only on the same grid; estimate the clip norm before the run')
    }
    this.lattice = lattice
    this.#rounds = rounds
    this.#design = designOf(lattice, strategy, { rounds, minSeparation, maxParticipations })
    const size = lattice.length * this.#design.depth
    this.#history = this.#design.kind === 'blt' ? new Float64Array(size) : new Int32Array(size)
    this.#counts = new Int32Array(lattice.length)
    if (state) {
      copyInto('state.history', this.#history, state.history)
      copyInto('state.counts', this.#counts, state.counts)
    }
  }

  /** Covers all of the rounds planned; to be accounted for once. */
  get event(): PrivacyEvent { return this.#design.event }

  /** A copy of the state, for encrypted storage in the transaction of the release. */
  save(): CorrelatedState {
    return { history: this.#history.slice(), counts: this.#counts.slice() }
  }

  /** Bytes of a frame that `addTo` takes. */
  get bytes(): number {
    return this.#history.byteLength + this.#counts.byteLength + 4 * this.lattice.length + 16 * this.#design.depth + 64
  }

  /**
   * Adds a round's noise to n integers at `sum` and moves the clocks of their coordinates on.
   *
   * @param index - coordinate of the whole lattice for each of the n, each at most once; left out: all, in order
   * @throws RangeError if a coordinate would be in more rounds than planned; nothing was drawn
   */
  addTo(frame: Frame, sum: number, n: number, source: NoiseSource, round: number, index?: Int32Array): void {
    this.#check(n, index)
    const { kernels } = frame
    const design = this.#design
    const { sigma, depth, bits } = design
    const stream = source.open(frame, { purpose: 'correlated-noise', round })
    const where = index ? frame.put(index) : 0
    const history = frame.put(this.#history), counts = frame.put(this.#counts)
    if (design.kind === 'tree') {
      kernels.tree_noise(sum, where, n, history, counts, depth, sigma, stream)
    } else if (design.kind === 'banded') {
      kernels.banded_noise(sum, where, n, history, counts, frame.put(design.coefficients), depth, bits, sigma, stream)
    } else {
      const scales = frame.put(design.scales), decays = frame.put(design.decays)
      kernels.blt_noise(sum, where, n, history, counts, scales, decays, depth, bits, sigma, stream)
    }
    frame.read(history, this.#history)
    frame.read(counts, this.#counts)
  }

  #check(n: number, index?: Int32Array): void {
    const { length } = this.lattice
    if ((index?.length ?? length) !== n) {
      throw new RangeError(`"index" expected ${n} coordinates, got ${index?.length ?? length}`)
    }
    const seen = new Uint8Array(length)
    for (let i = 0; i < n; i++) {
      const at = index ? index[i] : i
      if (!(at >= 0 && at < length) || seen[at]++ > 0) {
        throw new RangeError(`"index" expected different coordinates from 0 to ${length - 1}, got ${at} at ${i}`)
      }
      if (this.#counts[at] >= this.#rounds) {
        throw new RangeError(`"round" expected coordinate ${at} in at most ${this.#rounds} rounds, got one more; ` +
          'plan a new run, with an event of its own')
      }
    }
  }
}

function copyInto(title: string, into: Int32Array | Float64Array, saved: Int32Array | Float64Array): void {
  if (saved.constructor !== into.constructor || saved.length !== into.length) {
    throw new RangeError(`"${title}" expected ${into.length} numbers of the same strategy, got ${saved.length}`)
  }
  into.set(saved)
}
