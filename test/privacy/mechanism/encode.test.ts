import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { Aggregate, chooseLattice, encode, release, type Lattice } from '../../../src/privacy/mechanism/index.ts'
import { SeededNoise } from '../../../src/privacy/mechanism/seeded-noise.ts'
import { rng } from '../../support/rng.ts'
import { scratch, seed } from './support.ts'

const memory = await scratch('simd')
const publicSeed = seed(9)
const code = (lattice: Lattice, update: Float32Array, client = 0, round = 0) =>
  encode(memory, lattice, update, { publicSeed, round, client })
const normOf = (v: Int32Array) => v.reduce((sum, x) => sum + x * x, 0)

/** Updates that are hard to clip. */
function* updates(dimension: number): Generator<[string, Float32Array]> {
  const random = rng(dimension)
  const of = (f: (i: number) => number) => Float32Array.from({ length: dimension }, (_, i) => f(i))
  yield ['zero', of(() => 0)]
  yield ['minus zero', of(() => -0)]
  yield ['the largest f32', of(() => 3.4028234663852886e38)]
  yield ['the smallest f32', of(() => 1e-45)]
  yield ['one huge among tiny', of((i) => (i === 0 ? 3e38 : 1e-40))]
  yield ['one-hot on the sphere', of((i) => (i === dimension - 1 ? 1 : 0))]
  yield ['all equal on the sphere', of(() => 1 / Math.sqrt(dimension))]
  yield ['all equal beyond', of(() => -5)]
  yield ['alternating', of((i) => (i & 1 ? 1 : -1))]
  for (let i = 0; i < 20; i++) yield [`random ${i}`, random.f32(dimension, 10 ** random.int(-8, 8))]
  for (const fraction of [0.5, 0.500001, 0.499999, 0.999999]) {
    yield [`all at ${fraction} of a step`, of(() => fraction * 2 ** -11)]
  }
}

for (const rotate of [false, true]) {
  for (const rounding of ['stochastic', 'nearest'] as const) {
    test(`${rounding}${rotate ? ', rotated' : ''}: whatever the update, its integer norm is within the bound`, () => {
      for (const dimension of [1, 2, 100, 1025]) {
        for (const quantile of [null, { noise: 2 }]) {
          const lattice = chooseLattice({
            clip: 1, cohort: 8, capacity: 80, dimension, noiseMultiplier: 1, rotate, rounding, quantile,
          })
          const aggregate = new Aggregate(memory, lattice)
          for (const [title, update] of updates(dimension)) {
            const { values } = code(lattice, update)
            assert.ok(normOf(values) <= lattice.clipInt ** 2, `${dimension} ${title}: ${normOf(values)}`)
            aggregate.add(values)
          }
        }
      }
    })
  }
}

test('rounding that lands outside is shortened: all coordinates just above half a step, to the nearest', () => {
  // 4096 coordinates of 0.51 steps have a norm of 32.6 steps and are rounded to one of 64
  const base = chooseLattice({ clip: 1, cohort: 1, dimension: 4096, noiseMultiplier: 1, rounding: 'nearest' })
  const tight: Lattice = { ...base, updateClipInt: 40, clipInt: 40 }
  const { values } = code(tight, new Float32Array(4096).fill(0.51 * base.step))
  assert.ok(normOf(values) <= 1600)
  const loose: Lattice = { ...tight, updateClipInt: 64 }
  assert.is(normOf(code(loose, new Float32Array(4096).fill(0.51 * base.step)).values), 4096)
})

test('honest updates on the sphere are not shortened: in 2,000 encodings the norm bound always had room', () => {
  const lattice = chooseLattice({ clip: 1, cohort: 100, dimension: 400, noiseMultiplier: 1 })
  const random = rng(2)
  const loose: Lattice = { ...lattice, updateClipInt: lattice.updateClipInt * 2 }
  for (let client = 0; client < 2000; client++) {
    const update = random.f32(400)
    assert.equal(code(lattice, update, client).values, code(loose, update, client).values)
  }
})

test('numbers that are not finite are refused, with the place, and so are other lengths and types', () => {
  const lattice = chooseLattice({ clip: 1, cohort: 1, dimension: 9, noiseMultiplier: 1 })
  for (const odd of [NaN, Infinity, -Infinity]) {
    assert.throws(() => code(lattice, new Float32Array(9).fill(odd, 7, 8)), new RegExp(`got ${odd} at 7`))
  }
  assert.throws(() => code(lattice, new Float32Array(8)), /expected 9 numbers, got 8/)
  assert.throws(() => code(lattice, [1] as never), TypeError)
  const short = { publicSeed: new Uint8Array(3), round: 0, client: 0 }
  assert.throws(() => encode(memory, lattice, new Float32Array(9), short), /32 bytes/)
  assert.throws(() => encode(memory, lattice, new Float32Array(9), { publicSeed, round: -1, client: 0 }), /round/)
})

test('encoding is a function of update, seed, round and client, and does not change the update', () => {
  const lattice = chooseLattice({ clip: 1, cohort: 1, dimension: 50, noiseMultiplier: 1 })
  const update = rng(1).f32(50), copy = update.slice()
  assert.equal(code(lattice, update, 3, 2), code(lattice, update, 3, 2))
  assert.equal(update, copy)
  assert.not.equal(code(lattice, update, 3, 2).values, code(lattice, update, 4, 2).values)
  assert.not.equal(code(lattice, update, 3, 2).values, code(lattice, update, 3, 3).values)
})

test('the norm is the one before clipping, and decides the count', () => {
  const lattice = chooseLattice({ clip: 5, cohort: 1, dimension: 2, noiseMultiplier: 1, quantile: { noise: 2 } })
  const inside = code(lattice, Float32Array.of(3, 4)), outside = code(lattice, Float32Array.of(6, 8))
  assert.is(inside.norm, 5)
  assert.is(outside.norm, 10)
  assert.is(inside.values[2], lattice.quantileInt)
  assert.is(outside.values[2], -lattice.quantileInt)
})

test('what is no contribution is refused: length, type, range, norm; so is all for a full or taken sum', () => {
  const lattice = chooseLattice({ clip: 1, cohort: 2, dimension: 4096, noiseMultiplier: 1, rotate: true })
  const aggregate = new Aggregate(memory, lattice)
  const one = (value: number) => Int32Array.from({ length: 4096 }, (_, i) => (i === 5 ? value : 0))
  assert.throws(() => aggregate.add(new Int32Array(4095)), RangeError)
  assert.throws(() => aggregate.add(new Float32Array(4096) as never), TypeError)
  assert.throws(() => aggregate.add(one(2 ** (lattice.modulusBits - 1))), /in size/)
  assert.throws(() => aggregate.add(one(-(2 ** 31))), /in size/)
  assert.throws(() => aggregate.add(new Int32Array(4096).fill(Math.ceil(lattice.clipInt / 64) + 1)), /L2 norm/)
  aggregate.add(one(1))
  aggregate.add(one(2))
  assert.throws(() => aggregate.add(one(3)), /at most 2 contributions/)
  assert.is(aggregate.take()[5], 3)
  assert.throws(() => aggregate.take(), /once/)
  assert.throws(() => aggregate.add(one(1)), /taken/)
})

test('sums do not depend on the order, and one that wraps around comes back', () => {
  const base = chooseLattice({ clip: 1, cohort: 4, dimension: 3, noiseMultiplier: 1 })
  const lattice: Lattice = { ...base, modulusBits: 8, clipInt: 500 }
  const values = [[100, -100, 3], [100, -120, 4], [-90, 110, 5], [-80, 100, 6]].map((v) => Int32Array.from(v))
  for (const order of [[0, 1, 2, 3], [3, 2, 1, 0], [1, 0, 3, 2], [2, 0, 3, 1]]) {
    const aggregate = new Aggregate(memory, lattice)
    for (const i of order) aggregate.add(values[i])
    assert.equal(aggregate.take(), Int32Array.of(30, -10, 18))
  }
})

test('rotated: 200 equal one-hot updates, the worst for a coordinate, never wrap; with five bits fewer they do', () => {
  const dimension = 1024, cohort = 200
  const lattice = chooseLattice({ clip: 1, cohort, dimension, noiseMultiplier: 0.5, rotate: true })
  const update = new Float32Array(dimension)
  update[17] = 1
  const off = (of: Lattice, round: number) => {
    const aggregate = new Aggregate(memory, of)
    for (let client = 0; client < cohort; client++) {
      aggregate.add(encode(memory, of, update, { publicSeed, round, client }).values)
    }
    const { mean } = release(memory, aggregate, new SeededNoise(round), { publicSeed, round, simulation: true })
    return Math.max(...mean.map((x, i) => Math.abs(x - update[i])))
  }
  // noise of the mean: 0.5 / 200, seven deviations
  for (let round = 0; round < 3; round++) assert.ok(off(lattice, round) < 7 * 0.5 / cohort)
  assert.ok(off({ ...lattice, modulusBits: lattice.modulusBits - 5 }, 0) > 0.1)
})

test.run()
