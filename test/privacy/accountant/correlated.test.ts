/** Correlated noise: sensitivities against brute force, streams against matrices, memory, rank slices. */
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import {
  composed, firstColumn, gaussianAccountant, gaussianEpsilon, matrixFactorisation, noiseStream, optimalBlt, pldAccountant,
  poissonGaussian, rankSliceParticipation, rowStreams, squareRootCoefficients, strategySensitivitySquared,
  toeplitzSensitivitySquared, tree, treeNoise, treeSensitivitySquared, type MatrixStrategy,
} from '../../../src/privacy/accountant/index.ts'

const ADD = { unit: 'user', adjacency: 'add-remove' } as const

/** All sets of at most `most` rounds that are at least `separation` apart. */
function* schedules(rounds: number, separation: number, most: number, from = 0): Generator<number[]> {
  yield []
  if (most === 0) return
  for (let t = from; t < rounds; t++) {
    for (const rest of schedules(rounds, separation, most - 1, t + separation)) yield [t, ...rest]
  }
}

/** Σ over complete dyadic nodes of (participations below)², by its definition. */
function treeSquare(rounds: number, schedule: readonly number[]): number {
  let square = 0
  for (let size = 1; size <= rounds; size *= 2) {
    for (let start = 0; start + size <= rounds; start += size) {
      square += schedule.filter((t) => t >= start && t < start + size).length ** 2
    }
  }
  return square
}

test('tree sensitivity equals the best of all schedules for every size to 13', () => {
  for (let rounds = 1; rounds <= 13; rounds++) {
    for (const separation of [1, 2, 3, 5]) {
      for (const most of [1, 2, 3, 13]) {
        let best = 0
        for (const schedule of schedules(rounds, separation, most)) best = Math.max(best, treeSquare(rounds, schedule))
        assert.is(treeSensitivitySquared(rounds, separation, most), best, `${rounds} ${separation} ${most}`)
      }
    }
  }
  assert.is(treeSensitivitySquared(11, 1, 11), 127)
})

test('Toeplitz sensitivity equals the best of all schedules, for falling coefficients and for few bands', () => {
  const square = (column: ArrayLike<number>, rounds: number, schedule: readonly number[]): number => {
    let total = 0
    for (let t = 0; t < rounds; t++) {
      let value = 0
      for (const i of schedule) value += i <= t ? column[t - i] ?? 0 : 0
      total += value * value
    }
    return total
  }
  const cases: [number[], number, number, number][] = [
    [squareRootCoefficients(12), 12, 3, 4], [squareRootCoefficients(5), 11, 2, 3], [[1, 0.9, 0.2], 9, 1, 4],
    [[0.5, 1, 0.7], 10, 3, 4], [[1, -0.4], 9, 2, 5],
  ]
  for (const [column, rounds, separation, most] of cases) {
    let best = 0
    for (const schedule of schedules(rounds, separation, most)) best = Math.max(best, square(column, rounds, schedule))
    const got = toeplitzSensitivitySquared(column, rounds, separation, most)
    assert.ok(Math.abs(got - best) < 1e-12, `${column}: ${got} ${best}`)
  }
  // Other coefficients that reach the next participation: an upper bound, and an error where it would cost too much.
  const rising = [0.5, 1, 0.7]
  let best = 0
  for (const schedule of schedules(10, 2, 4)) best = Math.max(best, square(rising, 10, schedule))
  assert.ok(toeplitzSensitivitySquared(rising, 10, 2, 4) >= best)
  assert.throws(() => toeplitzSensitivitySquared(rising, 5000, 2, 4), /2048 rounds/)
})

/** x = C^-1 z by forward substitution with the whole matrix. */
function solve(column: ArrayLike<number>, z: readonly number[]): number[] {
  const x: number[] = []
  for (let t = 0; t < z.length; t++) {
    let value = z[t]
    for (let j = 1; j <= t; j++) value -= (column[j] ?? 0) * x[t - j]
    x.push(value / column[0])
  }
  return x
}

const strategies: MatrixStrategy[] = [
  { kind: 'banded', coefficients: squareRootCoefficients(6) },
  { kind: 'banded', coefficients: [2, 0.5] },
  { kind: 'banded', coefficients: [1] },
  { kind: 'blt', outputScale: [0.1, 0.3], bufferDecay: [0.99, 0.7] },
]

test('streams equal C^-1 z to 1e-13, keep bands - 1 or one vector a buffer, and continue from a saved state bit for bit', () => {
  const rounds = 40
  for (const strategy of strategies) {
    const column = firstColumn(strategy, rounds)
    const z = Array.from({ length: 2 }, (_, i) => Array.from({ length: rounds }, (_, t) => ((t * 37 + i * 11 + 5) % 23) / 23 - 0.4))
    const expected = z.map((values) => solve(column, values))
    const stream = noiseStream(strategy, 2)
    const got: number[][] = []
    for (let t = 0; t < rounds; t++) {
      if (t === 17) {
        const other = noiseStream(strategy, 2, stream.save())
        const ahead = Array.from({ length: 5 }, (_, k) => [...other.next(Float64Array.of(z[0][t + k], z[1][t + k]))])
        const straight = noiseStream(strategy, 2)
        const all = Array.from({ length: t + 5 }, (_, k) => [...straight.next(Float64Array.of(z[0][k], z[1][k]))])
        assert.equal(ahead, all.slice(t))
      }
      got.push([...stream.next(Float64Array.of(z[0][t], z[1][t]))])
    }
    for (let t = 0; t < rounds; t++) {
      for (let i = 0; i < 2; i++) assert.ok(Math.abs(got[t][i] - expected[i][t]) < 1e-13, `${strategy.kind} ${t}`)
    }
    const { buffers } = stream.save()
    assert.is(buffers.length, strategy.kind === 'banded' ? strategy.coefficients.length - 1 : strategy.bufferDecay.length)
    assert.throws(() => noiseStream(strategy, 3, { rounds: 1, buffers: [...buffers, new Float64Array(3)] }), /"state" expected/)
  }
})

test('tree noise on prefix sums: one node a level, re-used until a larger one covers it', () => {
  let drawn = 0
  // Every draw adds a distinct power of three, so a sum shows which nodes it is made of.
  const stream = treeNoise(1, (into) => { into[0] = 3 ** drawn++ })
  const sums = Array.from({ length: 8 }, () => stream.next()[0])
  // Draws: t=1 node 0; t=2 nodes 1 (leaf) and 2 (pair); t=3 node 3; t=4 nodes 4, 5, 6; t=5: 7; t=6: 8, 9; t=7: 10; t=8: 11-14.
  const three = (...nodes: number[]): number => nodes.reduce((sum, node) => sum + 3 ** node, 0)
  assert.equal(sums, [three(0), three(2), three(2, 3), three(6), three(6, 7), three(6, 9), three(6, 9, 10), three(14)])
  assert.is(drawn, 15)
})

test('events of correlated noise cost what one Gaussian of their sensitivity does, in every accountant that takes them', () => {
  const strategy: MatrixStrategy = { kind: 'banded', coefficients: squareRootCoefficients(8) }
  const event = matrixFactorisation({ noiseMultiplier: 2, strategy, rounds: 64, minSeparation: 16, maxParticipations: 3 })
  const mu = Math.sqrt(strategySensitivitySquared(strategy, 64, 16, 3)) / 2
  for (const make of [pldAccountant, gaussianAccountant]) {
    assert.ok(Math.abs(make(ADD).compose(event).epsilon(1e-6) / gaussianEpsilon(mu, 1e-6) - 1) < 1e-11)
  }
  // Trees on the same data and with fresh noise add up like any Gaussians.
  const leaf = tree({ noiseMultiplier: 4, rounds: 16, minSeparation: 16 })
  const both = pldAccountant(ADD).compose(composed([leaf, event])).epsilon(1e-6)
  assert.ok(Math.abs(both / gaussianEpsilon(Math.sqrt(5 / 16 + mu * mu), 1e-6) - 1) < 1e-11)
  // One band is independent noise: k participations cost k Gaussians.
  const independent = matrixFactorisation({
    noiseMultiplier: 2, strategy: { kind: 'banded', coefficients: [1] }, rounds: 10, minSeparation: 2, maxParticipations: 4,
  })
  assert.ok(Math.abs(pldAccountant(ADD).compose(independent).epsilon(1e-6) / gaussianEpsilon(1, 1e-6) - 1) < 1e-11)
  assert.ok(pldAccountant(ADD).compose(poissonGaussian({ noiseMultiplier: 2, samplingRate: 0.01 }), 5).compose(event).epsilon(1e-6) > gaussianEpsilon(mu, 1e-6))
})

test('more buffers never have more error, and the best BLT beats independent noise by far', () => {
  const errors = [1, 2, 3].map((buffers) => optimalBlt({ buffers, rounds: 256, minSeparation: 64 }).squaredError)
  assert.ok(errors[0] >= errors[1] * (1 - 1e-9) && errors[1] >= errors[2] * (1 - 1e-9), String(errors))
  // Independent noise for 4 participations over 256 rounds: squared sensitivity 4 times squared error 256.
  assert.ok(errors[1] < 0.2 * 4 * 256)
})

test('rank slices: each row has its own clock, and the schedule covers the closest row', () => {
  // Rank 4 in every fourth round, else rank 1: row 0 is in all rounds, rows 1-3 in every fourth.
  const ranks = Array.from({ length: 40 }, (_, t) => (t % 4 === 0 ? 4 : 1))
  assert.equal(rankSliceParticipation(ranks, 8, 5), { rounds: 40, minSeparation: 2, maxParticipations: 5 })
  assert.equal(rankSliceParticipation(Array(12).fill(3), 4, 9), { rounds: 12, minSeparation: 4, maxParticipations: 3 })
  const strategy = strategies[3]
  const streams = rowStreams(strategy, [1, 1])
  const alone = noiseStream(strategy, 1)
  // Row 1 takes part in rounds 1 and 3 only; its noise is that of a stream which saw only those.
  const z = [0.3, -0.7, 0.2, 0.9]
  const got: number[] = []
  z.forEach((value, t) => {
    const rows = t % 2 === 0 ? [Float64Array.of(value)] : [Float64Array.of(value), Float64Array.of(value)]
    const out = streams.next(rows)
    if (t % 2 === 1) got.push(out[1][0])
  })
  assert.equal(got, [z[1], z[3]].map((value) => alone.next(Float64Array.of(value))[0]))
  assert.equal([...streams.rounds], [4, 2])
  assert.throws(() => streams.next([0, 1, 2].map(() => new Float64Array(1))), /"fresh" expected at most 2 rows/)
})

test('rank slices: the schedule bounds the true sensitivity of a unit that spreads its norm over rows as it likes', () => {
  const ranks = [2, 1, 2, 1, 1, 2, 2, 1, 2, 1]
  const coefficients = squareRootCoefficients(10)
  const { rounds, minSeparation, maxParticipations } = rankSliceParticipation(ranks, 3, 3)
  const bound = toeplitzSensitivitySquared(coefficients, rounds, minSeparation, maxParticipations)
  for (const schedule of schedules(10, 3, 3)) {
    // Shares of the norm in row 1 are tried on a grid; row 0 has the rest.
    for (let code = 0; code < 5 ** schedule.length; code++) {
      let square = 0
      for (const row of [0, 1]) {
        const active = ranks.flatMap((rank, t) => (rank > row ? [t] : []))
        const entries = active.map((t) => {
          const k = schedule.indexOf(t)
          if (k < 0) return 0
          const share = ranks[t] === 1 ? 0 : (Math.floor(code / 5 ** k) % 5) / 4
          return Math.sqrt(row === 1 ? share : 1 - share)
        })
        for (let t = 0; t < active.length; t++) {
          let value = 0
          for (let j = 0; j <= t; j++) value += coefficients[t - j] * entries[j]
          square += value * value
        }
      }
      assert.ok(square <= bound + 1e-9, `${schedule}: ${square} ${bound}`)
    }
  }
})

test.run()
