/**
 * A strategy of correlated noise made of integers: coefficients on a grid of 2^-bits, noise of scale sigma on the same
 * grid, and the event that describes exactly what the integers do.
 * @module
 */
import { aNumber } from '../../assert.ts'
import type { Participation, PrivacyEvent } from '../accountant/event.ts'
import { matrixFactorisation, tree } from '../accountant/make-event.ts'
import { ceilDivide, quotientBelow } from './exact.ts'
import type { Lattice } from './lattice.ts'

/**
 * banded: first column, which starts with 1. blt: c_0 = 1, c_j = sum_k outputScale_k bufferDecay_k^(j-1). tree: binary.
 */
export type CorrelatedStrategy =
  | { readonly kind: 'banded', readonly coefficients: readonly number[] }
  | { readonly kind: 'blt', readonly outputScale: readonly number[], readonly bufferDecay: readonly number[] }
  | { readonly kind: 'tree' }

interface Common {
  readonly event: PrivacyEvent
  /** Scale of the fresh noise, in steps of 2^-bits of a lattice step. */
  readonly sigma: number
  readonly bits: number
  /** Numbers kept for each coordinate. */
  readonly depth: number
}

/** What the kernels take. */
export type Design = Common & (
  | { readonly kind: 'banded', readonly coefficients: Int32Array }
  | { readonly kind: 'blt', readonly scales: Float64Array, readonly decays: Float64Array }
  | { readonly kind: 'tree' })

/** Most and fewest bits of the grid of coefficients. */
const MOST_BITS = 11
const FEWEST_BITS = 6
/** Most that the error of buffers may add to the sensitivity. */
const MOST_WIDENING = 1.1
/** No draw is larger, in deviations (assembly/privacy/discrete-gaussian.ts). */
const LARGEST_DRAW = 41

/** @throws RangeError if the lattice leaves too little room for the strategy's noise */
export function designOf(
  lattice: Lattice, strategy: CorrelatedStrategy, participation: Required<Participation>,
): Design {
  const { rounds } = participation
  const { clipInt, noiseMultiplier, sigmaInt, achievedNoiseMultiplier } = lattice
  if (strategy.kind === 'tree') {
    checkSpread(strategy, rounds, lattice)
    const event = tree({ noiseMultiplier: achievedNoiseMultiplier, ...participation })
    return { kind: 'tree', event, sigma: sigmaInt, bits: 0, depth: heightsOf(rounds) }
  }
  for (let bits = MOST_BITS; bits >= FEWEST_BITS; bits--) {
    const unit = 2 ** bits
    const whole = onGrid(strategy, unit)
    const sensitivity = clipInt * unit + (whole.kind === 'blt' ? bltError(whole, rounds, unit, lattice) : 0)
    const sigma = ceilDivide(noiseMultiplier, sensitivity)
    if (sigma > 2 ** 24 || sensitivity > Math.min(2 ** 26, MOST_WIDENING * clipInt * unit)) continue
    checkSpread(whole, rounds, lattice)
    const event = matrixFactorisation({
      noiseMultiplier: quotientBelow(sigma, sensitivity), strategy: whole, ...participation,
    })
    if (whole.kind === 'banded') {
      const coefficients = Int32Array.from(whole.coefficients.slice(1), (c) => c * unit)
      return { kind: 'banded', event, sigma, bits, depth: coefficients.length, coefficients }
    }
    const scales = Float64Array.from(whole.outputScale), decays = Float64Array.from(whole.bufferDecay)
    return { kind: 'blt', event, sigma, bits, depth: scales.length, scales, decays }
  }
  throw new RangeError('"lattice" expected clip and noise of at most 2^18 steps for correlated noise, got ' +
    `clip ${clipInt} and noise ${sigmaInt}; use fewer rounds or coordinates, or slower decays`)
}

/**
 * Largest standard deviation of a coordinate's noise in `rounds` rounds, over that of a fresh draw, and 5 % for
 * coefficients that are cut to whole numbers: what `chooseLattice` needs to leave enough bits.
 */
export function noiseSpread(strategy: CorrelatedStrategy, rounds: number): number {
  return 1.05 * inverseSizes(strategy, rounds).spread
}

type Toeplitz = Exclude<CorrelatedStrategy, { kind: 'tree' }>

/** The strategy that is used: coefficients of bands are whole multiples of 1 / unit. */
function onGrid(strategy: Toeplitz, unit: number): Toeplitz {
  if (strategy.kind === 'blt') {
    const { outputScale, bufferDecay } = strategy
    if (outputScale.length !== bufferDecay.length || outputScale.length < 1 || outputScale.length > 64) {
      throw new RangeError('"strategy" expected 1 to 64 buffers, ' +
        `got ${outputScale.length} scales and ${bufferDecay.length} decays`)
    }
    outputScale.forEach((scale, k) => aNumber(`outputScale[${k}]`, scale, -4, 4))
    bufferDecay.forEach((decay, k) => aNumber(`bufferDecay[${k}]`, decay, 0, 1 - 2 ** -20))
    return strategy
  }
  const { coefficients } = strategy
  if (coefficients[0] !== 1 || coefficients.length > 4096) {
    throw new RangeError('"coefficients" expected 1 and at most 4095 more, ' +
      `got ${coefficients.length}, ${coefficients[0]} first`)
  }
  const round = (c: number, j: number) => Math.round(aNumber(`coefficients[${j}]`, c, -4, 4) * unit) / unit
  return { kind: 'banded', coefficients: coefficients.map(round) }
}

/**
 * What f64 buffers add to the sensitivity, in steps of 1 / unit, rounded up: 2 E sqrt(rounds * coordinates), where E
 * bounds the distance of the subtracted integer from the linear one: 1/2 for rounding to an integer, and the buffers'
 * own error. A buffer stays below S = B / (1 - t), B the largest noise plus a client's clip, and two roundings a round,
 * each at most 2^-53 S, decay as it does: at most 2^-52 S / (1 - t). Sums of the products add a rounding for each.
 */
function bltError(strategy: Toeplitz & { kind: 'blt' }, rounds: number, unit: number, lattice: Lattice): number {
  const { outputScale, bufferDecay } = strategy
  const draw = LARGEST_DRAW * MOST_WIDENING * (lattice.sigmaInt + 1) + 2
  const largest = inverseSizes(strategy, rounds).total * draw + lattice.clipInt
  let error = 0
  outputScale.forEach((scale, k) => {
    const size = Math.abs(scale) * largest / (1 - bufferDecay[k])
    error += 2 ** -52 * size / (1 - bufferDecay[k]) + 2 ** -52 * (outputScale.length + 1) * size
  })
  // a hundredth more for the arithmetic of this bound itself
  return Math.ceil(1.01 * 2 * (0.5 + unit * error) * Math.sqrt(rounds * lattice.length))
}

/** Of the inverse's first column e: sqrt(sum e^2) with the roundings' share, and sum |e|. */
function inverseSizes(strategy: CorrelatedStrategy, rounds: number): { spread: number, total: number } {
  if (strategy.kind === 'tree') return { spread: Math.sqrt(heightsOf(rounds)), total: heightsOf(rounds) }
  const next = strategy.kind === 'banded' ? bandedInverse(strategy.coefficients) : bltInverse(strategy)
  let squares = 0, total = 0
  for (let t = 0; t < rounds; t++) {
    const value = next(t === 0 ? 1 : 0)
    squares += value * value
    total += Math.abs(value)
  }
  // each rounding is off by at most 1/2 where a deviation is 256 or more; the bits leave room for ten deviations
  return { spread: Math.sqrt(squares) + total / (2 * 256 * 10), total }
}

function bandedInverse(c: readonly number[]): (fresh: number) => number {
  const past = new Float64Array(c.length)
  return (fresh) => {
    let value = fresh
    for (let j = c.length - 1; j >= 1; j--) {
      value -= c[j] * past[j]
      past[j] = past[j - 1]
    }
    if (c.length > 1) past[1] = value
    return value
  }
}

function bltInverse({ outputScale, bufferDecay }: Toeplitz & { kind: 'blt' }): (fresh: number) => number {
  const buffers = new Float64Array(outputScale.length)
  return (fresh) => {
    let value = fresh
    outputScale.forEach((scale, k) => { value -= scale * buffers[k] })
    bufferDecay.forEach((decay, k) => { buffers[k] = decay * buffers[k] + value })
    return value
  }
}

function checkSpread(strategy: CorrelatedStrategy, rounds: number, lattice: Lattice): void {
  const { spread } = inverseSizes(strategy, rounds)
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
