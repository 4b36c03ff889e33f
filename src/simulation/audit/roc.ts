/**
 * How well scores tell members from non-members: the curve of true against false positives, its area, and intervals.
 * @module
 */
import { aNumber } from '../../assert.ts'
import { logBinomialLowerTail, logBinomialUpperTail } from '../../privacy/accountant/num/gamma.ts'
import { log } from '../../privacy/accountant/num/elementary.ts'
import { normalQuantile } from '../../privacy/accountant/num/normal.ts'

/** A number measured on a sample, and the interval that holds the true one with the confidence asked for. */
export interface Measured {
  readonly value: number
  readonly low: number
  readonly high: number
}

/** A point of the curve. */
export interface RocPoint {
  readonly fpr: number
  readonly tpr: number
}

/** The true-positive rate at a threshold that lets at most a given share of non-members through. */
export interface RateAt {
  /** Rate of false positives that was allowed. */
  readonly fpr: number
  /** Share of members above the threshold; Clopper–Pearson. */
  readonly tpr: Measured
  /** Share of non-members above it; Clopper–Pearson. */
  readonly reached: Measured
}

/** An attack in numbers. */
export interface RocResult {
  readonly members: number
  readonly nonMembers: number
  readonly confidence: number
  /** From (0, 0) to (1, 1). */
  readonly points: readonly RocPoint[]
  /** Chance that a member scores higher than a non-member, ties by half. 0.5: guessing. */
  readonly auc: Measured
  readonly rates: readonly RateAt[]
}

/**
 * The curve of an attack that says «member» above a threshold.
 *
 * The area's interval is DeLong, DeLong and Clarke-Pearson's (Biometrics 1988), from the variances of the placements;
 * those of the rates are Clopper and Pearson's, the threshold taken as given.
 *
 * @param fprs - rates of false positives to report
 * @throws RangeError for fewer than two members or non-members, or a score that is not a number
 */
export function rocOf(
  members: ArrayLike<number>, nonMembers: ArrayLike<number>, fprs: readonly number[] = [0.01, 0.1], confidence = 0.95,
): RocResult {
  aNumber('confidence', confidence, 0.5, 0.999999)
  const inside = sorted('members', members), outside = sorted('nonMembers', nonMembers)
  const points: RocPoint[] = [{ fpr: 0, tpr: 0 }]
  let i = inside.length, j = outside.length
  while (i > 0 || j > 0) {
    const threshold = Math.max(inside[i - 1] ?? -Infinity, outside[j - 1] ?? -Infinity)
    while (i > 0 && inside[i - 1] >= threshold) i--
    while (j > 0 && outside[j - 1] >= threshold) j--
    points.push({ fpr: 1 - j / outside.length, tpr: 1 - i / inside.length })
  }
  return Object.freeze({
    members: inside.length, nonMembers: outside.length, confidence,
    points: corners(points), auc: area(inside, outside, confidence),
    rates: fprs.map(fpr => rateAt(inside, outside, fpr, confidence)),
  })
}

/** The Clopper–Pearson interval of a share: `k` of `n`. */
export function shareInterval(k: number, n: number, confidence: number): Measured {
  const tail = log((1 - confidence) / 2)
  return {
    value: k / n,
    low: k === 0 ? 0 : bisect(p => logBinomialUpperTail(k, n, p) > tail),
    high: k === n ? 1 : bisect(p => logBinomialLowerTail(k, n, p) <= tail),
  }
}

/** The p at which a statement that is false at 0 becomes true. */
function bisect(holds: (p: number) => boolean): number {
  let low = 0, high = 1
  for (let i = 0; i < 60; i++) {
    const middle = (low + high) / 2
    if (holds(middle)) high = middle
    else low = middle
  }
  return high
}

function sorted(title: string, scores: ArrayLike<number>): Float64Array {
  if (scores.length < 2) throw new RangeError(`"${title}" expected at least two scores, got ${scores.length}`)
  const out = Float64Array.from(scores)
  const bad = out.find(score => Number.isNaN(score))
  if (bad !== undefined) throw new RangeError(`"${title}" expected numbers, got NaN`)
  return out.sort()
}

/** Points at which the curve turns: those on a straight horizontal or vertical piece say nothing. */
function corners(points: readonly RocPoint[]): RocPoint[] {
  return points.filter((point, i) => {
    const before = points[i - 1], after = points[i + 1]
    return !before || !after || !(before.fpr === point.fpr && point.fpr === after.fpr || before.tpr === point.tpr && point.tpr === after.tpr)
  })
}

function area(inside: Float64Array, outside: Float64Array, confidence: number): Measured {
  // a placement is the share of the other kind that an element beats
  const mine = placements(inside, outside), theirs = placements(outside, inside)
  const value = mean(mine)
  const error = Math.sqrt(variance(mine) / mine.length + variance(theirs) / theirs.length)
  const reach = normalQuantile((1 + confidence) / 2) * error
  return { value, low: Math.max(0, value - reach), high: Math.min(1, value + reach) }
}

function placements(of: Float64Array, among: Float64Array): Float64Array {
  let below = 0, upTo = 0
  return of.map(score => {
    while (below < among.length && among[below] < score) below++
    while (upTo < among.length && among[upTo] <= score) upTo++
    return (below + upTo) / 2 / among.length
  })
}

function rateAt(inside: Float64Array, outside: Float64Array, fpr: number, confidence: number): RateAt {
  const allowed = Math.floor(aNumber('fpr', fpr, 0, 1) * outside.length + 1e-9)
  // strictly above this score there are at most `allowed` non-members
  const threshold = allowed >= outside.length ? -Infinity : outside[outside.length - 1 - allowed]
  const above = (scores: Float64Array) => scores.reduce((count, score) => count + (score > threshold ? 1 : 0), 0)
  return {
    fpr, tpr: shareInterval(above(inside), inside.length, confidence),
    reached: shareInterval(above(outside), outside.length, confidence),
  }
}

function mean(values: Float64Array): number { return values.reduce((sum, value) => sum + value, 0) / values.length }

function variance(values: Float64Array): number {
  const centre = mean(values)
  return values.reduce((sum, value) => sum + (value - centre) * (value - centre), 0) / (values.length - 1)
}
