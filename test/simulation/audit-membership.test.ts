// slow
/**
 * Membership inference on simulated training: the attack that works where nothing is done about it fails on the private
 * model, trained with the same settings on the same people. Seeded: the same numbers in every run.
 */
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { node } from '../../src/runtime/node.ts'
import { membershipAttack } from '../../src/simulation/audit/membership.ts'
import type { MembershipOptions, MembershipResult } from '../../src/simulation/audit/membership.ts'
import type { SimulationOptions } from '../../src/simulation/options.ts'
import { rejects } from '../support/rejects.ts'
import { people, TOPICS } from '../support/topics.ts'

const POOL = 100
const privacy = { unit: 'client', adjacency: 'add-remove', epsilon: 2, delta: 1e-3, population: POOL, clip: 0.3 } as const

/** 50 of 100 people, half of whose labels are random, all in every round. */
function attack(changes: Partial<SimulationOptions> = {}, more: Partial<MembershipOptions> = {}): Promise<MembershipResult> {
  return membershipAttack({
    simulation: {
      host: node(), threads: 1, seed: 3, evaluateEvery: 1000,
      task: {
        model: 'test/fixtures/tiny-bert', labels: Object.keys(TOPICS),
        lora: { rank: 8, alpha: 16, sites: ['query', 'key', 'value', 'attention.output.dense', 'intermediate.dense', 'output.dense'], seed: 7 },
      },
      method: { kind: 'lora' }, clients: people(POOL, 0.5, 5), test: [{ text: 'rain', label: 'weather' }],
      rounds: 50, cohort: POOL, local: { epochs: 1, batchSize: 1, learningRate: 0.1 }, server: { optimizer: 'adam', learningRate: 0.02 },
      ...changes,
    },
    references: 0, ...more,
  })
}

test('without privacy the attack works: area at least 0.8, at 10 % false alarms at least half of the members', async () => {
  const { attacks: [{ name, auc, rates, members, nonMembers }], promise, accuracy } = await attack()
  assert.is(name, 'loss')
  assert.equal([members, nonMembers], [POOL / 2, POOL / 2])
  assert.is(promise, null)
  assert.ok(auc.low >= 0.8, JSON.stringify(auc))
  const tenth = rates.find(({ fpr }) => fpr === 0.1)!
  assert.ok(tenth.tpr.value >= 0.5 && tenth.tpr.low > tenth.reached.high, JSON.stringify(rates))
  assert.ok(accuracy.members > 0.95 && accuracy.nonMembers < 0.7, JSON.stringify(accuracy))
})

test('with ε = 2 for these 50 people it fails: the interval of the area holds 0.5, no rate stands out from chance or passes the promise', async () => {
  const { attacks: [{ auc, rates }], promise } = await attack({ privacy })
  assert.ok(promise!.epsilon <= 2 && promise!.epsilon > 1.98, String(promise!.epsilon))
  assert.ok(auc.low <= 0.5 && 0.5 <= auc.high, JSON.stringify(auc))
  for (const { fpr, tpr, reached } of rates) {
    const limit = promise!.limit.find(point => point.fpr === fpr)!
    assert.ok(tpr.low <= reached.high && tpr.low <= limit.tpr, JSON.stringify({ tpr, reached }))
  }
  // the promise is a curve above the diagonal, from 0 (but for δ) to 1, that never falls
  const { limit } = promise!
  limit.forEach(({ fpr, tpr }, i) => assert.ok(tpr >= fpr && (i === 0 || tpr >= limit[i - 1].tpr)))
  assert.ok(limit[0].tpr <= 1e-3 && limit.at(-1)!.tpr === 1)
})

test('an attacker with reference models has both attacks; the halves differ, and each round is told', async () => {
  const seen: number[] = []
  const { attacks, references } = await attack({ rounds: 2, clients: people(20, 0.5, 5), cohort: 20 }, {
    references: 2, onRound: (_, model, models) => seen.push(10 * models + model),
  })
  assert.equal(attacks.map(({ name }) => name), ['loss', 'calibrated'])
  assert.equal([references, attacks[1].members], [2, 10])
  assert.equal(seen, [30, 30, 31, 31, 32, 32])
})

test('sampling and the cohort keep their share of the members', async () => {
  const { cohort, promise } = await attack({ rounds: 2, clients: people(40, 0.5, 5), cohort: 10, privacy: { ...privacy, noiseCohort: 5000, population: 1_000_000 } })
  assert.is(cohort, 5)
  assert.ok(promise!.epsilon > 1.9, 'ε is of the 20 members, not of an imitated deployment')
  assert.ok(promise!.noiseMultiplier > 0.5)
})

test('a pool that is too small is refused', async () => {
  await rejects(attack({ clients: people(6, 0, 1), cohort: 6 }), /expected a pool of at least 8, got 6/)
})

test.run()
