import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { epsilonOf } from '../../src/privacy/accountant/index.ts'
import { footnotes } from '../../src/report/words.ts'
import { experiment, runRecord } from './support.ts'

const { privacy } = runRecord('dp', 'dylora', true)

test('epsilon is that of the events; Renyi DP agrees from above; the least noise is found', () => {
  const expected = epsilonOf({ unit: 'client', adjacency: 'add-remove', delta: 1e-6, noiseMultiplier: 0.9, samplingRate: 0.005, rounds: 12 })
  assert.is(privacy!.epsilon, expected)
  assert.ok(privacy!.crossCheck.epsilon > expected && privacy!.crossCheck.epsilon < 3 * expected)
  assert.is(privacy!.mechanism.achievedNoiseMultiplier, 0.9)
})

test('everything that a person is owed is there', () => {
  const text = JSON.stringify(privacy)
  for (const key of ['numerics', 'unit', 'adjacency', 'population', 'noiseCohort', 'simulatedCohort', 'enforcedBy', 'noiseMultiplier', 'clip',
    'delta', 'epsilon', 'accountant', 'discretisation', 'crossCheck', 'mu', 'fpr', 'tpr', 'noiseSource', 'notCovered']) assert.ok(text.includes(`"${key}"`), key)
  assert.is(privacy!.status, 'simulation, no guarantee')
  for (const pattern of [/5,000 clients a round/, /seed/, /looking at results/, /random and secret/, /one client/]) {
    assert.ok(privacy!.notCovered.some(line => pattern.test(line)), String(pattern))
  }
})

test('footnotes tell an early end, missing runs, and duplicates that flatter', () => {
  const short = { ...runRecord('dp', 'lora', true), plannedRounds: 99 }
  const notes = footnotes(experiment({ runs: [short], left: ['other'], data: { ...experiment().data, nearDuplicatesInTraining: 3 } })).join('\n')
  assert.match(notes, /Ended early: other is not among the results/)
  assert.match(notes, /stopped after 12 of 99 rounds/)
  assert.match(notes, /3 of the test texts have a near-duplicate/)
})

test.run()
