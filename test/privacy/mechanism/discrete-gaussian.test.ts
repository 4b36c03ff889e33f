import { createHash } from 'node:crypto'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { SeededNoise } from '../../../src/privacy/mechanism/seeded-noise.ts'
import { within } from '../../../src/privacy/mechanism/scratch.ts'
import { scratch } from './support.ts'
import { chiSquareAbove, chiSquareBelow, implausible } from './statistics.ts'

// each check errs with chance at most 1e-6 over the choice of the key; keys are fixed, so a check errs always or never
const X = Math.log(1e6)
const memory = { simd: await scratch('simd'), scalar: await scratch('scalar') }

function draw(count: number, sigma: number, key: number, variant: 'simd' | 'scalar' = 'simd'): Int32Array {
  return within(memory[variant], 4 * count, (frame) => {
    const out = frame.alloc(count * 4)
    const stream = new SeededNoise(key).open(frame, { purpose: 'noise', round: 0 })
    frame.kernels.discrete_gaussian_fill(out, count, sigma, stream)
    return frame.i32(out, count)
  })
}

/** P[y] for |y| <= 40 sigma, to f64 rounding; index y + 40 sigma. */
function exactPmf(sigma: number): Float64Array {
  const reach = 40 * sigma
  const weight = (y: number) => Math.exp(-y * y / (2 * sigma * sigma))
  const pmf = Float64Array.from({ length: 2 * reach + 1 }, (_, i) => weight(i - reach))
  const total = pmf.reduce((sum, p) => sum + p, 0)
  return pmf.map((p) => p / total)
}

/** Chi-square of draws against P[y] of `sigma`, values in cells of at least 25 expected draws. */
function chiSquare(draws: Int32Array, sigma: number): { statistic: number, degrees: number } {
  const pmf = exactPmf(sigma), reach = 40 * sigma
  const counts = new Float64Array(pmf.length)
  for (const y of draws) counts[Math.min(pmf.length - 1, Math.max(0, y + reach))]++
  let statistic = 0, cells = 0, expected = 0, seen = 0, left = draws.length
  for (let i = 0; i < pmf.length; i++) {
    expected += pmf[i] * draws.length
    seen += counts[i]
    left -= pmf[i] * draws.length
    if ((expected >= 25 && left >= 25) || i === pmf.length - 1) {
      statistic += (seen - expected) ** 2 / expected
      cells++
      expected = 0
      seen = 0
    }
  }
  return { statistic, degrees: cells - 1 }
}

for (const sigma of [1, 2, 3, 8, 50, 1000]) {
  test(`chi-square of 1,000,000 draws at sigma ${sigma}: neither too large nor too small, alpha 1e-6 each`, () => {
    const { statistic, degrees } = chiSquare(draw(1_000_000, sigma, 100 + sigma), sigma)
    assert.ok(statistic <= chiSquareAbove(degrees, X), `${statistic} on ${degrees}`)
    assert.ok(statistic >= chiSquareBelow(degrees, X), `${statistic} on ${degrees}`)
  })
}

test('power: 2,000,000 draws at sigma 80 are rejected as draws at sigma 81', () => {
  // expected excess n 2 (1 / 81)^2 = 610 on about 700 degrees; needed: 225
  const { statistic, degrees } = chiSquare(draw(2_000_000, 80, 108), 81)
  assert.ok(statistic > chiSquareAbove(degrees, X), `${statistic} on ${degrees}`)
})

test('at sigma 2^24, 400,000 draws fill cells of an eighth of sigma as the normal law, alpha 1e-6 each way', () => {
  // a cell of 2^21 integers: sum against integral differ by less than 1e-14 relative
  const sigma = 2 ** 24, width = sigma / 8, cells = 64, n = 400_000
  const counts = new Float64Array(cells)
  for (const y of draw(n, sigma, 7)) counts[Math.min(cells - 1, Math.max(0, Math.floor(y / width + cells / 2)))]++
  const density = (x: number) => Math.exp(-x * x / 2) / Math.sqrt(2 * Math.PI)
  const mass = (i: number) => { // Simpson, 10 intervals: error below 1e-10
    let sum = 0
    const from = (i - cells / 2) / 8, h = 1 / 80
    for (let j = 0; j <= 10; j++) sum += (j % 10 === 0 ? 1 : j & 1 ? 4 : 2) * density(from + j * h)
    return sum * h / 3
  }
  let statistic = 0, used = 0, expected = 0, seen = 0, left = n
  for (let i = 0; i < cells; i++) {
    expected += mass(i) * n
    left -= mass(i) * n
    seen += counts[i]
    if ((expected >= 25 && left >= 25) || i === cells - 1) {
      statistic += (seen - expected) ** 2 / expected
      used++
      expected = 0
      seen = 0
    }
  }
  const degrees = used - 1
  assert.ok(statistic <= chiSquareAbove(degrees, X), `${statistic} on ${degrees}`)
  assert.ok(statistic >= chiSquareBelow(degrees, X), `${statistic} on ${degrees}`)
})

for (const sigma of [1, 8, 50]) {
  test(`tails of 2,000,000 draws at sigma ${sigma}, beyond 2 to 5 sigma, are as the exact law says, alpha 1e-6`, () => {
    const draws = draw(2_000_000, sigma, 200 + sigma), pmf = exactPmf(sigma)
    for (const t of [2, 3, 4, 4.5, 5]) {
      for (const side of [1, -1]) {
        const chance = pmf.reduce((sum, p, i) => sum + ((i - 40 * sigma) * side >= t * sigma ? p : 0), 0)
        const count = draws.reduce((sum, y) => sum + (y * side >= t * sigma ? 1 : 0), 0)
        const title = `${count} beyond ${t * side} sigma, expected ${chance * draws.length}`
        assert.not.ok(implausible(count, draws.length, chance, 1e-6), title)
      }
    }
  })

  test(`mean, variance, correlation of 2,000,000 draws at sigma ${sigma} within 5 deviations (6e-7)`, () => {
    const draws = draw(2_000_000, sigma, 300 + sigma), n = draws.length
    const exact = exactPmf(sigma).reduce((sum, p, i) => sum + p * (i - 40 * sigma) ** 2, 0)
    let sum = 0, squares = 0, products = 0
    for (let i = 0; i < n; i++) {
      sum += draws[i]
      squares += draws[i] * draws[i]
      if (i > 0) products += draws[i] * draws[i - 1]
    }
    assert.ok(Math.abs(sum / n) <= 5 * sigma / Math.sqrt(n), `mean ${sum / n}`)
    // kurtosis 3, also of the discrete law to 1e-6: the variance of y^2 is 2 sigma^4
    assert.ok(Math.abs(squares / n / exact - 1) <= 5 * Math.sqrt(2 / n), `variance ${squares / n} for ${exact}`)
    assert.ok(Math.abs(products / n / exact) <= 5 / Math.sqrt(n), `correlation ${products / n / exact}`)
  })
}

const golden: Record<number, string> = {
  1: '9e969c76bf99d25bc07a6de8977d6e51',
  8: '3e6149fd16d94fdc436ffb5858675a7a',
  1000: '29939fa303cb2bc3a8c0b3dc15465943',
  16777215: 'dc7fcd393e0350baba768fc01caf320e',
  16777216: '9b24d43871015cb1866b173ca4b0030b',
}

for (const variant of ['simd', 'scalar'] as const) {
  for (const [sigma, expected] of Object.entries(golden)) {
    test(`${variant}: 20,000 draws at sigma ${sigma} have the golden hash`, () => {
      const draws = draw(20_000, Number(sigma), 1, variant)
      assert.is(createHash('sha256').update(draws).digest('hex').slice(0, 32), expected)
    })
  }
}

test('noise is added modulo 2^32; sigma 0 adds nothing', () => {
  const sum = Int32Array.of(0x7fff_fff0, -0x7fff_fff0, 5)
  const noised = (sigma: number) => within(memory.simd, 12, (frame) => {
    const at = frame.put(sum)
    frame.kernels.discrete_gaussian_add(at, 3, sigma, new SeededNoise(9).open(frame, { purpose: 'noise', round: 0 }))
    return frame.i32(at, 3)
  })
  assert.equal(noised(0), sum)
  assert.equal(noised(1000), draw(3, 1000, 9).map((y, i) => (y + sum[i]) | 0))
})

test.run()
