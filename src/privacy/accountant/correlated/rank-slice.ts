/**
 * Correlated noise for updates of varying rank. When rounds train only a prefix of the rank rows, a row that is left out
 * gets no noise that round, so one stream over rounds would not be C^-1 Z for any row. Each row therefore has a stream of
 * its own that advances only in rounds that train it, and its own participation schedule in that clock.
 * @module
 */
import { anInteger } from '../../../assert.ts'
import type { MatrixStrategy, Participation } from '../event.ts'
import { noiseStream, type NoiseStream } from './noise-stream.ts'

/**
 * One participation schedule that covers every row: its event, accounted once, covers the whole release.
 *
 * Why once is enough: let a_(t,r) be the norm of a unit's part in row r at round t, Σ_r a² <= 1 for each t. The squared
 * sensitivity is Σ_r Σ_(i,j) G_r(i,j) a_(i,r) a_(j,r) with G_r the Gram matrix of row r's columns, at most
 * Σ_(i,j) max_r G_r(i,j) by Cauchy and Schwarz. For coefficients >= 0 that do not increase, G_r grows as two
 * participations come closer in the row's clock and as more rounds follow; so the closest distance and the largest number
 * of rounds over all rows bound every term.
 * @param ranks - the rank prefix of every round, drawn without looking at data
 * @param minSeparation - least distance of a unit's participations, in rounds
 * @returns the schedule in row clocks, for `matrixFactorisation` or `tree`
 */
export function rankSliceParticipation(
  ranks: readonly number[], minSeparation: number, maxParticipations: number,
): Required<Participation> {
  anInteger('minSeparation', minSeparation, 1)
  anInteger('maxParticipations', maxParticipations, 1)
  const most = ranks.reduce((high, rank, t) => Math.max(high, anInteger(`ranks[${t}]`, rank, 1)), 1)
  let rounds = 1
  let closest = Infinity
  for (let row = 0; row < most; row++) {
    const active: number[] = []
    ranks.forEach((rank, t) => { if (rank > row) active.push(t) })
    rounds = Math.max(rounds, active.length)
    // For each round the first later one that a unit may also be in; distance counted in the row's own rounds.
    for (let i = 0, j = 0; i < active.length; i++) {
      while (j < active.length && active[j] - active[i] < minSeparation) j++
      if (j < active.length) closest = Math.min(closest, j - i)
    }
  }
  const separation = closest === Infinity ? rounds : closest
  return {
    rounds, minSeparation: separation, maxParticipations: Math.min(maxParticipations, Math.ceil(rounds / separation)),
  }
}

/** Streams for the rows of an update, one a rank row. */
export interface RowStreams {
  /** Noise for the rows 0 ... rank - 1 of this round, each written over its fresh noise. */
  next(fresh: readonly Float64Array[]): readonly Float64Array[]
  /** How many rounds each row has been in. */
  readonly rounds: readonly number[]
}

/**
 * @param dimensions - number of coordinates of each rank row
 */
export function rowStreams(strategy: MatrixStrategy, dimensions: readonly number[]): RowStreams {
  const streams: NoiseStream[] = dimensions.map((dimension) => noiseStream(strategy, dimension))
  return {
    next(fresh) {
      if (fresh.length > streams.length) throw new RangeError(`"fresh" expected at most ${streams.length} rows, got ${fresh.length}`)
      return fresh.map((noise, row) => streams[row].next(noise))
    },
    get rounds() { return streams.map((stream) => stream.rounds) },
  }
}
