/**
 * Correlated noise x = C^-1 z as a stream: fresh noise z_t goes in each round, what is to be added to that round's sum
 * comes out. Memory is one vector a band less one, or one a buffer; nothing else of the past is kept.
 * @module
 */
import { anInteger } from '../../../assert.ts'
import type { MatrixStrategy } from '../event.ts'

/** A running C^-1. The state is secret: with it, later noise can be undone. */
export interface NoiseStream {
  readonly dimension: number
  /** Rounds so far. */
  readonly rounds: number
  /**
   * The next round's noise, written over `fresh`, which holds independent noise of the strategy's standard deviation.
   * @param fresh - `dimension` values
   */
  next(fresh: Float64Array): Float64Array
  /** A copy of what must be stored to continue later: buffers of `dimension` values, and the number of rounds. */
  save(): NoiseStreamState
}

/** What a stream remembers. */
export interface NoiseStreamState {
  readonly rounds: number
  readonly buffers: readonly Float64Array[]
}

/**
 * Starts a stream, or continues a saved one.
 * @param strategy - `banded`: x_t = (z_t - Σ_(j>=1) c_j x_(t-j)) / c_0, bands - 1 buffers (Choquette-Choo et al. 2023);
 * `blt`: x_t = z_t - Σ_i ω_i s_i with s_i <- θ_i s_i + x_t, one buffer a term (McMahan et al. 2024, Algorithm 1)
 */
export function noiseStream(strategy: MatrixStrategy, dimension: number, state?: NoiseStreamState): NoiseStream {
  anInteger('dimension', dimension, 1)
  const wanted = strategy.kind === 'banded' ? strategy.coefficients.length - 1 : strategy.bufferDecay.length
  if (state && (state.buffers.length !== wanted || state.buffers.some((buffer) => buffer.length !== dimension))) {
    throw new RangeError(`"state" expected ${wanted} buffers of ${dimension} values, got ${state.buffers.length}`)
  }
  const buffers = Array.from({ length: wanted }, (_, i) => state ? state.buffers[i].slice() : new Float64Array(dimension))
  return strategy.kind === 'banded'
    ? bandedStream(strategy.coefficients, dimension, buffers, state?.rounds ?? 0)
    : bltStream(strategy.outputScale, strategy.bufferDecay, dimension, buffers, state?.rounds ?? 0)
}

function aFresh(fresh: Float64Array, dimension: number): Float64Array {
  if (fresh.length !== dimension) throw new RangeError(`"fresh" expected ${dimension} values, got ${fresh.length}`)
  return fresh
}

const copies = (buffers: readonly Float64Array[]): Float64Array[] => buffers.map((buffer) => buffer.slice())

/** buffers[j] holds the noise of round t with t mod (bands - 1) = j. */
function bandedStream(c: readonly number[], dimension: number, buffers: Float64Array[], from: number): NoiseStream {
  let rounds = from
  return {
    dimension,
    get rounds() { return rounds },
    next(fresh) {
      aFresh(fresh, dimension)
      const depth = buffers.length
      for (let j = 1; j <= Math.min(depth, rounds); j++) {
        const past = buffers[(rounds - j) % depth]
        for (let i = 0; i < dimension; i++) fresh[i] -= c[j] * past[i]
      }
      if (c[0] !== 1) for (let i = 0; i < dimension; i++) fresh[i] /= c[0]
      if (depth > 0) buffers[rounds % depth].set(fresh)
      rounds++
      return fresh
    },
    save: () => ({ rounds, buffers: copies(buffers) }),
  }
}

function bltStream(
  scale: readonly number[], decay: readonly number[], dimension: number, buffers: Float64Array[], from: number,
): NoiseStream {
  let rounds = from
  return {
    dimension,
    get rounds() { return rounds },
    next(fresh) {
      aFresh(fresh, dimension)
      for (let k = 0; k < buffers.length; k++) {
        const buffer = buffers[k]
        for (let i = 0; i < dimension; i++) fresh[i] -= scale[k] * buffer[i]
      }
      for (let k = 0; k < buffers.length; k++) {
        const buffer = buffers[k]
        for (let i = 0; i < dimension; i++) buffer[i] = decay[k] * buffer[i] + fresh[i]
      }
      rounds++
      return fresh
    },
    save: () => ({ rounds, buffers: copies(buffers) }),
  }
}

/**
 * Tree aggregation as a stream of noise on the *prefix sums*: the noise of round t's prefix sum is that of the complete
 * nodes which make up 1 ... t (Honaker 2015 without the least-squares step; Kairouz et al. 2021). Fresh node noise is
 * asked for when a node is complete; at most log2(rounds) + 1 node noises are kept.
 * @param draw - fills a vector with fresh noise of the node's standard deviation; called once a completed node
 */
export function treeNoise(dimension: number, draw: (into: Float64Array) => void): { readonly rounds: number, next(): Float64Array } {
  anInteger('dimension', dimension, 1)
  const nodes: Float64Array[] = []
  let rounds = 0
  return {
    get rounds() { return rounds },
    next() {
      rounds++
      // Round t completes the nodes of heights 0 ... number of trailing zeros of t; only the highest stays in use.
      let rest = rounds
      let height = 0
      while (rest % 2 === 0) {
        nodes.pop()
        rest /= 2
        height++
      }
      const node = new Float64Array(dimension)
      for (let h = 0; h <= height; h++) draw(node)
      nodes.push(node)
      const sum = new Float64Array(dimension)
      for (const noise of nodes) for (let i = 0; i < dimension; i++) sum[i] += noise[i]
      return sum
    },
  }
}
