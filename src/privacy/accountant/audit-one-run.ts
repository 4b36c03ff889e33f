/**
 * Lower bounds on ε from one training run with canaries: each canary went in or stayed out by a fair coin, an attack
 * guesses which, and too many right guesses refute a claimed (ε, δ).
 * @module
 */
import { aNumber } from '../../assert.ts'
import { gaussianMu } from './gaussian.ts'
import { exp } from './num/elementary.ts'
import { logBinomialUpperTail } from './num/gamma.ts'
import { normalCdf, normalQuantile } from './num/normal.ts'

/** Scores of the canaries; higher is taken to mean «was in». */
export interface CanaryScores {
  readonly inside: ArrayLike<number>
  readonly outside: ArrayLike<number>
}

/** How many canaries a threshold guesses, and how many of the guesses are right. */
interface Guess {
  readonly guesses: number
  readonly correct: number
}

/** A test of one claim: above 0 where these guesses refute (ε, δ). */
type Refutation = (epsilon: number, guess: Guess) => number

/**
 * Whether guesses as good as these refute (ε, δ): the p-value P[Bin(r, e^ε/(1+e^ε)) >= v], plus what δ can add
 * (Steinke, Nasr and Jagielski 2023, Theorem 5.2).
 */
export function oneRunPValue(canaries: number, guesses: number, correct: number, epsilon: number, delta: number): number {
  const rate = 1 / (1 + exp(-epsilon))
  const tail = (k: number): number => exp(logBinomialUpperTail(k, guesses, rate))
  const beta = tail(correct)
  if (delta === 0) return beta
  let alpha = 0
  for (let i = 1; i <= correct; i++) {
    // P <= 1 bounds everything that could still come.
    if ((1 - beta) / i <= alpha) break
    alpha = Math.max(alpha, (tail(correct - i) - beta) / i)
  }
  return Math.min(1, beta + alpha * delta * 2 * canaries)
}

/**
 * The same for the whole curve of the Gaussian mechanism that is (ε, δ)-DP (Mahloujifar, Melis and Chaudhuri 2024,
 * Algorithm 3): above 0 where refuted.
 */
function gaussianRefutation(canaries: number, { guesses, correct }: Guess, mu: number, significance: number): number {
  let right = significance * correct / canaries
  let wrong = significance * (guesses - correct) / canaries
  for (let i = correct - 1; i >= 0; i--) {
    const next = Math.max(wrong, right <= 0 ? 0 : normalCdf(normalQuantile(Math.min(1, right)) - mu))
    if (next === wrong) break
    right = Math.min(1, right + (i / (guesses - i)) * (next - wrong))
    wrong = next
  }
  return right + wrong - guesses / canaries
}

/** Counts at the thresholds on the convex hull of the error curve: no other threshold can be the best. */
function hullOf({ inside, outside }: CanaryScores): Guess[] {
  const first = Float64Array.from(inside).sort()
  const second = Float64Array.from(outside).sort()
  const points: { missed: number, rejected: number }[] = []
  let i = 0
  let j = 0
  while (i < first.length || j < second.length) {
    push(points, { missed: i, rejected: j })
    const threshold = Math.min(first[i] ?? Infinity, second[j] ?? Infinity)
    while (i < first.length && first[i] <= threshold) i++
    while (j < second.length && second[j] <= threshold) j++
  }
  push(points, { missed: i, rejected: j })
  return points.map(({ missed, rejected }) => ({
    guesses: first.length - missed + second.length - rejected, correct: first.length - missed,
  }))
}

/** Adds a point to an upper hull, dropping those that come to lie on or below it. */
function push(hull: { missed: number, rejected: number }[], point: { missed: number, rejected: number }): void {
  while (hull.length >= 2) {
    const a = hull[hull.length - 2]
    const b = hull[hull.length - 1]
    const turn = (b.rejected - a.rejected) * (point.missed - b.missed) - (point.rejected - b.rejected) * (b.missed - a.missed)
    if (turn > 0) break
    hull.pop()
  }
  hull.push(point)
}

/** The largest refuted ε over all thresholds; `refutes` decreases in ε. */
function largestRefuted(guesses: readonly Guess[], refutes: Refutation): number {
  const byPrecision = [...guesses].filter(({ guesses: n }) => n > 0).sort((a, b) => b.correct / b.guesses - a.correct / a.guesses)
  let best = 0
  for (const guess of byPrecision) {
    if (!(refutes(best, guess) > 0)) continue
    let low = best
    let high = Math.max(1, 2 * best)
    while (refutes(high, guess) > 0) {
      low = high
      high *= 2
    }
    while (high - low > 1e-7) {
      const middle = (low + high) / 2
      if (refutes(middle, guess) > 0) low = middle
      else high = middle
    }
    best = low
  }
  return best
}

/**
 * A lower bound on ε, wrong with probability at most `significance`, from the scores of one run.
 * @param options.method - `dp` refutes (ε, δ) alone; `gaussian` refutes the Gaussian curve through (ε, δ), which finds far
 * more where the mechanism is known to be Gaussian
 */
export function auditOneRun(
  scores: CanaryScores,
  options: { readonly significance: number, readonly delta: number, readonly method: 'dp' | 'gaussian' },
): number {
  const significance = aNumber('significance', options.significance, 0, 1)
  const delta = aNumber('delta', options.delta, 0, 1)
  const canaries = scores.inside.length + scores.outside.length
  if (scores.inside.length === 0 || scores.outside.length === 0) {
    throw new RangeError('"scores" expected canaries inside and outside, got none of one kind')
  }
  const guesses = hullOf(scores)
  // Bonferroni: the best of several thresholds is looked for.
  const each = significance / guesses.length
  if (options.method === 'dp') {
    return largestRefuted(guesses, (epsilon, { guesses: n, correct }) => {
      if (oneRunPValue(canaries, n, correct, epsilon, 0) > each) return -1
      return each - oneRunPValue(canaries, n, correct, epsilon, delta)
    })
  }
  const mus = new Map<number, number>()
  return largestRefuted(guesses, (epsilon, guess) => {
    let mu = mus.get(epsilon)
    if (mu === undefined) {
      mu = gaussianMu(epsilon, delta)
      mus.set(epsilon, mu)
    }
    return gaussianRefutation(canaries, guess, mu, each)
  })
}
