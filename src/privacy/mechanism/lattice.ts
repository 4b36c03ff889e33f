/**
 * The lattice of a round: grid step, integer clip, integer noise and modulus, chosen together, so that the price of
 * integers is known before anything is sent. Derivations: docs/privacy-mechanism.md.
 * @module
 */
import { aNumber, anInteger, anOptions, oneOf } from '../../assert.ts'
import { ceilDivide, ceilRoot, quotientBelow } from './exact.ts'

export type Rounding = 'stochastic' | 'nearest'

/** What the lattice is chosen from; all of it public. */
export interface LatticeOptions {
  /** L2 norm to which a client's whole update is clipped, in the units of the parameters. */
  readonly clip: number
  /** Planned cohort: the sum is divided by it, whoever comes. */
  readonly cohort: number
  /** Most contributions that a round accepts; default: `cohort`. With Poisson sampling plan some more. */
  readonly capacity?: number
  /** Coordinates of the update. */
  readonly dimension: number
  /** Standard deviation of the noise over `clip`, at least; 0: no noise and no promise. */
  readonly noiseMultiplier: number
  /** Default 'stochastic', which has no bias. 'nearest' needs a finer grid, for its errors may add up. */
  readonly rounding?: Rounding
  /** Rotate before rounding: fewer bits for large cohorts, but coordinates up to a power of two. Default false. */
  readonly rotate?: boolean
  /**
   * Largest standard deviation of the noise of a coordinate over `sigmaInt`; above 1 for correlated noise only, see
   * `noiseSpread`. Default 1.
   */
  readonly noiseSpread?: number
  /** Joins one coordinate that counts the updates within the clip norm; see adaptive-clip.ts. */
  readonly quantile?: { readonly noise: number } | null
}

/** A frozen lattice; all of it public. */
export interface Lattice {
  readonly clip: number
  readonly cohort: number
  readonly capacity: number
  readonly dimension: number
  readonly noiseMultiplier: number
  readonly rounding: Rounding
  readonly rotate: boolean
  readonly noiseSpread: number
  /** Grid step: a power of two. An update is rounded to multiples of it. */
  readonly step: number
  /** Coordinates of a contribution: of the update, padded where rotated, plus the quantile's. */
  readonly length: number
  /** Bound of the integer L2 norm of the update's coordinates. */
  readonly updateClipInt: number
  /** Size of the quantile's coordinate, which is plus or minus this; 0 where there is none. */
  readonly quantileInt: number
  /** Bound of the integer L2 norm of a whole contribution: the sensitivity of the sum. */
  readonly clipInt: number
  /** Scale of the discrete Gaussian added to every coordinate of the sum. */
  readonly sigmaInt: number
  /** sigmaInt / clipInt, rounded down: never below the noise multiplier asked for. */
  readonly achievedNoiseMultiplier: number
  /** Sums are modulo 2^modulusBits. */
  readonly modulusBits: number
  /** Bound of the chance that any coordinate of an honest round wraps around or is clamped. */
  readonly wrapProbability: number
  /** Bound of the variance that the lattice adds, over the variance of the noise; below 0.01. Null without noise. */
  readonly roundingVarianceShare: number | null
}

const OPTIONS = [
  'clip', 'cohort', 'capacity', 'dimension', 'noiseMultiplier', 'rounding', 'rotate', 'noiseSpread', 'quantile',
]

/** Largest share of the noise's variance that the lattice may add. */
const SHARE = 0.01
/** From here on the discrete Gaussian's privacy curve is the continuous one's to far below any printed digit. */
const LEAST_SIGMA = 256
/** Largest clip and scale that kernels and f32 rounding take. */
const LARGEST = 2 ** 24
/** Chance that some coordinate wraps: 2^-64, of which noise, sum and single vectors have a third each at most. */
const WRAP_BITS = 64
/** Grid without noise: as fine as with this noise multiplier for each client, whose rounding errors add up like noise. */
const QUIET = 2 ** -14

/**
 * Chooses the coarsest step, a power of two, at which the lattice adds less than 1 % to the variance of the noise, and
 * the fewest bits at which a round wraps around with a chance of at most 2^-64.
 *
 * @throws RangeError where no lattice fits, with what to change
 */
export function chooseLattice(options: LatticeOptions): Lattice {
  anOptions('lattice', options, OPTIONS)
  const clip = aNumber('clip', options.clip, 2 ** -60, 2 ** 60)
  const cohort = anInteger('cohort', options.cohort, 1, 2 ** 30)
  const capacity = anInteger('capacity', options.capacity ?? cohort, cohort, 2 ** 30)
  const dimension = anInteger('dimension', options.dimension, 1, 2 ** 30)
  const noiseMultiplier = aNumber('noiseMultiplier', options.noiseMultiplier, 0, 2 ** 16)
  const rounding = oneOf('rounding', options.rounding ?? 'stochastic', ['stochastic', 'nearest'] as const)
  const rotate = options.rotate ?? false
  const noiseSpread = aNumber('noiseSpread', options.noiseSpread ?? 1, 1)
  const quantile = options.quantile ? anOptions('quantile', options.quantile, ['noise']) : null
  const quantileNoise = quantile === null ? null : aNumber('quantile.noise', quantile.noise, 0)
  if (quantileNoise !== null && quantileNoise <= noiseMultiplier / 2) {
    throw new RangeError(`"quantile.noise" expected a number above noiseMultiplier / 2 = ${noiseMultiplier / 2}, got ` +
      `${quantileNoise}; with less noise the count alone would spend the whole budget`)
  }
  const padded = rotate ? 2 ** bitsOf(dimension) : dimension
  const asked: Asked = { clip, capacity, padded, noiseMultiplier, rounding, noiseSpread, quantileNoise }

  let step = 1
  while (step < clip) step *= 2
  while (step > clip) step /= 2
  for (; ; step /= 2) {
    const sizes = sizesAt(step, asked)
    if (sizes.clipInt > LARGEST || sizes.sigmaInt > LARGEST) {
      const remedy = rounding === 'nearest' ? 'use stochastic rounding' : 'use more noise or a smaller cohort'
      throw new RangeError('"lattice" expected an integer clip and noise of at most 2^24, got clip ' +
        `${sizes.clipInt} and noise ${sizes.sigmaInt} at step ${step}; ${remedy}`)
    }
    if (sizes.share >= SHARE || (noiseMultiplier > 0 && sizes.sigmaInt < LEAST_SIGMA)) continue
    const modulusBits = bitsFor(step, rotate, asked, sizes)
    if (modulusBits > 32) {
      throw new RangeError(`"lattice" expected sums of at most 32 bits, got ${modulusBits} for ${capacity} clients ` +
        `and ${dimension} coordinates; ${rotate ? 'use a smaller capacity' : 'set rotate, or use a smaller capacity'}`)
    }
    return Object.freeze({
      clip, cohort, capacity, dimension, noiseMultiplier, rounding, rotate, noiseSpread, step,
      length: padded + (quantileNoise === null ? 0 : 1),
      updateClipInt: sizes.updateClipInt, quantileInt: sizes.quantileInt,
      clipInt: sizes.clipInt, sigmaInt: sizes.sigmaInt,
      achievedNoiseMultiplier: quotientBelow(sizes.sigmaInt, sizes.clipInt),
      modulusBits, wrapProbability: 2 ** -WRAP_BITS,
      roundingVarianceShare: noiseMultiplier > 0 ? sizes.share : null,
    })
  }
}

/**
 * The lattice of a round that trains only `dimension` of the coordinates: same step, clip, noise and modulus, so that
 * rounds of different slices can share correlated noise. All bounds hold for fewer coordinates too.
 */
export function sliceLattice(lattice: Lattice, dimension: number): Lattice {
  anInteger('dimension', dimension, 1, lattice.dimension)
  if (lattice.rotate) throw new RangeError('"lattice" expected one without rotation, whose size is a power of two')
  return Object.freeze({ ...lattice, dimension, length: dimension + (lattice.quantileInt > 0 ? 1 : 0) })
}

interface Asked {
  readonly clip: number, readonly capacity: number, readonly padded: number, readonly noiseMultiplier: number
  readonly rounding: Rounding, readonly noiseSpread: number, readonly quantileNoise: number | null
}

interface Sizes {
  readonly updateClipInt: number, readonly quantileInt: number, readonly clipInt: number, readonly sigmaInt: number
  readonly share: number
}

function sizesAt(step: number, asked: Asked): Sizes {
  const { clip, capacity, padded, noiseMultiplier: z, rounding, quantileNoise } = asked
  const scaled = clip / step
  // room for the rounding errors of an update on the sphere: mean d/4, and six deviations, passed with chance e^-18
  const updateClipInt = ceilRoot(scaled * scaled + padded / 4 + 6 * (scaled + Math.sqrt(padded) / 2))
  // the count has noise sigma / (2 q), which shall be `quantileNoise`: q = z sqrt(c^2 + q^2) / (2 quantileNoise)
  const ratio = quantileNoise === null ? 0 : z / (2 * quantileNoise)
  const widening = 1 / Math.sqrt(1 - ratio * ratio)
  const quantileInt = quantileNoise === null ? 0 : Math.max(1, Math.round(ratio * widening * updateClipInt))
  const clipInt = ceilRoot(updateClipInt * updateClipInt + quantileInt * quantileInt)
  const sigmaInt = z === 0 ? 0 : ceilDivide(z, clipInt)
  // errors of stochastic rounding are independent, those of nearest rounding may all point one way
  const rounded = (rounding === 'stochastic' ? capacity : capacity * capacity) / 4
  const spread = (z === 0 ? QUIET * Math.sqrt(capacity) : z) * widening * scaled, ideal = spread * spread
  const noise = z === 0 ? 0 : sigmaInt * sigmaInt - ideal
  return { updateClipInt, quantileInt, clipInt, sigmaInt, share: (noise + rounded) / ideal }
}

function bitsFor(step: number, rotate: boolean, asked: Asked, sizes: Sizes): number {
  const { clip, capacity, padded, noiseSpread } = asked
  const { updateClipInt, quantileInt, clipInt, sigmaInt } = sizes
  // 2 exp(-t^2 / 2) for each of padded + 1 coordinates, together at most 2^-(WRAP_BITS + 2)
  const tail = Math.sqrt(2 * 0.6931471805599454 * (1 + bitsOf(padded + 1) + WRAP_BITS + 2))
  let largest = capacity * updateClipInt
  if (rotate) {
    // Hoeffding for random signs, plus each client's rounding (below 1) and the f32 error of its transform
    const spread = tail * (clip / step) / Math.sqrt(padded) + 1 + clipInt * 2 ** -18
    largest = Math.min(largest, capacity * spread)
  }
  return 1 + bitsOf(Math.max(largest, capacity * quantileInt) + tail * noiseSpread * sigmaInt + 1)
}

/** The least b with 2^b >= x. */
function bitsOf(x: number): number {
  let bits = 0
  while (2 ** bits < x) bits++
  return bits
}
