import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { ceilDivide, ceilRoot, quotientBelow } from '../../../src/privacy/mechanism/exact.ts'
import {
  chooseLattice, clipForRank, quantileNoise, type ClipRule, type LatticeOptions,
} from '../../../src/privacy/mechanism/index.ts'
import { rng } from '../../support/rng.ts'

const power = (x: number) => Number.isInteger(Math.log2(x))

/** Sizes from a browser's toy to a phone fleet's. */
function* options(): Generator<LatticeOptions> {
  for (const clip of [1e-6, 0.3, 1, 7e4]) {
    for (const cohort of [1, 50, 5000]) {
      for (const dimension of [1, 100, 37_000, 1_000_000]) {
        for (const noiseMultiplier of [0.3, 1, 4]) {
          for (const rotate of [false, true]) yield { clip, cohort, dimension, noiseMultiplier, rotate }
        }
      }
    }
  }
}

test('the lattice adds less than 1 % to the variance: rounding of every client, wider clip, whole sigma', () => {
  for (const asked of options()) {
    const lattice = chooseLattice(asked)
    const ideal = (asked.noiseMultiplier * asked.clip) ** 2
    const actual = lattice.step ** 2 * (lattice.sigmaInt ** 2 + asked.cohort / 4)
    assert.ok(actual / ideal - 1 < 0.01, JSON.stringify(lattice))
    assert.ok(Math.abs(lattice.roundingVarianceShare! - (actual / ideal - 1)) < 1e-9)
    assert.ok(lattice.sigmaInt >= 256 && Object.isFrozen(lattice) && power(lattice.step))
  }
})

test('the noise is never below what was asked: sigma / clip >= noise multiplier, exactly', () => {
  for (const asked of options()) {
    const { sigmaInt, clipInt, achievedNoiseMultiplier } = chooseLattice(asked)
    assert.ok(achievedNoiseMultiplier >= asked.noiseMultiplier)
    assert.ok(quotientBelow(sigmaInt, clipInt) === achievedNoiseMultiplier)
  }
})

test('the step is the coarsest: doubled, the share would pass 1 % or sigma fall below 256', () => {
  for (const asked of options()) {
    const lattice = chooseLattice(asked)
    const scaled = asked.clip / (2 * lattice.step), d = lattice.length
    const clipInt = Math.ceil(Math.sqrt(scaled ** 2 + d / 4 + 6 * (scaled + Math.sqrt(d) / 2)))
    const sigma = Math.ceil(asked.noiseMultiplier * clipInt), ideal = (asked.noiseMultiplier * scaled) ** 2
    assert.ok(sigma < 257 || (sigma ** 2 + asked.cohort / 4) / ideal - 1 > 0.0099)
  }
})

test('without rotation no sum of capacity clients can wrap around before 10 sigma of noise', () => {
  for (const asked of options()) {
    if (asked.rotate) continue
    const lattice = chooseLattice({ ...asked, capacity: asked.cohort * 2 })
    const room = 2 ** (lattice.modulusBits - 1) - 1
    assert.ok(room >= 2 * asked.cohort * lattice.updateClipInt + 9.5 * lattice.sigmaInt)
    const most = 2 * asked.cohort * lattice.updateClipInt + 11.5 * lattice.sigmaInt + 2
    assert.ok(room < 2 * most, 'and no bit is wasted')
  }
})

test('rotation saves bits for large cohorts and never costs more than one', () => {
  for (const asked of options()) {
    if (!asked.rotate) continue
    const plain = chooseLattice({ ...asked, rotate: false }).modulusBits, rotated = chooseLattice(asked).modulusBits
    assert.ok(rotated <= plain + 1)
    if (asked.cohort === 5000 && asked.dimension === 1_000_000) assert.ok(rotated <= plain - 4, `${rotated}, ${plain}`)
  }
})

test('nearest rounding counts errors that point the same way', () => {
  const lattice = chooseLattice({ clip: 1, cohort: 1000, dimension: 100, noiseMultiplier: 1, rounding: 'nearest' })
  assert.ok((lattice.step * 1000 / 2) ** 2 < 0.01)
})

test('update and count share as Andrew et al. say: z^-2 = z_update^-2 + (2 noise)^-2, within 1 %', () => {
  for (const [z, cohort] of [[0.6, 50], [1, 100], [1, 5000], [2, 200]]) {
    const noise = quantileNoise(cohort, z)
    const lattice = chooseLattice({ clip: 1, cohort, dimension: 1000, noiseMultiplier: z, quantile: { noise } })
    const update = lattice.sigmaInt / lattice.updateClipInt, count = lattice.sigmaInt / lattice.quantileInt / 2
    assert.ok(Math.abs(count / noise - 1) < 0.06, `${count} for ${noise}: the coordinate is a whole number`)
    assert.ok(Math.abs((update ** -2 + (2 * count) ** -2) ** -0.5 / z - 1) < 0.01)
    assert.ok(lattice.updateClipInt ** 2 + lattice.quantileInt ** 2 <= lattice.clipInt ** 2)
    assert.ok(lattice.roundingVarianceShare! < 0.01)
    assert.is(lattice.length, 1001)
  }
})

test('without noise there is a lattice, and it says that it has none', () => {
  const lattice = chooseLattice({ clip: 1, cohort: 10, dimension: 100, noiseMultiplier: 0 })
  assert.is(lattice.sigmaInt, 0)
  assert.is(lattice.achievedNoiseMultiplier, 0)
  assert.is(lattice.roundingVarianceShare, null)
})

test('what fits no lattice is refused, with what to change', () => {
  const ok = { clip: 1, cohort: 10, dimension: 100, noiseMultiplier: 1 }
  const refuses = (change: object, words: RegExp) => assert.throws(() => chooseLattice({ ...ok, ...change }), words)
  refuses({ cohort: 2 ** 24, noiseMultiplier: 4 }, /set rotate/)
  refuses({ cohort: 2 ** 28, noiseMultiplier: 0.001 }, /at most 2\^24/)
  refuses({ quantile: { noise: 0.5 } }, /above noiseMultiplier \/ 2/)
  refuses({ quantile: { noise: 5, target: 1 } }, /unknown option/)
  refuses({ capacity: 9 }, /capacity/)
  for (const clip of [0, -1, NaN, Infinity]) refuses({ clip }, /clip/)
  refuses({ noiseMultiplier: -1 }, /noiseMultiplier/)
  refuses({ dimension: 0 }, /dimension/)
  refuses({ rounding: 'up' }, /rounding/)
  refuses({ seed: 1 }, /unknown option/)
})

test('quotientBelow is the greatest f64 that is at most a / b, checked in integers', () => {
  const random = rng(4)
  for (let i = 0; i < 2000; i++) {
    const a = random.int(1, 2 ** 24), b = random.int(1, 2 ** 24), q = quotientBelow(a, b)
    // q = m 2^-s exactly
    const compare = (x: number) => {
      let s = 0
      while (!Number.isInteger(x)) { x *= 2; s++ }
      return BigInt(x) * BigInt(b) - (BigInt(a) << BigInt(s))
    }
    assert.ok(compare(q) <= 0n && compare(q * (1 + 2 ** -52)) > 0n)
  }
})

test('ceilRoot and ceilDivide round up, by the least that does', () => {
  const random = rng(9)
  for (let i = 0; i < 2000; i++) {
    const x = random.int(0, 2 ** random.int(1, 52)), r = ceilRoot(x)
    assert.ok(r * r >= x && (r === 0 || (r - 1) * (r - 1) < x))
    const b = random.int(1, 2 ** 20), z = random.uniform() * 8 + 0.01, k = ceilDivide(z, b)
    assert.ok(quotientBelow(k, b) >= z && (k - 1) / b < z)
  }
  assert.is(ceilDivide(1, 1027), 1027)
})

test('clip rules: the clip of a rank prefix is the public function they say', () => {
  const at = (rule: ClipRule, rank: number) => clipForRank({ clip: 2, rule, rank, maxRank: 16 })
  assert.equal([at('flat', 4), at('inverse-sqrt', 4), at('inverse', 4), at('sqrt', 4)], [2, 4, 8, 1])
  for (const rule of ['flat', 'inverse-sqrt', 'inverse', 'sqrt'] as const) assert.is(at(rule, 16), 2)
  assert.throws(() => at('flat', 17), /rank/)
  assert.throws(() => at('cubic' as ClipRule, 1), /rule/)
})

test.run()
