/**
 * A client's update becomes a contribution: clipped, rotated if the lattice says so, rounded to the lattice, and then
 * shortened, in integers, until its norm fits. What the server may rely on is checked there again (aggregate.ts).
 * @module
 */
import { anInteger, anOptions } from '../../assert.ts'
import type { Lattice } from './lattice.ts'
import { within, type Frame, type Scratch } from './scratch.ts'
import { aKey, openPublic } from './stream.ts'

/** Public randomness of one client's encoding. */
export interface EncodeOptions {
  /** 32 bytes, published with the plan: signs of the rotation, and rounding. */
  readonly publicSeed: Uint8Array
  readonly round: number
  /** Number of the client within the round: clients that share one round the same way, and their errors add up. */
  readonly client: number
}

/** What a client sends. */
export interface Contribution {
  /** `lattice.length` integers of norm at most `lattice.clipInt`. */
  readonly values: Int32Array
  /** L2 norm of the update before clipping. Not public: it stays with the client. */
  readonly norm: number
}

/**
 * Encodes one update for one round.
 *
 * @param update - `lattice.dimension` numbers, not changed
 * @throws RangeError if the update has another length or a number that is not finite
 */
export function encode(scratch: Scratch, lattice: Lattice, update: Float32Array, options: EncodeOptions): Contribution {
  anOptions('encode', options, ['publicSeed', 'round', 'client'])
  const { round, publicSeed } = options
  aKey('publicSeed', publicSeed)
  const client = anInteger('client', options.client, 0, 0xffff_ffff)
  if (!(update instanceof Float32Array)) throw new TypeError('"update" expected a Float32Array')
  if (update.length !== lattice.dimension) {
    throw new RangeError(`"update" expected ${lattice.dimension} numbers, got ${update.length}`)
  }
  return encodeInPlace(scratch, lattice, (x, frame) => { frame.set(x, update) }, { publicSeed, round, client })
}

/**
 * The same of an update that lies in WebAssembly memory already: it is copied from there, not through an array.
 *
 * @param put - writes the `lattice.dimension` numbers of the update to an address; the frame has room for as many more
 * @param into - where the integers go, [lattice.length]; default: a new array
 */
export function encodeInPlace(
  scratch: Scratch, lattice: Lattice, put: (ptr: number, frame: Frame) => void, options: EncodeOptions, into?: Int32Array,
): Contribution {
  const { dimension, length } = lattice
  return within(scratch, 16 * (length + 4), (frame) => {
    const { kernels } = frame
    const x = frame.alloc(dimension * 4)
    put(x, frame)
    const norm = Math.sqrt(kernels.slice_norm_squared(x, dimension))
    if (!Number.isFinite(norm)) {
      throw new RangeError(`"update" expected finite numbers, got ${firstNotFinite(frame.f32(x, dimension))}; leave this client out`)
    }
    const values = frame.alloc(length * 4)
    toLattice(frame, lattice, values, x, norm, options)
    if (into === undefined) return { values: frame.i32(values, length), norm }
    frame.read(values, into)
    return { values: into, norm }
  })
}

function toLattice(
  frame: Frame, lattice: Lattice, values: number, x: number, norm: number, options: EncodeOptions,
): void {
  const { kernels } = frame
  const { publicSeed, round, client } = options
  const { dimension, clip, step, updateClipInt, quantileInt, modulusBits } = lattice
  const size = lattice.length - (quantileInt > 0 ? 1 : 0)
  const factor = (norm > clip ? clip / norm : 1) / step / (lattice.rotate ? Math.sqrt(size) : 1)
  const scaled = frame.alloc(size * 4)
  kernels.slice_scale(scaled, x, factor, dimension)
  if (lattice.rotate) {
    kernels.random_rotate(scaled, size, openPublic(frame, publicSeed, { purpose: 'rotation', round }))
  }
  if (lattice.rounding === 'nearest') {
    kernels.round_nearest(values, scaled, size)
  } else {
    const stream = openPublic(frame, publicSeed, { purpose: 'rounding', round, index: client })
    kernels.round_stochastic(values, scaled, size, stream)
  }
  kernels.lattice_clamp(values, size, 2 ** (modulusBits - 1) - 1)
  if (kernels.lattice_shorten(values, size, updateClipInt) !== 1) {
    throw new Error('"update" expected a norm below 2^26 steps after clipping; use a lattice made by chooseLattice')
  }
  if (quantileInt > 0) frame.set(values + size * 4, Int32Array.of(norm <= clip ? quantileInt : -quantileInt))
}

function firstNotFinite(update: Float32Array): string {
  const i = update.findIndex((x) => !Number.isFinite(x))
  return `${update[i]} at ${i}`
}
