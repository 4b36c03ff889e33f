/**
 * The default accountant: privacy-loss distributions, rounded pessimistically and composed by FFT, both directions
 * apart. Its ε is never below the exact one and, at its own choice of step, above it by about 5e-6.
 * @module
 */
import { aNumber } from '../../../assert.ts'
import { accountantOf, ROUND_UP, type Accountant, type Counted, type Method } from '../accountant.ts'
import type { AtomicEvent } from '../event.ts'
import { gaussianDelta, gaussianEpsilon } from '../gaussian.ts'
import { squaredMu } from '../gaussian-equivalent.ts'
import { sensitivityOf, type Adjacency, type Neighbourhood } from '../neighbourhood.ts'
import { normalCdf, normalQuantile } from '../num/normal.ts'
import { cumulantOf } from './cumulant.ts'
import { discretise, dominating, rangeOf, type Dominating } from './discretise.ts'
import type { LossPair } from './loss-pmf.ts'
import { gaussianPair, hockeyStick } from './normal-pair.ts'
import { LossSum, type Answer } from './tail.ts'
import type { Part } from './tilts.ts'

/** Error in ε that the automatic step aims at; with very many rounds, whose grids are long, more is allowed. */
const GOAL = 5e-6
const MANY_DRAWS = 50000
/** Bounds of the automatic step: cells of one event, and points of the sum. */
const CELLS = 1 << 20
const POINTS = 1 << 21

/** One event ready to be put on a grid. */
interface Dominated {
  readonly key: string
  readonly dominator: Dominating
  readonly count: number
}

/** What a history amounts to: one Gaussian with μ² per clip norm, and everything else. */
interface Merged {
  readonly mu: number
  readonly others: readonly Dominated[]
}

function merge(history: readonly Counted[], adjacency: Adjacency): Merged {
  let square = 0
  const others: Dominated[] = []
  for (const { event, count } of history) {
    const dominator = dominating(event, adjacency)
    const own = isGaussian(event, dominator) ? squaredMu(event) : undefined
    if (own !== undefined) square += own * count
    else others.push({ key: adjacency + JSON.stringify(event), dominator, count })
  }
  return { mu: Math.sqrt(square) * sensitivityOf(adjacency), others }
}

/** Scalar discrete Gaussians with little noise have atoms of their own. */
const isGaussian = (event: AtomicEvent, dominator: Dominating): boolean =>
  dominator.kind === 'normal' && squaredMu(event) !== undefined

/** Pairs put on a grid before, those used last; and the numbers that they may hold together. */
const PAIRS = /* @__PURE__ */ new Map<string, LossPair>()
const MOST_NUMBERS = 1 << 22

function pairOf({ key, dominator }: Dominated, step: number): LossPair {
  const full = `${step} ${key}`
  let pair = PAIRS.get(full)
  PAIRS.delete(full)
  PAIRS.set(full, pair ??= discretise(dominator, step))
  let numbers = 0
  for (const { forward } of PAIRS.values()) numbers += 2 * forward.mass.length
  for (const [key, { forward }] of PAIRS) {
    if (numbers <= MOST_NUMBERS || key === full) break
    PAIRS.delete(key)
    numbers -= 2 * forward.mass.length
  }
  return pair
}

/** The composed loss in each direction; one where they are the same. */
function sums(all: readonly Dominated[], step: number): LossSum[] {
  const forward: Part[] = []
  const backward: Part[] = []
  let symmetric = true
  for (const dominated of all) {
    const pair = pairOf(dominated, step)
    forward.push({ pmf: pair.forward, count: dominated.count })
    backward.push({ pmf: pair.backward, count: dominated.count })
    if (pair.forward !== pair.backward) symmetric = false
  }
  return symmetric ? [new LossSum(forward)] : [new LossSum(forward), new LossSum(backward)]
}

/**
 * The answer on finer and finer grids until it is known to about `goal` (relative to the answer for δ, absolute for ε). A
 * cell of width h widens the loss by h²/6 on average, so the error falls with the square of the step, and two steps tell
 * how large it is. Every grid gives an upper bound; the last is the best.
 */
function refine(all: readonly Dominated[], relative: boolean, ask: (sum: LossSum, least: number, guess?: number) => Answer): { value: number, step: number } {
  let width = 0
  for (const { dominator } of all) {
    const { low, high } = rangeOf(dominator)
    width = Math.max(width, high - low)
  }
  const evaluate = (step: number, guess?: number): Answer => {
    let worst: Answer = { value: 0, span: 0 }
    for (const sum of sums(all, step)) {
      const { value, span } = ask(sum, worst.value, guess)
      worst = { value: Math.max(worst.value, value), span: Math.max(worst.span, span) }
    }
    return worst
  }
  const draws = all.reduce((sum, { count }) => sum + count, 0)
  const slack = GOAL * Math.sqrt(Math.max(1, draws / MANY_DRAWS))
  let step = firstStep(all, width)
  let last = evaluate(step)
  let next = roundDown(step / 2)
  for (let i = 0; i < 4; i++) {
    const now = evaluate(next, last.value === Infinity ? undefined : last.value)
    if (now.value === Infinity) return { value: Infinity, step: next }
    const error = (last.value - now.value) / ((step / next) * (step / next) - 1)
    const goal = relative ? slack * 10 * now.value : slack
    step = next
    last = now
    if (!(error > goal)) break
    next = roundDown(Math.max(error < Infinity ? 0.9 * step * Math.sqrt(goal / error) : step / 4, now.span / POINTS, width / CELLS))
    if (next >= 0.9 * step) break
  }
  return { value: last.value, step }
}

/** Fine enough for the losses of one draw, but no finer than a thousandth of the sum's standard deviation needs. */
function firstStep(all: readonly Dominated[], width: number): number {
  if (!(width > 0)) return 1e-3
  let variance = 0
  for (const dominated of all) {
    variance += dominated.count * cumulantOf(pairOf(dominated, roundDown(width / 1024)).forward).variance
  }
  return roundDown(Math.max(width / 4096, Math.min(width / 64, Math.sqrt(variance) / 1000)))
}

/** The next number below x with one digit, or 1.5 before a power of ten: steps that repeat can be cached. */
function roundDown(x: number): number {
  let unit = 1
  while (unit > x) unit /= 10
  while (unit * 10 <= x) unit *= 10
  const digit = Math.floor(x / unit)
  return digit === 1 && 1.5 * unit <= x ? 1.5 * unit : digit * unit
}

/** The exact answer where the history is one Gaussian, or one draw of a monotone pair; else undefined. */
function exactDelta({ mu, others }: Merged, epsilon: number): number | undefined {
  if (others.length === 0) return gaussianDelta(mu, epsilon) * ROUND_UP
  const [only] = others
  if (mu > 0 || others.length > 1 || only.count > 1 || only.dominator.kind !== 'normal') return undefined
  const { pair } = only.dominator
  return Math.max(hockeyStick(pair, epsilon, 'forward'), hockeyStick(pair, epsilon, 'backward'))
}

/** The smallest ε with exactDelta <= δ, from above. */
function exactEpsilon(merged: Merged, delta: number): number | undefined {
  if (merged.others.length === 0) return gaussianEpsilon(merged.mu, delta) * ROUND_UP
  const atZero = exactDelta(merged, 0)
  if (atZero === undefined) return undefined
  if (delta <= 0) return atZero > 0 ? Infinity : 0
  if (atZero <= delta) return 0
  let low = 0
  let high = 1
  while ((exactDelta(merged, high) as number) > delta) {
    high *= 2
    if (high > 600) return undefined
  }
  for (let i = 0; i < 100 && high - low > 1e-15 * high; i++) {
    const middle = (low + high) / 2
    if ((exactDelta(merged, middle) as number) > delta) low = middle
    else high = middle
  }
  return high * ROUND_UP
}

function allOf({ mu, others }: Merged): readonly Dominated[] {
  if (mu === 0) return others
  return [...others, { key: `gaussian ${mu}`, dominator: { kind: 'normal', pair: gaussianPair(1 / mu) }, count: 1 }]
}

/** The step that the accountant uses for ε at δ when it may choose; 0 where the answer is exact and needs none. */
export function discretisationFor(accountant: Accountant, delta: number): number {
  const merged = merge(accountant.history, accountant.adjacency)
  return exactDelta(merged, 1) === undefined ? refine(allOf(merged), false, (sum, least, guess) => sum.epsilon(delta, least, guess)).step : 0
}

/** The whole privacy curve of what was released, on one grid. */
export interface PrivacyCurve {
  readonly step: number
  readonly epsilon: number
  /** An upper bound on δ at ε. */
  delta(epsilon: number): number
  /**
   * The most that an attacker can do: the largest true-positive rate of deciding whether a unit took part, at a
   * false-positive rate, whatever the attacker knows of everyone else (as a test: Wasserman and Zhou 2010). Rounded up.
   */
  truePositiveRate(fpr: number): number
}

/** How much coarser than the grid of ε the grid of a whole curve is. */
const SUMMARY_COARSER = 8

/** The curve, on the grid that ε at this δ needs; step 0 where it is exact. */
export function privacyCurve(accountant: Accountant, delta: number): PrivacyCurve {
  if (accountant.history.some((entry) => entry.event.kind === 'non-private')) {
    return { step: 0, epsilon: Infinity, delta: () => 1, truePositiveRate: () => 1 }
  }
  const merged = merge(accountant.history, accountant.adjacency)
  const { mu } = merged
  if (merged.others.length === 0) {
    return {
      step: 0,
      epsilon: gaussianEpsilon(mu, delta) * ROUND_UP,
      delta: (epsilon) => gaussianDelta(mu, epsilon) * ROUND_UP,
      truePositiveRate: (fpr) => mu === 0 ? fpr : Math.min(1, normalCdf(mu + normalQuantile(fpr)) * ROUND_UP),
    }
  }
  const all = allOf(merged)
  const { value, step } = refine(all, false, (sum, least, guess) => sum.epsilon(delta, least, guess))
  // each question is a transform of its own: a coarser grid, still pessimistic, answers the many of a summary
  const coarse = step * SUMMARY_COARSER
  const both = sums(all, coarse)
  return {
    step: coarse,
    epsilon: value,
    delta: (epsilon) => Math.max(...both.map((sum) => sum.delta(epsilon).value)),
    truePositiveRate: (fpr) => Math.max(fpr, ...both.map((sum) => sum.truePositiveRate(fpr))),
  }
}

/** The attacker's largest true-positive rate at one false-positive rate; see `PrivacyCurve`. */
export function attackerTpr(accountant: Accountant, fpr: number): number {
  aNumber('fpr', fpr, 0, 1)
  return privacyCurve(accountant, Math.max(fpr, 1e-12)).truePositiveRate(fpr)
}

/**
 * An accountant by privacy-loss distributions.
 * @param options - unit and adjacency (both required); `discretisation`, the step of the loss grid, if the automatic one
 * is not wanted: the error in ε is about rounds·(θ+1)·step²/12 with θ of order 10
 * @throws {UnsupportedEventError} from `compose` for an event without a known dominating pair
 */
export function pldAccountant(options: Neighbourhood & { readonly discretisation?: number }): Accountant {
  const fixed = options.discretisation === undefined ? undefined : aNumber('discretisation', options.discretisation, 1e-9, 10)
  const method: Method = {
    name: 'pld',
    check: (event, adjacency) => { if (event.kind !== 'non-private') dominating(event, adjacency) },
    epsilon(history, { adjacency }, delta) {
      const merged = merge(history, adjacency)
      const exact = exactEpsilon(merged, delta)
      if (exact !== undefined) return exact
      const all = allOf(merged)
      return fixed === undefined ? refine(all, false, (sum, least, guess) => sum.epsilon(delta, least, guess)).value
        : Math.max(...sums(all, fixed).map((sum) => sum.epsilon(delta).value))
    },
    delta(history, { adjacency }, epsilon) {
      const merged = merge(history, adjacency)
      const exact = exactDelta(merged, epsilon)
      if (exact !== undefined) return exact
      const all = allOf(merged)
      return fixed === undefined ? refine(all, true, (sum) => sum.delta(epsilon)).value
        : Math.max(...sums(all, fixed).map((sum) => sum.delta(epsilon).value))
    },
  }
  return accountantOf(method, options)
}
