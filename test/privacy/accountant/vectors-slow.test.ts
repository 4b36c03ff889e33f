// slow
/** The rows of the reference values that take seconds each: long runs, calibrations. */
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { calibrateNoise, rdpAccountant } from '../../../src/privacy/accountant/index.ts'
import { ADD, checks, isSlowRow, near, rowsOf } from '../../support/privacy-vectors.ts'

test('every published row within its tolerance: long runs and searches', () => {
  const rows = rowsOf('published_rows').filter(isSlowRow)
  assert.ok(rows.length >= 15)
  for (const row of rows) checks[row.mechanism](row)
})

test('σ for ε = 2: at most 5e-6 above the exact, never below; RDP within 1e-5', () => {
  for (const row of rowsOf('sigma_grid_eps2').filter((_, i) => i % 3 === 0)) {
    const question = { ...ADD, epsilon: row.epsilon, delta: row.delta, rounds: row.T, samplingRate: row.q }
    const got = calibrateNoise(question)
    assert.ok(got >= row.sigma_exact - 1e-7 && got <= row.sigma_exact + 5e-6, `${got} for ${row.sigma_exact}`)
    near(calibrateNoise({ ...question, accountant: rdpAccountant }), row.sigma_rdp, 1e-5, 'RDP')
  }
})

test.run()
