// slow: runs the release many thousands of times
/**
 * Does the release keep its word? The real path (encode, checks, sum, noise, release) runs many times on two
 * neighbouring inputs, without and with a client that does its worst, and an attacker who knows everything else
 * guesses which it was. From the rates of error follows a lower bound of mu.
 *
 * Claim: mu = 1/2 (noise multiplier 2, add-remove). Verdict «pass»: guard <= lower bound <= claim.
 *
 * Error rates. The bound is above the true mu with chance at most ALPHA = 5e-7 (Clopper-Pearson, exact): a mechanism
 * that keeps its claim is rejected that rarely for too little noise. At RUNS = 150,000 a bound of two rates near 0.4
 * has a standard deviation of 0.0046 and sits 0.0329 below mu on average, so that
 *   - the guard, 0.42, rejects a correct mechanism 10 deviations below its mean (chance below 1e-20),
 *   - 10 % less noise (mu = 0.5556) is missed 4.9 deviations below its mean (5e-7).
 * The other faults are far more than that away, also at 30,000 runs (deviation 0.0103, 0.0735 below).
 * With system noise, which is new each time, the bound is above the true mu with chance at most 4e-10 instead; at 80,000
 * runs (deviation 0.0063, 0.0559 below) a guard of 0.4 is 7 deviations from a false alarm (2e-12): a flake rate below 1e-9.
 */
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import {
  Aggregate, SystemNoise, chooseLattice, encode, release, type Lattice, type NoiseSource,
} from '../../../src/privacy/mechanism/index.ts'
import { SeededNoise } from '../../../src/privacy/mechanism/seeded-noise.ts'
import { muLowerBound } from './statistics.ts'
import { scratch, seed } from './support.ts'

const CLAIM = 0.5
const GUARD = 0.42
const ALPHA = 5e-7
const RUNS = 150_000

const memory = await scratch('simd')
const publicSeed = seed(11)
const cohort = 2
const lattice = chooseLattice({ clip: 1, cohort, dimension: 2, noiseMultiplier: 1 / CLAIM })

/** The largest thing that this lattice lets a client add: a contribution of its own making, or a huge update. */
function worst(of: Lattice): Int32Array {
  const own = new Int32Array(of.length)
  own[0] = Math.ceil(of.clipInt)
  const encoded = encode(memory, of, Float32Array.of(1e30, 0), { publicSeed, round: 0, client: 9 }).values
  return encoded[0] > own[0] ? encoded : own
}

/** Lower bound of mu for a mechanism that works on `of`, while `lattice` was promised. */
function audit(of: Lattice, source: NoiseSource, runs: number, alpha = ALPHA): number {
  const other = encode(memory, of, Float32Array.of(0.3, -0.4), { publicSeed, round: 0, client: 0 }).values
  const target = worst(of)
  const threshold = (other[0] + target[0] / 2) * of.step / cohort
  const guesses = (clients: Int32Array[], from: number) => {
    let count = 0
    for (let round = from; round < from + runs; round++) {
      const aggregate = new Aggregate(memory, of)
      for (const values of clients) aggregate.add(values)
      const { mean } = release(memory, aggregate, source, { publicSeed, round, simulation: source.kind === 'seeded' })
      if (mean[0] >= threshold) count++
    }
    return count
  }
  const falsePositives = guesses([other], 0)
  const falseNegatives = runs - guesses([other, target], runs)
  return muLowerBound(falsePositives, falseNegatives, runs, alpha)
}

const passes = (bound: number, guard = GUARD) => bound >= guard && bound <= CLAIM

test(`seeded noise: mu from ${GUARD} to ${CLAIM} as promised; ${2 * RUNS} releases`, () => {
  const bound = audit(lattice, new SeededNoise(2), RUNS)
  assert.ok(passes(bound), `${bound}`)
})

test(`system noise: mu from 0.4 to ${CLAIM} as promised; flakes with chance below 1e-9`, () => {
  const bound = audit(lattice, new SystemNoise((bytes) => crypto.getRandomValues(bytes)), 80_000, 4e-10)
  assert.ok(passes(bound, 0.4), `${bound}`)
})

test('planted fault: 10 % less noise is found', () => {
  const bound = audit({ ...lattice, sigmaInt: Math.floor(lattice.sigmaInt * 0.9) }, new SeededNoise(3), RUNS)
  assert.ok(bound > CLAIM, `${bound}`)
})

test('planted fault: the variance taken for the standard deviation is found', () => {
  // scaled by the clip norm: sqrt(2) clip where 2 clip was promised
  const bound = audit({ ...lattice, sigmaInt: Math.ceil(Math.sqrt(2) * lattice.clipInt) }, new SeededNoise(4), 30_000)
  assert.ok(bound > CLAIM, `${bound}`)
})

test('planted fault: no clip (half as much again gets through) is found', () => {
  const clipInt = Math.ceil(lattice.clipInt * 1.5)
  const unclipped = { ...lattice, clip: 1.5 * lattice.clip, clipInt, updateClipInt: clipInt }
  const bound = audit(unclipped, new SeededNoise(5), 30_000)
  assert.ok(bound > CLAIM, `${bound}`)
})

test('planted fault: doubled noise is found by the power guard', () => {
  const bound = audit({ ...lattice, sigmaInt: lattice.sigmaInt * 2 }, new SeededNoise(6), 30_000)
  assert.ok(bound < GUARD, `${bound}`)
})

test('what a client adds beyond the norm bound is refused, so the worst case above is the worst', () => {
  const aggregate = new Aggregate(memory, lattice)
  assert.throws(() => aggregate.add(Int32Array.of(lattice.clipInt, 1)), /L2 norm/)
  aggregate.add(Int32Array.of(lattice.clipInt, 0))
  aggregate.add(Int32Array.of(0, -lattice.clipInt))
})

test.run()
