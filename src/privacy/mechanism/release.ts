/**
 * The only way from a sum to numbers that may be seen: integer noise, once, for the planned cohort; then, as
 * post-processing, centred lift, dequantising, inverse rotation and division by the planned cohort.
 * @module
 */
import { anOptions } from '../../assert.ts'
import { PrivacyError } from '../../errors.ts'
import type { PrivacyEvent } from '../accountant/event.ts'
import { discreteGaussian, nonPrivate } from '../accountant/make-event.ts'
import type { Aggregate } from './aggregate.ts'
import type { CorrelatedNoise } from './correlated-noise.ts'
import type { Lattice } from './lattice.ts'
import type { NoiseKind, NoiseSource } from './noise-source.ts'
import { within, type Frame, type Scratch } from './scratch.ts'
import { aKey, openPublic } from './stream.ts'
import { SystemNoise } from './system-noise.ts'

export interface ReleaseOptions {
  /** The seed that the clients encoded with. */
  readonly publicSeed: Uint8Array
  readonly round: number
  /** Noise of a whole run, for its lattice and slices of it; and which of its coordinates the slice's are. */
  readonly correlated?: { readonly noise: CorrelatedNoise, readonly index?: Int32Array }
  /** Allows seeded noise and a noise multiplier of 0: a simulation, no guarantee. Default false. */
  readonly simulation?: boolean
}

/** What a round gives away. */
export interface Released {
  /** Noised sum over the planned cohort: an update of `lattice.dimension` numbers. */
  readonly mean: Float32Array
  /** Noised share of updates within the clip norm, over the planned cohort; null without a quantile coordinate. */
  readonly within: number | null
  /** The noised sum in integers, before it becomes `mean` and `within`, which follow from it: [lattice.length]. */
  readonly noised: Int32Array
  /** Commitment to the key of the noise; null without noise, and with correlated noise. */
  readonly commitment: string | null
  /**
   * What was done, for accountant and ledger; sampling is added by whoever sampled. With correlated noise the event of
   * the whole run: account for it once.
   */
  readonly event: PrivacyEvent
  /** Kind of the noise; 'none' where the lattice has none. */
  readonly noise: NoiseKind | 'none'
}

/**
 * Releases an aggregate. The aggregate is used up, and so is the noise source for this round, even if this fails.
 *
 * @throws PrivacyError for noise that keeps no promise, unless `simulation` is set, and for an aggregate taken before
 */
export function release(
  scratch: Scratch, aggregate: Aggregate, source: NoiseSource, options: ReleaseOptions,
): Released {
  anOptions('release', options, ['publicSeed', 'round', 'correlated', 'simulation'])
  const { round, correlated, simulation = false } = options
  const publicSeed = aKey('publicSeed', options.publicSeed)
  const { lattice } = aggregate
  const system = SystemNoise.is(source)
  if (!simulation && !(system && lattice.sigmaInt > 0)) {
    const got = lattice.sigmaInt > 0 ? 'noise of another source' : 'a noise multiplier of 0'
    throw new PrivacyError(`"release" expected system noise, got ${got}; ` +
      'simulation: true allows it, and promises nothing')
  }
  if (correlated) sameGrid(lattice, correlated.noise.lattice)
  return within(scratch, 12 * (lattice.length + 4) + (correlated?.noise.bytes ?? 0), (frame) => {
    const { kernels } = frame
    // noise first, into zeros: where there is none to be had, the sum is not taken
    const sum = frame.alloc(lattice.length * 4)
    if (correlated) {
      correlated.noise.addTo(frame, sum, lattice.length, source, round, correlated.index)
    } else if (lattice.sigmaInt > 0) {
      const stream = source.open(frame, { purpose: 'noise', round })
      kernels.discrete_gaussian_add(sum, lattice.length, lattice.sigmaInt, stream)
    }
    const taken = aggregate.take()
    kernels.add_mod(sum, frame.put(taken), lattice.length, lattice.modulusBits)
    taken.fill(0)
    return Object.freeze({
      ...decodeAt(frame, sum, lattice, publicSeed, round),
      noised: frame.i32(sum, lattice.length),
      commitment: correlated || lattice.sigmaInt === 0 ? null : source.commitmentTo({ purpose: 'noise', round }),
      event: correlated?.noise.event ?? eventOf(lattice),
      noise: lattice.sigmaInt === 0 ? 'none' : system ? 'system' : 'seeded',
    })
  })
}

/**
 * What follows from a noised sum, for everybody: post-processing.
 *
 * @param noised - [lattice.length] integers, lifted: in [-2^(b-1), 2^(b-1)) for b = lattice.modulusBits
 * @throws RangeError for another length
 */
export function decodeRelease(
  scratch: Scratch, lattice: Lattice, noised: Int32Array, options: Pick<ReleaseOptions, 'publicSeed' | 'round'>,
): Pick<Released, 'mean' | 'within'> {
  if (noised.length !== lattice.length) throw new RangeError(`"noised" expected ${lattice.length} integers, got ${noised.length}`)
  const publicSeed = aKey('publicSeed', options.publicSeed)
  return within(scratch, 8 * (lattice.length + 4), frame => decodeAt(frame, frame.put(noised), lattice, publicSeed, options.round))
}

function decodeAt(frame: Frame, sum: number, lattice: Lattice, publicSeed: Uint8Array, round: number): Pick<Released, 'mean' | 'within'> {
  const { kernels } = frame
  const size = lattice.length - (lattice.quantileInt > 0 ? 1 : 0)
  const real = frame.alloc(size * 4)
  kernels.lattice_to_real(real, sum, lattice.step / (lattice.rotate ? Math.sqrt(size) : 1) / lattice.cohort, size)
  if (lattice.rotate) {
    kernels.random_unrotate(real, size, openPublic(frame, publicSeed, { purpose: 'rotation', round }))
  }
  return {
    mean: frame.f32(real, lattice.dimension),
    within: lattice.quantileInt > 0 ? share(frame.i32(sum + size * 4, 1)[0], lattice) : null,
  }
}

/** The event of a release on this lattice, before sampling. */
export function eventOf(lattice: Lattice): PrivacyEvent {
  if (lattice.sigmaInt === 0) return nonPrivate()
  return discreteGaussian({ sigma: lattice.sigmaInt, sensitivity: lattice.clipInt, dimension: lattice.length })
}

function sameGrid(lattice: Lattice, whole: Lattice): void {
  for (const key of ['step', 'clipInt', 'sigmaInt', 'modulusBits', 'quantileInt', 'rotate'] as const) {
    if (lattice[key] !== whole[key]) {
      throw new RangeError(`"lattice" expected the ${key} of the correlated noise, ${whole[key]}, got ` +
        `${lattice[key]}; use sliceLattice of its lattice`)
    }
  }
}

/** Sum of plus or minus q, to a share of the cohort: (1 + sum / (q n)) / 2. */
function share(sum: number, lattice: Lattice): number {
  return (1 + sum / (lattice.quantileInt * lattice.cohort)) / 2
}
