/**
 * Correlated noise for devices that nobody can sample at random: banded matrix factorisation (Choquette-Choo et al.,
 * arXiv 2306.08153) and tree aggregation (DP-FTRL; Kairouz et al., arXiv 2103.00039), exactly, in integers. Memory:
 * bands - 1, or log2(rounds) + 1, integers for each coordinate. Proof: assembly/privacy/correlated.ts.
 *
 * Each coordinate has its own clock, which moves on in rounds that train it, so slices of different rank share one
 * state; the participation schedule to account for is then that of the rows' clocks (`rankSliceParticipation`).
 * @module
 */
import { aNumber, anInteger, anOptions } from '../../assert.ts'
import { matrixFactorisation, tree, type PrivacyEvent } from '../accountant/event.ts'
import { ceilDivide, quotientBelow } from './exact.ts'
import type { Lattice } from './lattice.ts'
import type { NoiseSource } from './noise-source.ts'
import type { Frame } from './scratch.ts'

/** First column of the strategy, which starts with 1; or the tree. */
export type CorrelatedStrategy =
  | { readonly kind: 'banded', readonly coefficients: readonly number[] }
  | { readonly kind: 'tree' }

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
  readonly history: Int32Array
  readonly counts: Int32Array
}

/** Coefficients are whole multiples of 2^-bits, with at most so many bits. */
const MOST_BITS = 11
const FEWEST_BITS = 6

/** Noise of a whole run: one event pays for all of its rounds. */
export class CorrelatedNoise {
  /** Covers all of the rounds planned; to be accounted for once. */
  readonly event: PrivacyEvent
  readonly lattice: Lattice
  #rounds: number
  #bits: number
  #sigma: number
  /** Null for a tree. */
  #coefficients: Int32Array | null
  #depth: number
  #history: Int32Array
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
    this.#bits = 0
    const participation = { rounds, minSeparation, maxParticipations }
    if (strategy.kind === 'tree') {
      this.#coefficients = null
      this.#sigma = lattice.sigmaInt
      this.#depth = heightsOf(rounds)
      checkSpread(null, rounds, lattice)
      this.event = tree({ noiseMultiplier: lattice.achievedNoiseMultiplier, ...participation })
    } else {
      const scaledSigma = (bits: number) => ceilDivide(lattice.noiseMultiplier, lattice.clipInt * 2 ** bits)
      this.#bits = MOST_BITS
      const fits = (bits: number) => scaledSigma(bits) <= 2 ** 24 && lattice.clipInt * 2 ** bits <= 2 ** 26
      while (this.#bits > FEWEST_BITS && !fits(this.#bits)) this.#bits--
      this.#sigma = scaledSigma(this.#bits)
      if (this.#sigma > 2 ** 24) {
        throw new RangeError(`"lattice" expected noise of at most 2^18 steps, got ${lattice.sigmaInt}`)
      }
      const unit = 2 ** this.#bits
      this.#coefficients = wholeCoefficients(strategy.coefficients, unit)
      this.#depth = this.#coefficients.length
      const coefficients = [1, ...Array.from(this.#coefficients, (c) => c / unit)]
      checkSpread(coefficients, rounds, lattice)
      this.event = matrixFactorisation({
        noiseMultiplier: quotientBelow(this.#sigma, lattice.clipInt * unit),
        strategy: { kind: 'banded', coefficients },
        ...participation,
      })
    }
    this.#history = ofLength('state.history', state?.history, lattice.length * this.#depth)
    this.#counts = ofLength('state.counts', state?.counts, lattice.length)
  }

  /** A copy of the state, for encrypted storage in the transaction of the release. */
  save(): CorrelatedState {
    return { history: this.#history.slice(), counts: this.#counts.slice() }
  }

  /** Bytes of a frame that `addTo` takes. */
  get bytes(): number {
    return 4 * (this.#history.length + this.#counts.length + this.lattice.length + this.#depth) + 64
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
    const stream = source.open(frame, { purpose: 'correlated-noise', round })
    const where = index ? frame.put(index) : 0
    const history = frame.put(this.#history), counts = frame.put(this.#counts)
    if (this.#coefficients === null) {
      kernels.tree_noise(sum, where, n, history, counts, this.#depth, this.#sigma, stream)
    } else {
      const coefficients = frame.put(this.#coefficients)
      kernels.banded_noise(sum, where, n, history, counts, coefficients, this.#depth, this.#bits, this.#sigma, stream)
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

/**
 * Largest standard deviation of a coordinate's noise in `rounds` rounds, over that of a fresh draw, and 5 % for
 * coefficients that are cut to whole numbers: what `chooseLattice` needs to leave enough bits.
 */
export function noiseSpread(strategy: CorrelatedStrategy, rounds: number): number {
  return 1.05 * spreadOf(strategy.kind === 'tree' ? null : strategy.coefficients, rounds)
}

function spreadOf(c: readonly number[] | null, rounds: number): number {
  if (c === null) return Math.sqrt(heightsOf(rounds))
  const inverse = new Float64Array(rounds)
  let squares = 0, sizes = 0
  for (let t = 0; t < rounds; t++) {
    let value = t === 0 ? 1 : 0
    for (let j = 1; j <= Math.min(t, c.length - 1); j++) value -= c[j] * inverse[t - j]
    inverse[t] = value
    squares += value * value
    sizes += Math.abs(value)
  }
  // each rounding is off by at most 1/2 where a deviation is 256 or more; the bits leave room for ten deviations
  return Math.sqrt(squares) + sizes / (2 * 256 * 10)
}

function checkSpread(coefficients: readonly number[] | null, rounds: number, lattice: Lattice): void {
  const spread = spreadOf(coefficients, rounds)
  if (!(spread <= lattice.noiseSpread)) {
    throw new RangeError(`"lattice" expected noiseSpread of at least ${spread}, got ${lattice.noiseSpread}; ` +
      'choose it with noiseSpread(strategy, rounds)')
  }
}

function heightsOf(rounds: number): number {
  let heights = 1
  while (2 ** heights <= rounds) heights++
  return heights
}

function wholeCoefficients(coefficients: readonly number[], unit: number): Int32Array {
  if (coefficients[0] !== 1 || coefficients.length > 4096) {
    throw new RangeError('"coefficients" expected 1 and at most 4095 more, ' +
      `got ${coefficients.length}, ${coefficients[0]} first`)
  }
  const whole = (c: number, i: number) => Math.round(aNumber(`coefficients[${i + 1}]`, c, -4, 4) * unit)
  return Int32Array.from(coefficients.slice(1), whole)
}

function ofLength(title: string, saved: Int32Array | undefined, length: number): Int32Array {
  if (saved !== undefined && saved.length !== length) {
    throw new RangeError(`"${title}" expected ${length} integers, got ${saved.length}`)
  }
  return saved?.slice() ?? new Int32Array(length)
}
