/**
 * Reference values of the privacy accountants and how to check a published row of each mechanism. The fixture holds facts
 * only; rows of the same file beside the repository, where there is one, are checked too.
 */
import { existsSync, readFileSync } from 'node:fs'
import * as assert from 'uvu/assert'
import {
  approximateDp, attackerTpr, auditOneRun, calibrateEvent, calibrateNoise, deltaFromRdp, discreteLaplace, epsilonFromRdp,
  exponential, gaussian, laplace, maxParticipationLinear, mixtureGaussian, noiseStream,
  optimalBlt, optimalComposition, pldAccountant, poissonGaussian, prvBounds, randomizedResponse, rdpAccountant, solveBudget,
  squareRootCoefficients, treeSensitivitySquared, tree,
  type Accountant,
} from '../../src/privacy/accountant/index.ts'
import { gaussianEpsilon } from '../../src/privacy/accountant/gaussian.ts'
import { exp, expm1 } from '../../src/privacy/accountant/num/elementary.ts'
import { normalQuantile } from '../../src/privacy/accountant/num/normal.ts'
import { discreteGaussianPmfs } from '../../src/privacy/accountant/pld/discretise.ts'
import { hockeyStick, poissonPair, poissonSubstitutePair } from '../../src/privacy/accountant/pld/normal-pair.ts'
import { atomsRdp, boundedRangeRdp } from '../../src/privacy/accountant/renyi-sampled.ts'
import { poissonGaussianRdp } from '../../src/privacy/accountant/renyi.ts'

// Rows are untyped facts; every use below names the field.
export type Row = any
const fixture: Record<string, Row[]> = JSON.parse(readFileSync('test/fixtures/dp-vectors.json', 'utf8'))
const beside = '../shared/data/dp-vectors.json'
const whole: Record<string, Row> = existsSync(beside) ? JSON.parse(readFileSync(beside, 'utf8')) : {}
/** Rows of a group. */
export const rowsOf = (group: string): Row[] => {
  const other = whole[group]?.rows ?? whole[group] ?? []
  const seen = new Set(fixture[group].map((row) => row.id ?? JSON.stringify(row)))
  return [...fixture[group], ...other.filter((row: Row) => !seen.has(row.id ?? JSON.stringify(row)))]
}

export const ADD = { unit: 'client', adjacency: 'add-remove' } as const
export const SUBSTITUTE = { unit: 'client', adjacency: 'substitute' } as const
export const OPACUS_ORDERS = [...Array.from({ length: 99 }, (_, i) => (11 + i) / 10), ...Array.from({ length: 52 }, (_, i) => 12 + i)]

/** |got - expected| <= bound. */
export function near(got: number, expected: number, bound: number, title: string): void {
  if (!(Math.abs(got - expected) <= bound)) assert.unreachable(`${title}: got ${got}, expected ${expected} within ${bound}`)
}

/** An accountant with the rounds of a row composed. */
export const sampled = (p: Row, accountant: Accountant = pldAccountant(ADD)): Accountant =>
  accountant.compose(poissonGaussian({ noiseMultiplier: p.sigma / (p.sensitivity ?? 1), samplingRate: p.q }), p.T)

/** The search whose end point the calibration rows state: halving from 20, until within 0.01 of the goal from below. */
function halvingSearch(goal: number, cost: (sigma: number) => number): number {
  let low = 0
  let high = 20
  let atHigh = cost(high)
  while (goal - atHigh > 0.01) {
    const middle = (low + high) / 2
    const value = cost(middle)
    if (value < goal) {
      high = middle
      atHigh = value
    } else low = middle
  }
  return high
}

/** The central-limit μ of sampled Gaussians (Bu et al. 2020); no guarantee, and so not in the library. */
const cltMu = (q: number, sigma: number, rounds: number): number => q * Math.sqrt(rounds * expm1(1 / (sigma * sigma)))

/** δ(ε) of one sampled Gaussian in the direction that the row names. */
function oneStep(p: Row, sigma: number): number {
  const scaled = sigma / (p.sensitivity ?? 1)
  const pair = p.adjacency === 'REPLACE' ? poissonSubstitutePair(scaled, p.q) : poissonPair(scaled, p.q)
  return hockeyStick(pair, p.epsilon, p.adjacency === 'ADD' ? 'backward' : 'forward')
}

function halve(low: number, high: number, tooLow: (x: number) => boolean): number {
  for (let i = 0; i < 80; i++) {
    const middle = (low + high) / 2
    if (tooLow(middle)) low = middle
    else high = middle
  }
  return high
}

/** Rows that take seconds: long runs, and searches over many of them. */
export const isSlowRow = (row: Row): boolean =>
  row.params.T >= 20000 || row.params.run !== undefined || ['mixture_of_gaussians', 'blt_optimal_max_error'].includes(row.mechanism) ||
  (row.expect.sigma !== undefined && row.params.T > 1)

/** How to check a published row, by its mechanism. */
export const checks: Record<string, (row: Row) => void> = {
  rdp_poisson_gaussian({ id, params: p, expect, exact }) {
    const got = p.T * poissonGaussianRdp(p.order, p.sigma, p.q)
    // Some published fractional orders are deliberately loose upper bounds: then only the exact value binds both ways.
    if (exact !== undefined) near(got, exact, 1e-9 * exact, `${id} exact`)
    if (exact === undefined || Math.abs(exact - expect.rdp) < 1e-4 * exact) near(got, expect.rdp, 1e-4 * expect.rdp, id)
    else assert.ok(got <= expect.rdp, id)
  },
  rdp_to_dp({ id, params: p, expect }) {
    const fine = /0\.001/.test(p.orders)
    const orders = fine ? Array.from({ length: 99000 - 1 }, (_, i) => (1001 + i) / 1000) : Array.from({ length: 31 }, (_, i) => 2 + i)
    const constant = /^([\d.]+) at every order$/.exec(p.rdp)
    const scaled = /^order\/\(2\*([\d.]+)\^2\)$/.exec(p.rdp)
    const rdp = orders.map((order) => constant ? Number(constant[1]) : order / (2 * Number((scaled as RegExpExecArray)[1]) ** 2))
    if (p.delta !== undefined) near(epsilonFromRdp(orders, rdp, p.delta).epsilon, expect.epsilon, 5e-8, id)
    else near(deltaFromRdp(orders, rdp, p.epsilon).delta, expect.delta, 5e-8, id)
    if (!fine) assert.is(epsilonFromRdp(orders, rdp, p.delta ?? 1e-5).order, 32)
  },
  tree_single_epoch({ id, params: p, expect }) {
    const event = tree({ noiseMultiplier: p.sigma, rounds: p.steps, minSeparation: p.steps })
    const got = rdpAccountant({ ...ADD, orders: OPACUS_ORDERS }).compose(event).epsilon(p.delta)
    assert.ok(got < expect.epsilon_upper, `${id}: ${got}`)
    // One participation is in 11 of the complete nodes of 1,600 leaves; the exact Gaussian value is the least possible.
    assert.ok(got > gaussianEpsilon(Math.sqrt(11) / p.sigma, p.delta), `${id}: ${got}`)
  },
  rdp_exponential_mechanism({ id, params: p, expect }) {
    near(boundedRangeRdp(p.order, p.epsilon), expect.rdp, 5e-8, id)
    assert.ok(rdpAccountant(ADD).supports(exponential({ epsilon: p.epsilon })))
  },
  rdp_randomized_response({ id, params: p, expect }) {
    const other = p.noise_parameter / p.buckets
    const truth = 1 - p.noise_parameter + other
    const atoms = p.adjacency === 'REPLACE_SPECIAL'
      ? [[truth, 1 / p.buckets], ...Array(p.buckets - 1).fill([other, 1 / p.buckets])]
      : [[truth, other], [other, truth], ...Array(p.buckets - 2).fill([other, other])]
    near(atomsRdp(p.order, atoms), expect.rdp, 1e-4 * expect.rdp, id)
    const adjacency = p.adjacency === 'REPLACE_SPECIAL' ? 'zero-out' : 'substitute'
    const event = randomizedResponse({ noiseParameter: p.noise_parameter, buckets: p.buckets })
    const accountant = rdpAccountant({ unit: 'user', adjacency, orders: [p.order] }).compose(event)
    near(accountant.epsilon(1e-5), epsilonFromRdp([p.order], [expect.rdp], 1e-5).epsilon, 1e-4, `${id} accountant`)
  },
  gaussian({ id, params: p, expect, exact }) {
    const sigma = typeof p.sigma === 'string' ? Math.sqrt(3) : p.sigma
    if (expect.sigma !== undefined) {
      const got = calibrateEvent({
        ...ADD, epsilon: p.epsilon, delta: p.delta, tolerance: 1e-10,
        events: (noise) => gaussian({ noiseMultiplier: noise / p.sensitivity }),
      })
      near(got, expect.sigma, 5e-8, id)
      return
    }
    const accountant = pldAccountant(ADD).compose(gaussian({ noiseMultiplier: sigma }), p.T)
    if (expect.delta !== undefined) {
      near(accountant.delta(p.epsilon), expect.delta, 1e-3, id)
      if (exact !== undefined) near(accountant.delta(p.epsilon), exact, 1e-11, `${id} exact`)
    } else if (expect.tpr !== undefined) near(attackerTpr(accountant, p.fpr), expect.tpr, 1e-3 * expect.tpr, id)
    else near(accountant.epsilon(p.delta), exact ?? expect.epsilon, 1e-3, id)
  },
  poisson_gaussian({ id, params: p, expect, exact }) {
    if (expect.delta !== undefined) {
      near(sampled(p).delta(p.epsilon), exact ?? expect.delta, 1e-3, id)
    } else if (expect.T_max !== undefined) {
      const answer = solveBudget({
        ...ADD, population: Math.round(1 / p.q), cohort: 1, delta: p.delta, noiseMultiplier: p.sigma, epsilon: p.epsilon,
      })
      assert.is(answer.rounds, expect.T_max, id)
    } else if (expect.epsilon_upper_prv !== undefined) {
      const bounds = prvBounds(sampled(p), p.delta, { epsilonError: 0.01, deltaError: p.delta / 1000 })
      near(bounds.upper, expect.epsilon_upper_prv, 5e-5, id)
      const got = sampled(p).epsilon(p.delta)
      if (exact !== undefined) {
        near(got, exact, 5e-5, `${id} exact`)
        assert.ok(got >= exact, `${id}: the reported ε is rounded up`)
        assert.ok(bounds.lower <= exact && exact <= bounds.upper, `${id}: bounds`)
      }
    } else if (expect.epsilon !== undefined && /^rdp/.test(p.accountant ?? '')) {
      near(sampled(p, rdpAccountant({ ...ADD, orders: OPACUS_ORDERS })).epsilon(p.delta), expect.epsilon, 5e-8, id)
    } else if (expect.epsilon !== undefined) {
      const got = sampled(p).epsilon(p.delta)
      near(got, expect.epsilon, 0.005 + 1e-5, id)
      if (exact !== undefined) {
        near(got, exact, 1e-5, `${id} exact`)
        assert.ok(got >= exact, `${id}: the reported ε is rounded up`)
      }
    } else if (p.run !== undefined) {
      const rounds = /epochs=(\d+)/.test(p.run) ? Math.floor(Number(/epochs=(\d+)/.exec(p.run)?.[1]) / p.q) : Number(/steps=(\d+)/.exec(p.run)?.[1])
      const cost = (sigma: number): number => {
        const q = { q: p.q, sigma, T: rounds }
        if (p.accountant === 'rdp') return sampled(q, rdpAccountant({ ...ADD, orders: OPACUS_ORDERS })).epsilon(p.delta)
        if (p.accountant === 'gdp') return gaussianEpsilon(cltMu(p.q, sigma, rounds), p.delta)
        return prvBounds(sampled(q), p.delta, { epsilonError: 0.01, deltaError: p.delta / 1000 }).upper
      }
      near(halvingSearch(p.epsilon, cost), expect.sigma, 5e-5, id)
    } else {
      // A row with several rounds was found with a grid of 1e-4, and is that much above the exact value.
      const noise = calibrateNoise({
        ...ADD, epsilon: p.epsilon, delta: p.delta, rounds: p.T, samplingRate: p.q, tolerance: 1e-9,
        accountant: (where) => pldAccountant({ ...where, discretisation: 1e-4 }),
      })
      near(p.sensitivity * noise, exact ?? expect.sigma, exact === undefined ? 5e-6 : 5e-8, id)
    }
  },
  laplace({ id, params: p, expect }) {
    if (expect.epsilon !== undefined) {
      let accountant = pldAccountant(ADD)
      for (const b of p.b) accountant = accountant.compose(laplace({ noiseMultiplier: b }))
      near(accountant.epsilon(p.delta), expect.epsilon, 1e-6, id)
      return
    }
    const got = p.sensitivity * calibrateEvent({
      ...ADD, epsilon: p.epsilon, delta: p.delta, tolerance: 1e-4,
      events: (noise) => ({ kind: 'self-composed', count: p.T, event: laplace({ noiseMultiplier: noise }) }),
    })
    near(got, expect.b, 0.1, id)
  },
  discrete_laplace({ id, params: p, expect }) {
    let accountant = pldAccountant(ADD)
    for (const a of p.a) accountant = accountant.compose(discreteLaplace({ parameter: a, sensitivity: p.sensitivity }))
    near(accountant.epsilon(p.delta), expect.epsilon, 1e-6, id)
  },
  mixture_of_gaussians({ id, params: p, expect }) {
    let accountant = pldAccountant({ ...ADD, discretisation: 5e-5 })
    for (const part of Object.values(p) as Row[]) {
      if (typeof part !== 'object') continue
      accountant = accountant.compose(
        mixtureGaussian({ noiseMultiplier: part.sigma, sensitivities: part.sens, probabilities: part.probs }), part.T)
    }
    near(accountant.epsilon(p.delta), expect.epsilon, 1e-6, id)
  },
  compose_dp({ id, params: p, expect }) {
    let accountant = pldAccountant(ADD)
    for (const [epsilon, delta] of p.events) accountant = accountant.compose(approximateDp({ epsilon, delta }))
    assert.is(accountant.epsilon(p.delta), expect.epsilon, id)
  },
  advanced_composition_KOV({ id, params: p, expect }) {
    near(optimalComposition(p.epsilon, p.delta, p.T, p.total_delta), expect.epsilon, 5e-8, id)
  },
  poisson_gaussian_one_step({ id, params: p, expect }) {
    if (expect.delta !== undefined) near(oneStep(p, p.sigma), expect.delta, 5e-8, id)
    else near(halve(1e-3, 1e3, (sigma) => oneStep(p, sigma) > p.delta), expect.sigma, 5e-4, id)
  },
  discrete_gaussian_one_step({ id, params: p, expect }) {
    const atoms = discreteGaussianPmfs(p.sigma, p.sensitivity, p.truncation, p.q)
    let delta = 0
    for (const [mixed, still] of atoms) {
      delta += Math.max(0, p.adjacency === 'ADD' ? still - exp(p.epsilon) * mixed : mixed - exp(p.epsilon) * still)
    }
    near(delta, expect.delta, 5e-8, id)
  },
  audit_one_run: (row) => checkAudit(row, 'dp'),
  audit_one_run_fdp: (row) => checkAudit(row, 'gaussian'),
  blt_optimal_max_error({ id, params: p, expect }) {
    const { strategy } = optimalBlt({ buffers: p.buffers, rounds: p.n, minSeparation: p.n, maxParticipations: p.participations })
    expect.params.output_scale.forEach((x: number, i: number) => near(strategy.outputScale[i], x, 1e-5 * x, id))
    expect.params.buf_decay.forEach((x: number, i: number) => near(strategy.bufferDecay[i], x, 1e-5 * x, id))
  },
  toeplitz_noising_coefs({ id, params: p, expect }) {
    const stream = noiseStream({ kind: 'banded', coefficients: squareRootCoefficients(p.n) }, 1)
    expect.coefs.forEach((x: number, t: number) => near(stream.next(Float64Array.of(t === 0 ? 1 : 0))[0], x, 1e-12, `${id}[${t}]`))
  },
  max_participation_linear({ id, params: p, expect }) {
    assert.is(maxParticipationLinear(p.x, p.min_sep, p.max_participations), expect.value, id)
  },
  tree_sum_sensitivity_sq({ id, params: p, expect }) {
    assert.is(treeSensitivitySquared(p.steps, 1, p.steps), expect.sensitivity_sq, id)
  },
}

function checkAudit({ id, params: p, expect }: Row, method: 'dp' | 'gaussian'): void {
  const quantiles = (text: string): number[] => {
    const shift = Number(/^N\(([\d.]+),/.exec(text)?.[1])
    return Array.from({ length: 10000 }, (_, i) => shift + normalQuantile((i + 0.5) / 10000))
  }
  const scores = { inside: quantiles(p.in_scores), outside: quantiles(p.out_scores) }
  const got = auditOneRun(scores, { significance: p.significance, delta: p.delta, method })
  near(got, expect.epsilon_lower, 1e-5 * expect.epsilon_lower, id)
}
