import { test } from 'uvu'
import * as assert from 'uvu/assert'
import {
  Aggregate, SystemNoise, chooseLattice, encode, release, type LatticeOptions,
} from '../../../src/privacy/mechanism/index.ts'
import { SeededNoise } from '../../../src/privacy/mechanism/seeded-noise.ts'
import { rng } from '../../support/rng.ts'
import { scratch, seed } from './support.ts'

const memory = { simd: await scratch('simd'), scalar: await scratch('scalar') }
const publicSeed = seed(5)

function run(
  variant: 'simd' | 'scalar', options: LatticeOptions, updates: Float32Array[], noise: number,
  order = updates.map((_, i) => i),
) {
  const lattice = chooseLattice(options)
  const aggregate = new Aggregate(memory[variant], lattice)
  const values = updates.map((update, client) =>
    encode(memory[variant], lattice, update, { publicSeed, round: 4, client }).values)
  for (const i of order) aggregate.add(values[i])
  const source = new SeededNoise(noise)
  const released = release(memory[variant], aggregate, source, { publicSeed, round: 4, simulation: true })
  return { lattice, values, released }
}

const updatesOf = (count: number, dimension: number, scale: number) => {
  const random = rng(count * 1000 + dimension)
  return Array.from({ length: count }, () => random.f32(dimension, scale))
}

for (const rotate of [false, true]) {
  for (const rounding of ['stochastic', 'nearest'] as const) {
    const title = `${rounding}${rotate ? ', rotated' : ''}`

    test(`${title}: without noise the mean comes back within a step, plus f32 rounding`, () => {
      for (const dimension of [1, 5, 64, 1000]) {
        const updates = updatesOf(7, dimension, 0.5 / Math.sqrt(dimension))
        const options = { clip: 5, cohort: 7, dimension, noiseMultiplier: 0, rounding, rotate }
        const { lattice, released } = run('simd', options, updates, 1)
        const size = lattice.length
        // rotated: each coordinate is a signed sum of the errors of all, over sqrt(size)
        const bound = lattice.step * (rotate ? Math.sqrt(size) : 1) + 2e-5
        for (let i = 0; i < dimension; i++) {
          const mean = updates.reduce((sum, update) => sum + update[i], 0) / 7
          assert.ok(Math.abs(released.mean[i] - mean) <= bound, `${dimension}: ${released.mean[i]} for ${mean}`)
        }
        assert.equal(released.event, { kind: 'non-private' })
        assert.is(released.noise, 'none')
      }
    })

    test(`${title}: contributions and releases have the same bits in both builds, whatever the order`, () => {
      const dimension = 300
      const updates = updatesOf(9, dimension, 1)
      const options = { clip: 1, cohort: 9, dimension, noiseMultiplier: 0.8, rounding, rotate, quantile: { noise: 3 } }
      const a = run('simd', options, updates, 77), b = run('scalar', options, updates, 77, [8, 3, 0, 1, 7, 5, 6, 4, 2])
      a.values.forEach((values, i) => assert.equal(values, b.values[i]))
      assert.equal(a.released, b.released)
    })
  }
}

test('system noise: a release has the event of its lattice and differs from the next', () => {
  const options = { clip: 1, cohort: 3, dimension: 20, noiseMultiplier: 1 }
  const lattice = chooseLattice(options)
  const means = [0, 1].map(() => {
    const aggregate = new Aggregate(memory.simd, lattice)
    aggregate.add(encode(memory.simd, lattice, new Float32Array(20), { publicSeed, round: 0, client: 0 }).values)
    const source = new SystemNoise((bytes) => crypto.getRandomValues(bytes))
    const released = release(memory.simd, aggregate, source, { publicSeed, round: 0 })
    assert.is(released.noise, 'system')
    const { sigmaInt: sigma, clipInt: sensitivity } = lattice
    assert.equal(released.event, { kind: 'discrete-gaussian', sigma, sensitivity, dimension: 20 })
    return Array.from(released.mean)
  })
  assert.not.equal(means[0], means[1])
})

test.run()
