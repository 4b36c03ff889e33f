/** The ledger of a simulated run, through the built package as a user has it. */
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import type { Client } from '../../src/data/example.ts'
import { auditLedger, entryText, memoryLedger, openLedger, requireGuarantee } from '../../src/privacy/ledger/index.ts'
import type { SimulationOptions } from '../../src/simulation/index.ts'
import { rejects } from '../support/rejects.ts'

const built = (path: string) => import(new URL(`../../dist/${path}`, import.meta.url).href)
const { simulate } = await built('simulation/index.js') as typeof import('../../src/simulation/index.ts')
const { node } = await built('runtime/node.js') as typeof import('../../src/runtime/node.ts')

const example = (i: number) => i % 2 === 0 ? { label: 'ham', text: `meeting tomorrow ${i}` } : { label: 'spam', text: `free money ${i}` }
const clients: Client[] = Array.from({ length: 12 }, (_, i) => ({ id: `person ${i}`, examples: [example(i), example(i + 1)] }))

function settings(changes: Partial<SimulationOptions> = {}): SimulationOptions {
  return {
    host: node(),
    task: { model: 'test/fixtures/tiny-bert', labels: ['ham', 'spam'], lora: { rank: 4, alpha: 8, sites: ['query', 'value'], seed: 7 } },
    method: { kind: 'lora' },
    clients, test: [example(1), example(2)],
    rounds: 3, cohort: 4,
    local: { epochs: 1, batchSize: 2, learningRate: 0.1 },
    server: { optimizer: 'sgd', learningRate: 1 },
    privacy: { unit: 'client', adjacency: 'add-remove', noiseMultiplier: 1, delta: 1e-6, population: 1_000_000, noiseCohort: 5000, clip: 0.3 },
    seed: 3, threads: 1,
    ...changes,
  }
}

test('every round is reserved and released; the audit gives the ε of the report, and says that it is a simulation', async () => {
  const store = memoryLedger()
  const result = await simulate(settings({ ledger: store })).result()
  assert.equal(result.ledger.map(({ kind }) => kind), ['budget', 'reserve', 'release', 'reserve', 'release', 'reserve', 'release'])
  assert.equal(store.lines, result.ledger.map(entryText))
  const audit = auditLedger(store.lines)
  assert.ok(audit.valid, audit.problems.join())
  assert.equal(audit.rounds.map(({ recomputed }) => recomputed), result.rounds.map(({ epsilon }) => epsilon))
  assert.is(audit.epsilon, result.epsilon)
  assert.is(audit.model, result.finalHash)
  assert.equal(audit.rounds.map(({ noise, released }) => [noise, released]), Array.from({ length: 3 }, () => ['seeded', true]))
  assert.match(audit.text, /^Simulation, no guarantee\./)
  assert.throws(() => requireGuarantee(audit), /no guarantee/)
  assert.is((await (await openLedger(store, { simulation: true })).latest())!.entry.modelAfter, result.finalHash)
  result.ledger.forEach((entry, i) => {
    if (entry.kind === 'release') assert.is(entry.planHash, result.rounds[i / 2 - 1].planHash)
  })
  await rejects(simulate(settings({ ledger: store })).result(), /expected to be empty/)
})

test('without privacy the ledger says that nothing was promised; system noise is still a simulation', async () => {
  const { privacy: _, ...open } = settings({ rounds: 1 })
  const plain = await simulate(open).result()
  assert.equal(plain.ledger.slice(1).map(entry => entry.kind !== 'budget' && entry.noise), ['none', 'none'])
  assert.is(plain.epsilon, undefined)
  const system = await simulate(settings({ rounds: 1, noise: 'system' })).result()
  const audit = auditLedger(system.ledger.map(entryText))
  assert.ok(audit.valid && audit.simulation)
  assert.is(audit.rounds[0].noise, 'system')
})
test.run()
