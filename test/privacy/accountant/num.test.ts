/** Elementary and special functions against 25-digit values (mpmath, in fixtures/privacy-num.json). */
import { readFileSync } from 'node:fs'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { asinh, exp, expm1, log, log1p, logAdd, logSubtract, powerOfTwo, sinh } from '../../../src/privacy/accountant/num/elementary.ts'
import { realForward, realInverse, multiplyByPower } from '../../../src/privacy/accountant/num/fft.ts'
import { logBinomial, logBinomialPmf, logBinomialUpperTail, logGamma } from '../../../src/privacy/accountant/num/gamma.ts'
import { erfcx, logNormalCdf, normalCdf, normalInterval, normalQuantile } from '../../../src/privacy/accountant/num/normal.ts'

const golden: Record<string, [number, string][]> = JSON.parse(readFileSync('test/fixtures/privacy-num.json', 'utf8'))

const buffer = new DataView(new ArrayBuffer(8))

/** Distance between neighbouring doubles at x. */
function ulp(x: number): number {
  buffer.setFloat64(0, Math.abs(x))
  buffer.setBigUint64(0, buffer.getBigUint64(0) + 1n)
  return buffer.getFloat64(0) - Math.abs(x)
}

/** Largest error in ulps over a golden table. The decimal string is rounded to double, which adds at most half an ulp. */
function worst(name: string, f: (x: number) => number): number {
  let most = 0
  for (const [x, text] of golden[name]) {
    const expected = Number(text)
    most = Math.max(most, f(x) === expected ? 0 : Math.abs(f(x) - expected) / ulp(expected))
  }
  return most
}

test('exp and log within 1 ulp, expm1, log1p, sinh and asinh within 3', () => {
  for (const [name, f, bound] of [
    ['exp', exp, 1], ['log', log, 1], ['expm1', expm1, 2], ['log1p', log1p, 2], ['sinh', sinh, 3], ['asinh', asinh, 3],
  ] as const) {
    const got = worst(name, f)
    assert.ok(got <= bound, `${name}: ${got} ulp`)
  }
})

test('erfcx within 8 ulp, Φ within 12, log Φ within 12, log Γ within 1e-14 · max(1, |log Γ|)', () => {
  for (const [name, f, bound] of [
    ['erfcx', erfcx, 8], ['normalCdf', normalCdf, 12], ['logNormalCdf', logNormalCdf, 12],
  ] as const) {
    const got = worst(name, f)
    assert.ok(got <= bound, `${name}: ${got} ulp`)
  }
  for (const [x, text] of golden.logGamma) {
    assert.ok(Math.abs(logGamma(x) - Number(text)) <= 1e-14 * Math.max(1, Math.abs(Number(text))), `logGamma(${x})`)
  }
})

test('ends of the range', () => {
  assert.is(exp(-746), 0)
  assert.is(exp(710), Infinity)
  assert.is(exp(0), 1)
  assert.is(expm1(-1000), -1)
  assert.is(log(0), -Infinity)
  assert.ok(Number.isNaN(log(-1)))
  assert.is(log(1), 0)
  assert.is(log1p(-1), -Infinity)
  assert.is(powerOfTwo(-1074), 5e-324)
  assert.is(powerOfTwo(1024), Infinity)
  assert.is(normalCdf(-Infinity), 0)
  assert.is(normalCdf(Infinity), 1)
  assert.is(logAdd(-Infinity, -Infinity), -Infinity)
  assert.is(logSubtract(1, 1), -Infinity)
})

test('Φ^-1 inverts Φ to 1e-14 in both tails; intervals keep their relative accuracy', () => {
  for (const p of [1e-300, 1e-100, 1e-10, 0.01, 0.3, 0.5, 0.7, 0.999]) {
    assert.ok(Math.abs(normalCdf(normalQuantile(p)) / p - 1) < 1e-14 * Math.max(1, -log(p)) * 20, String(p))
  }
  assert.is(normalQuantile(0), -Infinity)
  assert.is(normalInterval(30, 31), normalInterval(-31, -30))
  assert.ok(normalInterval(30, 31) > 0)
})

test('binomial terms and tails to 1e-11, also for a million trials', () => {
  for (const [n, k, p, pmf, tail] of golden.binomial as unknown as [number, number, number, string, string][]) {
    assert.ok(Math.abs(logBinomialPmf(k, n, p) - Number(pmf)) < 1e-11 * Math.max(1, Math.abs(Number(pmf))), `pmf ${n} ${k} ${p}`)
    assert.ok(Math.abs(logBinomialUpperTail(k, n, p) - Number(tail)) < 1e-11 * Math.max(1, Math.abs(Number(tail))), `tail ${n} ${k} ${p}`)
  }
  for (const [n, k, value] of [[5, 2, 10], [52, 5, 2598960], [200, 100, 9.05485146561033e58]] as const) {
    assert.ok(Math.abs(exp(logBinomial(n, k) - log(value)) - 1) < 1e-12, `${n} choose ${k}`)
  }
})

test('FFT: round trip to 1e-15 of the largest value, and the power of a spectrum is repeated convolution', () => {
  for (const n of [4, 8, 64, 4096]) {
    const data = Float64Array.from({ length: n }, (_, i) => ((i * 7919 + 13) % 101) / 101 - 0.3)
    const back = realInverse(realForward(data.slice()))
    for (let i = 0; i < n; i++) assert.ok(Math.abs(back[i] - data[i]) < 1e-15 * Math.log2(n), `${n}: ${i}`)
  }
  const coin = new Float64Array(32)
  coin[0] = 0.25
  coin[1] = 0.75
  const ones = Float64Array.from({ length: 34 }, (_, i) => 1 - (i % 2))
  multiplyByPower(ones, realForward(coin), 10)
  const binomial = realInverse(ones)
  for (let k = 0; k < 32; k++) {
    const expected = k > 10 ? 0 : exp(logBinomialPmf(k, 10, 0.75))
    assert.ok(Math.abs(binomial[k] - expected) < 1e-15, `${k}: ${binomial[k]} ${expected}`)
  }
})

test.run()
