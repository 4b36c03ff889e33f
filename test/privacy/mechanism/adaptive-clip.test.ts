import { test } from 'uvu'
import * as assert from 'uvu/assert'
import type { DiscreteGaussianEvent } from '../../../src/privacy/accountant/event.ts'
import {
  Aggregate, adaptiveClip, chooseLattice, encode, eventOf, nextClip, quantileNoise, release, type AdaptiveClip,
} from '../../../src/privacy/mechanism/index.ts'
import { SeededNoise } from '../../../src/privacy/mechanism/seeded-noise.ts'
import { rng } from '../../support/rng.ts'
import { scratch, seed } from './support.ts'

const memory = await scratch('simd')
const publicSeed = seed(3)

/** A round of the real path over clients whose norms are spread evenly from 0.5 to 1.5 (so quantile q is 0.5 + q). */
function round(state: AdaptiveClip, number: number, cohort: number): AdaptiveClip {
  const random = rng(number)
  const noiseMultiplier = 1
  const lattice = chooseLattice({
    clip: state.clip, cohort, dimension: 8, noiseMultiplier,
    quantile: { noise: quantileNoise(cohort, noiseMultiplier) },
  })
  const aggregate = new Aggregate(memory, lattice)
  for (let client = 0; client < cohort; client++) {
    const update = random.f32(8), norm = Math.sqrt(update.reduce((sum, x) => sum + x * x, 0))
    const length = 0.5 + random.uniform()
    const scaled = update.map((x) => x * length / norm)
    aggregate.add(encode(memory, lattice, scaled, { publicSeed, round: number, client }).values)
  }
  const released = release(memory, aggregate, new SeededNoise(8), { publicSeed, round: number, simulation: true })
  return nextClip(state, released.within!)
}

for (const quantile of [0.2, 0.5, 0.9]) {
  for (const factor of [0.01, 100]) {
    // ln 100 over the progress of a round, 0.2 times the distance of the quantile from 0 or 1; and 40 rounds to settle
    const rounds = Math.ceil(Math.log(100) / (0.2 * (factor < 1 ? quantile : 1 - quantile))) + 40
    test(`from ${factor} times the ${quantile} quantile: there in ${rounds} rounds, then stays within 0.12`, () => {
      const target = 0.5 + quantile
      let state = adaptiveClip({ clip: target * factor, quantile })
      for (let number = 0; number < rounds + 100; number++) {
        state = round(state, number, 100)
        const off = Math.abs(state.clip - target)
        if (number >= rounds) assert.ok(off < 0.12, `round ${number}: ${state.clip} for ${target}`)
      }
    })
  }
}

test('the released share is true within six deviations of its noise; one event pays for it', () => {
  const cohort = 200, noise = quantileNoise(cohort, 1)
  const lattice = chooseLattice({ clip: 1, cohort, dimension: 4, noiseMultiplier: 1, quantile: { noise } })
  for (const inside of [0, 50, 200]) {
    const aggregate = new Aggregate(memory, lattice)
    for (let client = 0; client < cohort; client++) {
      const update = Float32Array.of(client < inside ? 0.5 : 2, 0, 0, 0)
      aggregate.add(encode(memory, lattice, update, { publicSeed, round: inside, client }).values)
    }
    const released = release(memory, aggregate, new SeededNoise(1), { publicSeed, round: inside, simulation: true })
    assert.ok(Math.abs(released.within! - inside / cohort) <= 6 * noise / cohort)
    assert.equal(released.event, eventOf(lattice))
    assert.is((released.event as DiscreteGaussianEvent).dimension, 5)
  }
})

test('a round moves the clip norm by exp(-rate (share - quantile)), cut to its bounds', () => {
  const state = adaptiveClip({ clip: 1, smallest: 0.9, largest: 1.15 })
  assert.ok(Math.abs(nextClip(state, 0).clip - Math.exp(0.1)) < 1e-15)
  assert.ok(Math.abs(nextClip(state, 1).clip - Math.exp(-0.1)) < 1e-15)
  assert.is(nextClip(state, 0.5).clip, 1)
  assert.is(nextClip(state, -30).clip, nextClip(state, -1).clip, 'a wild share is cut')
  assert.is(nextClip(nextClip(state, 0), 0).clip, 1.15)
  assert.is(nextClip(nextClip(state, 1), 1).clip, 0.9)
  assert.throws(() => nextClip(state, NaN), /within/)
  assert.throws(() => adaptiveClip({ clip: 2 ** 50 }), /clip/)
  assert.ok(Object.isFrozen(nextClip(state, 0.3)))
})

test.run()
