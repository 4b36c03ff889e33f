import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { hashBytes } from '../../src/canonical.ts'
import { epsilonOf, poissonGaussian } from '../../src/privacy/accountant/index.ts'
import { createLedger } from '../../src/privacy/ledger/index.ts'
import { nodeLedger } from '../../src/runtime/node-ledger.ts'
import { listed, sotto, tempFolder } from './support.ts'

const ROUNDS = 3
const budget = { unit: 'client', adjacency: 'add-remove', epsilon: 2, delta: 1e-6 } as const
const event = poissonGaussian({ noiseMultiplier: 0.9, samplingRate: 0.005 })

/** A folder with the ledger of three rounds. */
async function ledgerFolder(): Promise<string> {
  const folder = join(tempFolder(), 'ledger')
  const store = nodeLedger(folder)
  const bytes = (text: string) => new TextEncoder().encode(text)
  const ledger = await createLedger(store, { budget, task: hashBytes(bytes('task')), model: hashBytes(bytes('start')) })
  for (let round = 1; round <= ROUNDS; round++) {
    const cost = { round, planHash: hashBytes(bytes(`plan ${round}`)), event, noise: 'system' as const }
    await ledger.spend(cost, async () => ({ model: bytes(`model ${round}`), event, noise: 'system' as const }))
  }
  await store.close()
  return folder
}

test('a ledger is audited: epsilon from its events alone, and nothing is written', async () => {
  const folder = await ledgerFolder()
  const before = listed(folder)
  const { code, out, err } = await sotto(['budget', '--ledger', folder, '--json'])
  assert.is(code, 0, err)
  const audit = JSON.parse(out)
  const expected = epsilonOf({ ...budget, noiseMultiplier: 0.9, samplingRate: 0.005, rounds: ROUNDS })
  assert.ok(Math.abs(audit.epsilon - expected) < 1e-9)
  assert.equal([audit.valid, audit.withinBudget, audit.released, audit.anchored], [true, true, ROUNDS, true])
  const people = await sotto(['budget', '--ledger', join(folder, 'ledger.jsonl')])
  assert.is(people.code, 0, people.err)
  assert.match(people.out, /differentially\s+private\s+for\s+each\s+client/)
  assert.equal(listed(folder), before)
})

test('a ledger that was changed ends with code 1 and says where', async () => {
  const folder = await ledgerFolder()
  const file = join(folder, 'ledger.jsonl')
  writeFileSync(file, readFileSync(file, 'utf8').replace('0.9', '9.0'))
  const { code, out } = await sotto(['budget', '--ledger', file])
  assert.is(code, 1)
  assert.match(out, /Problem: /)
})

test('no ledger, or numbers of a plan beside one: exit code 2 and one line', async () => {
  for (const [args, pattern] of [
    [['--ledger', 'nowhere'], /"--ledger" expected a ledger's folder or file, got none at "nowhere"/],
    [['--ledger', 'nowhere', '--sigma', '1'], /expected no --sigma beside it/],
    [['--head', 'ab'], /"--head" expected --ledger beside it/],
  ] as [string[], RegExp][]) {
    const { code, out, err } = await sotto(['budget', ...args])
    assert.is(code, 2)
    assert.is(out, '')
    assert.match(err, pattern)
    assert.is(err.trimEnd().split('\n').length, 1)
  }
})

test.run()
