// slow
/**
 * The whole self-test in every runtime that is here and fits the time. SOTTO_REQUIRE names those that must be here,
 * separated by commas; others that are missing are said aloud.
 */
import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { test } from 'uvu'
import * as assert from 'uvu/assert'

/** A script as it lies in the project: it finds other files beside itself. */
const script = (path: string) => import(pathToFileURL(resolve('scripts', path)).href)
const { readGolden } = await script('matrix/golden.mjs') as typeof import('../../scripts/matrix/golden.mjs')
const { rows } = await script('matrix/rows.mjs') as typeof import('../../scripts/matrix/rows.mjs')
const { judge } = await script('matrix/table.mjs') as typeof import('../../scripts/matrix/table.mjs')
const { runtime } = await script('runtimes/index.mjs') as typeof import('../../scripts/runtimes/index.mjs')
const { runRows, withModel } = await script('matrix.mjs') as typeof import('../../scripts/matrix.mjs')

type Outcome = import('../../scripts/matrix/rows.mjs').Outcome

const golden = readGolden()
const required = (process.env['SOTTO_REQUIRE'] ?? '').split(',').filter(name => name !== '')
const own = `node${process.versions.node.split('.')[0]}`
const quick = rows.filter(row => row.quick)
const here = quick.filter(row => !('missing' in runtime(row.runtime).find()))
for (const name of new Set(quick.filter(row => !here.includes(row)).map(row => row.runtime))) {
  if (!required.includes(name)) console.log(`NOTE: ${name} is not here and was not compared: ${(runtime(name).find() as { missing: string }).missing}`)
}

// all at once, two at a time: each test waits for its own
const waiting = new Map<string, (outcome: Outcome) => void>()
const outcomes = new Map(here.map(row => [row.name, new Promise<Outcome>(resolve => waiting.set(row.name, resolve))]))
const all = withModel(model => runRows(here, { model, timeout: 300 }, { jobs: 2, onOutcome: outcome => waiting.get(outcome.row.name)!(outcome) }))

test('this Node is among the runtimes, and those that must be here are', () => {
  assert.ok(here.some(row => row.runtime === own) || !/^node2[0246]$/.test(own), own)
  assert.equal(required.filter(name => 'missing' in runtime(name).find()), [])
})

for (const row of here) {
  test(`${row.name}: ${Object.keys(golden.parts).length} parts have the committed hashes`, async () => {
    const outcome = await outcomes.get(row.name)!
    assert.is(judge(outcome, golden).words, 'equal', outcome.error)
  })
}

test('all of them have one hash', async () => {
  const hashes = new Set((await all).map(outcome => outcome.result?.hash))
  assert.is(hashes.size, 1)
})

test.run()
