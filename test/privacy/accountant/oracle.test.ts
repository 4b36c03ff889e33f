// slow
/**
 * An independent oracle: δ(ε) of composed Poisson-sampled Gaussians as a contour integral of the moment-generating function
 * of the privacy loss, δ(ε) = 1/(2πi) ∫ M(z)^T e^(-zε) / (z (z + 1)) dz along Re z = c > 0, with M(z) = E_Q[(P/Q)^(z+1)].
 * It shares nothing with the accountants: no grid of losses, no FFT, no own exponentials.
 */
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { pldAccountant, poissonGaussian, prvBounds, rdpAccountant } from '../../../src/privacy/accountant/index.ts'
import { discretiseNormalPair, poissonPair } from '../../../src/privacy/accountant/pld/normal-pair.ts'
import { LossSum } from '../../../src/privacy/accountant/pld/tail.ts'
import { near, rowsOf } from '../../support/privacy-vectors.ts'
import { rng } from '../../support/rng.ts'

const ADD = { unit: 'client', adjacency: 'add-remove' } as const

/** δ of one direction by trapezoid sums in x and in y, both of which converge geometrically. */
function oracle(sigma: number, q: number, rounds: number, epsilon: number, direction: 'remove' | 'add'): number {
  const variance = sigma * sigma
  /** Nodes and weights of N(0, σ²), and ln r at each; `to` is as far as r^(z+1) pulls the mass. */
  const nodes = (step: number, to: number): { weight: Float64Array, loss: Float64Array } => {
    const count = Math.ceil((to + 26 * sigma) / step)
    const weight = new Float64Array(count)
    const loss = new Float64Array(count)
    for (let i = 0; i < count; i++) {
      const x = -13 * sigma + i * step
      weight[i] = step * Math.exp(-x * x / (2 * variance)) / (sigma * Math.sqrt(2 * Math.PI))
      loss[i] = Math.log1p(q * Math.expm1((2 * x - 1) / (2 * variance)))
    }
    return { weight, loss }
  }
  const power = (z: number): number => direction === 'remove' ? z + 1 : -z
  const logM = (grid: ReturnType<typeof nodes>, c: number): number => {
    let sum = 0
    for (let i = 0; i < grid.weight.length; i++) sum += grid.weight[i] * Math.exp(power(c) * grid.loss[i])
    return Math.log(sum)
  }
  // The saddle of T ln M(c) - c ε, roughly; any c > 0 gives the same integral.
  let best = Infinity
  let c = 1
  for (let trial = 0.5; trial < 40; trial *= 1.15) {
    const value = rounds * logM(nodes(sigma / 6, trial + 1), trial) - trial * epsilon
    if (value < best) {
      best = value
      c = trial
    }
  }
  const curvature = (logM(nodes(sigma / 6, c + 2), c + 0.01) + logM(nodes(sigma / 6, c + 2), c - 0.01) -
    2 * logM(nodes(sigma / 6, c + 2), c)) / 1e-4
  const reach = 14 / Math.sqrt(rounds * curvature)
  // The mesh in x must resolve the phase y x/σ² at the largest y.
  const grid = nodes(Math.min(sigma / 6, variance / (2 * reach)), c + 1)
  const step = Math.min(0.1, reach / 60)
  let integral = 0
  for (let k = 0; k * step < 3 * reach; k++) {
    const y = k * step
    let re = 0
    let im = 0
    for (let i = 0; i < grid.weight.length; i++) {
      const size = grid.weight[i] * Math.exp(power(c) * grid.loss[i])
      const angle = (direction === 'remove' ? y : -y) * grid.loss[i]
      re += size * Math.cos(angle)
      im += size * Math.sin(angle)
    }
    const size = rounds * 0.5 * Math.log(re * re + im * im) - c * epsilon
    const angle = rounds * Math.atan2(im, re) - y * epsilon
    // Divided by z (z + 1) with z = c + iy.
    const bottomRe = c * (c + 1) - y * y
    const bottomIm = y * (2 * c + 1)
    const value = Math.exp(size) * (Math.cos(angle) * bottomRe + Math.sin(angle) * bottomIm) / (bottomRe * bottomRe + bottomIm * bottomIm)
    integral += (k === 0 ? 0.5 : 1) * value
    if (size < best - 40) break
  }
  return integral * step / Math.PI
}

test('the oracle agrees with the stored exact values to 1e-8', () => {
  for (const row of rowsOf('reference_rows').filter(({ params }) => params.q === 0.01)) {
    const { sigma, q, T } = row.params
    near(oracle(sigma, q, T, 2, 'remove') / row.expect.delta_at_eps_2, 1, 1e-8, row.id)
    if (row.delta_add_direction > 1e-12) near(oracle(sigma, q, T, 2, 'add') / row.delta_add_direction, 1, 1e-6, `${row.id} add`)
  }
})

test('the default accountant is at most 6e-6 in ε above the oracle, never below, and its δ in both directions above it, at 6 random settings', () => {
  const { uniform: next } = rng(20240607)
  for (let i = 0; i < 6; i++) {
    const sigma = 1 + 2 * next()
    const q = 10 ** (-2 + 1.4 * next())
    const rounds = Math.ceil(10 ** (2.3 + next()))
    const title = `σ ${sigma}, q ${q}, T ${rounds}`
    const accountant = pldAccountant(ADD).compose(poissonGaussian({ noiseMultiplier: sigma, samplingRate: q }), rounds)
    const epsilon = accountant.epsilon(1e-6)
    const exact = oracle(sigma, q, rounds, epsilon, 'remove')
    assert.ok(exact <= 1e-6, `${title}: ${exact}`)
    assert.ok(oracle(sigma, q, rounds, epsilon - 6e-6, 'remove') > 1e-6, `${title}: not tight`)
    const delta = accountant.delta(epsilon)
    assert.ok(delta >= exact * (1 - 1e-9) && delta <= exact * 1.001, `${title}: ${delta} ${exact}`)
    const bounds = prvBounds(accountant, 1e-6)
    assert.ok(oracle(sigma, q, rounds, bounds.lower, 'remove') >= 1e-6 || bounds.lower === 0, `${title}: lower`)
    assert.ok(oracle(sigma, q, rounds, bounds.upper, 'remove') <= 1e-6, `${title}: upper`)
    assert.ok(rdpAccountant(ADD).compose(poissonGaussian({ noiseMultiplier: sigma, samplingRate: q }), rounds).epsilon(1e-6) >= epsilon - 6e-6)
    // The add direction has no loss above -T ln(1 - q).
    const small = Math.min(0.5 * epsilon, -0.5 * rounds * Math.log1p(-q))
    const other = oracle(sigma, q, rounds, small, 'add')
    const pair = discretiseNormalPair(poissonPair(sigma, q), 2e-4)
    const got = new LossSum([{ pmf: pair.backward, count: rounds }]).delta(small).value
    if (other > 1e-10) assert.ok(got >= other * (1 - 1e-6) && got <= other * 1.01, `${title}: add ${got} ${other}`)
  }
})

test.run()
