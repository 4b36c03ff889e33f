/**
 * Discretised privacy-loss distributions. For output distributions P and Q the privacy loss is L = ln(P/Q) under P;
 * here it lives on the grid of multiples of a step h, with some mass at infinity.
 *
 * The rounding is pessimistic "connect the dots" (Doroshenko, Ghazi, Kamath, Kumar and Manurangsi 2022, Algorithm 1):
 * the curve δ(ε), as a function of e^ε, is replaced by the chords between grid points, and lies on or below them
 * everywhere because it is convex. Equivalently, what lies in a cell between two grid points moves to those two so
 * that its mass under P *and* under Q are kept. The second form is the one computed: it needs only the two masses of
 * each cell, each of which has full relative accuracy in its tail, where differences of the curve have none.
 * @module
 */
import { exp, expm1, log } from '../num/elementary.ts'

/** Masses of one direction on the grid. */
export interface LossPmf {
  readonly step: number
  /** Grid index of `mass[0]`; the loss of `mass[i]` is (first + i)·step. */
  readonly first: number
  readonly mass: Float64Array
  /** Mass at infinite loss. */
  readonly infinity: number
  /** A bound on the finite loss, at most the last grid point; exact where it is known. */
  readonly maximum: number
}

/** Both directions: P against Q and Q against P. Equal objects where the pair is symmetric. */
export interface LossPair {
  readonly forward: LossPmf
  readonly backward: LossPmf
}

/** More cells than this would take seconds and hundreds of megabytes. */
export const MOST_CELLS = 1 << 23

/** Collects the cells of a pair of distributions, and rounds both directions. */
export class PairBuilder {
  readonly step: number
  readonly #first: number
  readonly #count: number
  readonly #forward: Float64Array
  readonly #backward: Float64Array
  readonly #ratio: number
  #forwardInfinity = 0
  #backwardInfinity = 0

  /** Covers losses from low to high, both finite. @throws {RangeError} when the grid would be too long */
  constructor(step: number, low: number, high: number) {
    this.step = step
    this.#first = Math.floor(low / step)
    this.#count = Math.max(1, Math.ceil(high / step) - this.#first)
    if (!(this.#count < MOST_CELLS)) {
      throw new RangeError(`"discretisation" expected a step with fewer than ${MOST_CELLS} cells from loss ${low} to ` +
        `${high}, got ${step}; give a larger one or leave it out`)
    }
    this.#forward = new Float64Array(this.#count + 1)
    this.#backward = new Float64Array(this.#count + 1)
    this.#ratio = -expm1(-step)
  }

  /** Number of cells; cell i spans the losses (first + i)·step to (first + i + 1)·step. */
  get count(): number {
    return this.#count
  }

  /** Grid index of the lowest point. */
  get first(): number {
    return this.#first
  }

  /** Adds masses p under P and q under Q whose loss lies in cell i. */
  cell(i: number, p: number, q: number): void {
    if (!(p > 0) && !(q > 0)) return
    const low = (this.#first + i) * this.step
    const up = Math.min(p, Math.max(0, (p - exp(Math.min(700, low)) * q) / this.#ratio))
    this.#forward[i] += p - up
    this.#forward[i + 1] += up
    const down = Math.min(q, Math.max(0, (q - exp(Math.min(700, -low - this.step)) * p) / this.#ratio))
    this.#backward[i + 1] += q - down
    this.#backward[i] += down
  }

  /** Adds an atom with masses p under P and q under Q, either of which may be 0. */
  atom(p: number, q: number): void {
    if (!(p > 0)) {
      this.#backwardInfinity += q
      return
    }
    if (!(q > 0)) {
      this.#forwardInfinity += p
      return
    }
    const loss = log(p / q)
    const i = Math.floor(loss / this.step) - this.#first
    this.cell(Math.min(this.#count - 1, Math.max(0, i)), p, q)
  }

  /** Adds masses whose loss is at or above the top of the grid. */
  above(p: number, q: number): void {
    this.#forwardInfinity += p
    this.#backward[this.#count] += q
  }

  /** Adds masses whose loss is at or below the bottom of the grid. */
  below(p: number, q: number): void {
    this.#forward[0] += p
    this.#backwardInfinity += q
  }

  /** The two directions; `range` bounds the loss more exactly than the grid where that is known. */
  finish(range: { low?: number, high?: number } = {}): LossPair {
    const { step } = this
    const last = this.#first + this.#count
    return {
      forward: trimmed({
        step, first: this.#first, mass: this.#forward, infinity: this.#forwardInfinity, maximum: range.high ?? last * step,
      }),
      backward: trimmed({
        step, first: -last, mass: this.#backward.reverse(), infinity: this.#backwardInfinity,
        maximum: range.low === undefined ? -this.#first * step : -range.low,
      }),
    }
  }
}

/** Without the empty ends. */
function trimmed(pmf: LossPmf): LossPmf {
  const { mass } = pmf
  let from = 0
  let to = mass.length
  while (to > 1 && mass[to - 1] === 0) to--
  while (from < to - 1 && mass[from] === 0) from++
  return { ...pmf, first: pmf.first + from, mass: mass.subarray(from, to) }
}

/** The pair that is `first` with probability `weight`, else `second`, and says which. */
export function mixture(weight: number, first: LossPair, second: LossPair): LossPair {
  const mix = (a: LossPmf, b: LossPmf): LossPmf => {
    const low = Math.min(a.first, b.first)
    const mass = new Float64Array(Math.max(a.first + a.mass.length, b.first + b.mass.length) - low)
    a.mass.forEach((m, i) => { mass[a.first - low + i] += weight * m })
    b.mass.forEach((m, i) => { mass[b.first - low + i] += (1 - weight) * m })
    return {
      step: a.step, first: low, mass, infinity: weight * a.infinity + (1 - weight) * b.infinity,
      maximum: Math.max(a.maximum, b.maximum),
    }
  }
  return { forward: mix(first.forward, second.forward), backward: mix(first.backward, second.backward) }
}
