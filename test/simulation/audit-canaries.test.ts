/**
 * One-run audit of simulated training: canaries through the same encoding, sum, noise and release as everybody. Seeded:
 * the numbers are the same in every run, so that nothing here flakes.
 */
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { calibrateNoise } from '../../src/privacy/accountant/index.ts'
import { node } from '../../src/runtime/node.ts'
import { auditTraining } from '../../src/simulation/audit/canaries.ts'
import type { CanaryAuditOptions } from '../../src/simulation/audit/canaries.ts'
import type { SimulationOptions } from '../../src/simulation/options.ts'
import { rejects } from '../support/rejects.ts'
import { people, TOPICS } from '../support/topics.ts'

const ROUNDS = 4, CLIENTS = 24, DELTA = 1e-5
const promise = { unit: 'client', adjacency: 'add-remove', delta: DELTA } as const

/** Everybody takes part in every round, unless `cohort` says otherwise. */
function audit(noiseMultiplier: number, changes: Partial<SimulationOptions> = {}, more: Partial<CanaryAuditOptions> = {}) {
  return auditTraining({
    simulation: {
      host: node(), threads: 1, seed: 3,
      task: { model: 'test/fixtures/tiny-bert', labels: Object.keys(TOPICS), lora: { rank: 4, alpha: 8, sites: ['query', 'value'], seed: 7 } },
      method: { kind: 'dylora' }, clients: people(CLIENTS, 0, 1), test: people(8, 0, 2).flatMap(({ examples }) => examples),
      rounds: ROUNDS, cohort: CLIENTS, local: { epochs: 1, batchSize: 2, learningRate: 0.1 }, server: { optimizer: 'adam', learningRate: 0.02 },
      privacy: { ...promise, noiseMultiplier, population: CLIENTS, clip: 0.3 },
      ...changes,
    },
    canaries: 300, ...more,
  })
}

const noise = calibrateNoise({ ...promise, epsilon: 2, rounds: ROUNDS, samplingRate: 1 })
const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length

test('training at ε = 2 is not refuted at 95 %, and the audit sees its canaries: both bounds are between 0.1 and the claim', async () => {
  const { claimed, atLeast, refuted, inside, outside, scores, rounds, population } = await audit(noise)
  assert.ok(claimed.epsilon <= 2 && claimed.epsilon > 1.98, String(claimed.epsilon))
  assert.is(claimed.delta, DELTA)
  for (const bound of [atLeast.dp, atLeast.gaussian]) assert.ok(bound > 0.1 && bound <= claimed.epsilon, JSON.stringify(atLeast))
  assert.not(refuted)
  assert.equal([inside + outside, rounds, population], [300, ROUNDS, CLIENTS + 300])
  // noise of a score: sqrt(rounds) z over rounds; the canaries' own overlap adds little. Four standard errors
  const error = 4 * Math.sqrt((noise * noise / ROUNDS + 0.2) * (1 / inside + 1 / outside))
  assert.ok(Math.abs(mean(scores.inside) - mean(scores.outside) - 1) < error, `${mean(scores.inside)} and ${mean(scores.outside)}`)
})

test('a tenth of the noise that is claimed is refuted, by both bounds', async () => {
  const { claimed, atLeast, refuted } = await audit(noise / 10, {}, { claim: { epsilon: 2, delta: DELTA } })
  assert.is(claimed.epsilon, 2)
  assert.ok(refuted)
  assert.ok(atLeast.dp > 2.5 && atLeast.gaussian > 2.5, JSON.stringify(atLeast))
})

test('what the noise then really costs is not refuted', async () => {
  const { claimed, atLeast, refuted } = await audit(noise / 10)
  assert.ok(claimed.epsilon > 20)
  assert.ok(atLeast.dp < claimed.epsilon && atLeast.gaussian < claimed.epsilon && !refuted)
})

test('with sampling and an adaptive clip norm the claim stands', async () => {
  const { claimed, atLeast, cohort, population } = await audit(1.2, {
    cohort: 6, privacy: { ...promise, noiseMultiplier: 1.2, population: CLIENTS, clip: 0.3, adaptiveClip: {} },
  })
  assert.equal([cohort, population], [81, CLIENTS + 300])
  assert.ok(atLeast.dp <= claimed.epsilon, `${atLeast.dp} against ${claimed.epsilon}`)
})

test('the same seed gives the same scores, another seed others', async () => {
  const [a, b, c] = [await audit(noise), await audit(noise), await audit(noise, { seed: 4 })]
  assert.equal(a.scores, b.scores)
  assert.not.equal(a.scores, c.scores)
  assert.ok(!c.refuted)
})

test('what cannot be audited is refused', async () => {
  const { privacy: _, ...open } = { privacy: undefined }
  await rejects(audit(1, { ...open, privacy: undefined as never }), /"simulation\.privacy" expected settings, got none/)
  await rejects(audit(1, {}, { canaries: 2 }), /"canaries" expected .*, got 2/)
})

test.run()
