// slow
/** Published values of other libraries and independently computed exact ones; the slow ones are in vectors-slow. */
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import {
  fixedSizeSampled, gaussian, gaussianEpsilon, gaussianMu, pldAccountant, poissonGaussian, prvBounds,
  rdpAccountant, squareRootCoefficients, toeplitzSensitivitySquared, treeSensitivitySquared, truncatedPoisson, zcdp,
  zcdpAccountant,
} from '../../../src/privacy/accountant/index.ts'
import { log } from '../../../src/privacy/accountant/num/elementary.ts'
import { discretiseNormalPair, poissonPair } from '../../../src/privacy/accountant/pld/normal-pair.ts'
import { LossSum } from '../../../src/privacy/accountant/pld/tail.ts'
import { poissonGaussianRdp, poissonGaussianRdpAdd } from '../../../src/privacy/accountant/renyi.ts'
import { ADD, OPACUS_ORDERS, SUBSTITUTE, checks, isSlowRow, near, rowsOf, sampled } from '../../support/privacy-vectors.ts'

test('every published row within its tolerance, but for the slow ones', () => {
  const rows = rowsOf('published_rows')
  assert.ok(rows.length >= 80)
  for (const row of rows.filter((candidate) => !isSlowRow(candidate))) {
    const check = checks[row.mechanism]
    if (!check) assert.unreachable(`${row.id}: no check for "${row.mechanism}"`)
    check(row)
  }
})

test('reference rows: ε and δ at most 6e-6 and 1e-4 (relative) above the exact, never below; two-sided bounds hold', () => {
  for (const row of rowsOf('reference_rows')) {
    const { params: p, expect } = row
    const accountant = sampled(p)
    const { delta, epsilon } = expect.epsilon_at_delta
    const got = accountant.epsilon(delta)
    assert.ok(got >= epsilon && got <= epsilon + 6e-6, `${row.id}: ε ${got - epsilon}`)
    const tail = accountant.delta(2)
    assert.ok(tail >= expect.delta_at_eps_2 && tail <= expect.delta_at_eps_2 * (1 + 1e-4), `${row.id}: δ`)
    const bounds = prvBounds(accountant, delta)
    assert.ok(bounds.lower <= epsilon && epsilon <= bounds.upper, `${row.id}: bounds`)
    assert.ok(bounds.upper - bounds.lower < 0.025, `${row.id}: width`)
    near(rdpAccountant(ADD).compose(poissonGaussian({ noiseMultiplier: p.sigma, samplingRate: p.q }), p.T).epsilon(delta),
      row.accountants.rdp_epsilon, 1e-5, `${row.id}: RDP`)
  }
})

test('reference rows on a grid of 1e-4 and 1e-3 agree with the same rounding computed elsewhere', () => {
  for (const row of rowsOf('reference_rows').slice(0, 4)) {
    const { delta } = row.expect.epsilon_at_delta
    near(sampled(row.params, pldAccountant({ ...ADD, discretisation: 1e-3 })).epsilon(delta),
      row.accountants.pld_ctd_pessimistic_h1e3, 2e-4, `${row.id}: 1e-3`)
    near(sampled(row.params, pldAccountant({ ...ADD, discretisation: 1e-4 })).epsilon(delta),
      row.accountants.pld_ctd_pessimistic_h1e4, 3e-6, `${row.id}: 1e-4`)
  }
})

test('the add direction far below 1e-16: relative error 2 %', () => {
  for (const row of rowsOf('reference_rows')) {
    if (!(row.delta_add_direction > 0)) continue
    const { sigma, q, T } = row.params
    // Seen through the one-sided pair, whose forward direction is «add».
    const got = addDelta(sigma, q, T, 2)
    assert.ok(got >= row.delta_add_direction && got <= row.delta_add_direction * 1.02, `${row.id}: ${got}`)
  }
})

test('RDP at fractional and whole orders, both directions: relative error 1e-11', () => {
  for (const row of rowsOf('reference_rdp')) {
    const { q, sigma, order } = row.params
    const remove = Number(row.expect.rdp_remove)
    const add = Number(row.expect.rdp_add)
    near(poissonGaussianRdp(order, sigma, q), remove, 1e-11 * remove, row.id)
    near(poissonGaussianRdpAdd(order, sigma, q), add, 1e-11 * add, `${row.id} add`)
  }
})

test('analytic Gaussian: σ to 1e-13', () => {
  for (const row of rowsOf('analytic_gaussian')) {
    near(1 / gaussianMu(row.epsilon, row.delta), row.sigma, 1e-13 * row.sigma, `ε ${row.epsilon}, δ ${row.delta}`)
  }
})

test('zCDP: the conversion and the exact Gaussian value to 1e-9', () => {
  for (const row of rowsOf('zcdp')) {
    near(zcdpAccountant(ADD).compose(zcdp({ rho: row.rho })).epsilon(row.delta), row.eps_optimised_conversion, 1e-9, 'zcdp')
    near(gaussianEpsilon(Math.sqrt(2 * row.rho), row.delta), row.eps_exact_if_gaussian, 1e-9, 'gaussian')
    assert.ok(row.rho + 2 * Math.sqrt(-row.rho * log(row.delta)) - row.eps_closed_form_upper < 1e-9)
  }
})

test('Toeplitz and tree sensitivities: exact', () => {
  for (const row of rowsOf('toeplitz_min_sep')) {
    const most = row.max_part ?? Math.ceil(row.n / row.min_sep)
    const column = Float64Array.from({ length: row.n }, (_, k) => squareRootCoefficients(row.bands)[k] ?? 0)
    near(toeplitzSensitivitySquared(column, row.n, row.min_sep, most), row.sens_sq_bruteforce, 1e-12, JSON.stringify(row))
  }
  for (const row of rowsOf('tree_no_restart')) {
    assert.is(treeSensitivitySquared(row.steps, row.between + 1, row.max_participation), row.sens_sq, JSON.stringify(row))
  }
})

test('adjacency: Poisson and fixed-size sampling, add-remove and substitution, on a grid of 1e-3 to 1e-6', () => {
  for (const row of rowsOf('adjacency_comparison').slice(0, 2)) {
    const sampling = poissonGaussian({ noiseMultiplier: row.sigma, samplingRate: row.m / row.N })
    const fixed = fixedSizeSampled({ population: row.N, cohort: row.m, event: gaussian({ noiseMultiplier: row.sigma }) })
    const pld = { discretisation: 1e-3 }
    near(pldAccountant({ ...ADD, ...pld }).compose(sampling, row.T).epsilon(row.delta), row.pld_poisson_addremove, 1e-6, 'add-remove')
    near(pldAccountant({ ...SUBSTITUTE, ...pld }).compose(sampling, row.T).epsilon(row.delta), row.pld_poisson_substitution, 1e-6, 'substitute')
    near(pldAccountant({ ...SUBSTITUTE, ...pld }).compose(fixed, row.T).epsilon(row.delta), row.wor_substitution_pld_envelope_upper, 1e-6, 'fixed size')
    near(rdpAccountant({ ...SUBSTITUTE, orders: OPACUS_ORDERS }).compose(fixed, row.T).epsilon(row.delta), row.wor_substitution_rdp_corrected_2C, 1e-3, 'fixed size, RDP')
    near(rdpAccountant(ADD).compose(sampling, row.T).epsilon(row.delta), row.rdp_poisson_addremove, 1e-4, 'RDP')
  }
})

test('truncated Poisson sampling on a grid of 1e-3 to 1e-6', () => {
  for (const row of rowsOf('truncated_poisson')) {
    const event = truncatedPoisson({ population: row.N, samplingRate: row.q, cap: row.B, noiseMultiplier: row.sigma })
    const accountant = pldAccountant({ ...ADD, discretisation: 1e-3 })
    near(accountant.compose(event, row.T).epsilon(row.delta), row.epsilon, 1e-6, JSON.stringify(row))
    near(sampled({ sigma: row.sigma, q: row.q, T: row.T }, accountant).epsilon(row.delta), row.untruncated, 1e-6, 'untruncated')
  }
})

/** δ(ε) of the add direction alone, from the composed backward distribution. */
function addDelta(sigma: number, q: number, rounds: number, epsilon: number): number {
  const pair = discretiseNormalPair(poissonPair(sigma, q), 1e-4)
  return new LossSum([{ pmf: pair.backward, count: rounds }]).delta(epsilon).value
}

test.run()
