/**
 * Lower-triangular Toeplitz strategies C for prefix sums A = B C: their coefficients and their sensitivity when a unit
 * takes part several times. C x + Z is what is released, so noise C^-1 Z is what is added to the clipped sums.
 * @module
 */
import { anInteger } from '../../../assert.ts'
import type { MatrixStrategy } from '../event.ts'

/**
 * The coefficients of the square root of the prefix-sum matrix, c_0 = 1, c_k = c_(k-1) (2k-1) / (2k): the strategy of
 * least maximum error among Toeplitz ones for a single participation (Fichtenberger, Henzinger and Upadhyay 2022),
 * cut to `bands`.
 */
export function squareRootCoefficients(bands: number): number[] {
  anInteger('bands', bands, 1)
  const coefficients = [1]
  for (let k = 1; k < bands; k++) coefficients.push(coefficients[k - 1] * (2 * k - 1) / (2 * k))
  return coefficients
}

/** The first `rounds` values of the strategy's first column. */
export function firstColumn(strategy: MatrixStrategy, rounds: number): Float64Array {
  const column = new Float64Array(rounds)
  if (strategy.kind === 'banded') {
    for (let k = 0; k < Math.min(rounds, strategy.coefficients.length); k++) column[k] = strategy.coefficients[k]
    return column
  }
  // Buffered linear Toeplitz: c_0 = 1, c_k = Σ_i ω_i θ_i^(k-1) (McMahan, Xu and Zhang 2024, eq. 4).
  column[0] = 1
  const terms = Float64Array.from(strategy.outputScale)
  for (let k = 1; k < rounds; k++) {
    let sum = 0
    for (let i = 0; i < terms.length; i++) {
      sum += terms[i]
      terms[i] *= strategy.bufferDecay[i]
    }
    column[k] = sum
  }
  return column
}

/**
 * Squared L2 sensitivity of C x in clip norms for participations at least `minSeparation` rounds apart, at most
 * `maxParticipations` of them. Exact for coefficients that are >= 0 and do not increase, where the worst unit takes part
 * at rounds 0, s, 2s, ... (Kalinin and Lampert 2024, Theorem 2); for any coefficients whose bands do not reach the next
 * participation, exact too, the columns being orthogonal (Choquette-Choo et al. 2023, Theorem 2); an upper bound for other
 * coefficients, up to 2,048 rounds.
 * @throws {RangeError} for other coefficients and more rounds
 */
export function toeplitzSensitivitySquared(
  column: ArrayLike<number>, rounds: number, minSeparation: number, maxParticipations: number,
): number {
  anInteger('rounds', rounds, 1)
  anInteger('minSeparation', minSeparation, 1)
  const participations = Math.min(anInteger('maxParticipations', maxParticipations, 1), Math.ceil(rounds / minSeparation))
  let bands = Math.min(column.length, rounds)
  while (bands > 1 && column[bands - 1] === 0) bands--
  let monotone = true
  for (let k = 0; k < bands; k++) {
    if (column[k] < 0 || (k > 0 && column[k] > column[k - 1])) monotone = false
  }
  if (!monotone && bands > minSeparation) return generalBound(column, rounds, minSeparation, participations)
  if (!monotone) {
    // Orthogonal columns: their squares add up, and earlier ones are cut off less.
    let squares = 0
    for (let j = 0; j < participations; j++) {
      for (let k = 0; k < Math.min(bands, rounds - j * minSeparation); k++) squares += column[k] * column[k]
    }
    return squares
  }
  let total = 0
  for (let t = 0; t < rounds; t++) {
    let value = 0
    const latest = Math.min(participations - 1, Math.floor(t / minSeparation))
    for (let j = latest; j >= 0 && t - j * minSeparation < bands; j--) value += column[t - j * minSeparation]
    total += value * value
  }
  return total
}

/** max over schedules π of Σ_(i∈π) max over π' of Σ_(j∈π') |G(i, j)|, at least max_π Σ_(i,j∈π) |G(i, j)|. */
function generalBound(column: ArrayLike<number>, rounds: number, minSeparation: number, participations: number): number {
  if (rounds > 2048) {
    throw new RangeError('"coefficients" expected values that are >= 0 and do not increase, or fewer bands than the minimum ' +
      `separation, or at most 2048 rounds; got ${rounds} rounds`)
  }
  const rows = new Float64Array(rounds)
  const products = new Float64Array(rounds)
  for (let i = 0; i < rounds; i++) {
    for (let j = 0; j < rounds; j++) {
      let product = 0
      for (let t = Math.max(i, j); t < rounds; t++) product += (column[t - i] ?? 0) * (column[t - j] ?? 0)
      products[j] = Math.abs(product)
    }
    rows[i] = maxParticipationLinear(products, minSeparation, participations)
  }
  return maxParticipationLinear(rows, minSeparation, participations)
}

/**
 * The largest sum of at most `maxParticipations` values that are at least `minSeparation` places apart; values >= 0.
 */
export function maxParticipationLinear(values: ArrayLike<number>, minSeparation: number, maxParticipations: number): number {
  const n = values.length
  // best[t]: the most from the first t values with the number of participations so far.
  let best = new Float64Array(n + 1)
  for (let k = 0; k < maxParticipations; k++) {
    const next = new Float64Array(n + 1)
    for (let t = 1; t <= n; t++) {
      next[t] = Math.max(next[t - 1], values[t - 1] + best[Math.max(0, t - minSeparation)])
    }
    best = next
  }
  return best[n]
}

/** Squared sensitivity of a strategy under a participation schedule. */
export function strategySensitivitySquared(
  strategy: MatrixStrategy, rounds: number, minSeparation: number, maxParticipations: number,
): number {
  return toeplitzSensitivitySquared(firstColumn(strategy, rounds), rounds, minSeparation, maxParticipations)
}
