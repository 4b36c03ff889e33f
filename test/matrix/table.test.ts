/** How the matrix judges: what is equal, what differs and how it is named, what is missing, and the last line. */
import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { test } from 'uvu'
import * as assert from 'uvu/assert'

/** A script as it lies in the project: it finds other files beside itself. */
const script = (path: string) => import(pathToFileURL(resolve('scripts', path)).href)
const { differing } = await script('matrix/golden.mjs') as typeof import('../../scripts/matrix/golden.mjs')
const { rows } = await script('matrix/rows.mjs') as typeof import('../../scripts/matrix/rows.mjs')
const { judge, lastLine, markdown } = await script('matrix/table.mjs') as typeof import('../../scripts/matrix/table.mjs')

const golden = { numerics: 1, parts: { a: '11', b: '22', c: '33' } }
const parts = (changes: Record<string, string> = {}) => Object.entries({ ...golden.parts, ...changes }).map(([name, hash]) => ({ name, hash }))
const result = (changes?: Record<string, string>) => ({ numerics: 1, level: 'full', variant: 'simd', hash: 'f'.repeat(64), parts: parts(changes) })
const row = rows[0]
const equal = { row, version: '1', seconds: 2, result: result() }

test('a part with another hash is named, and how many more there are', () => {
  assert.equal(differing(result(), golden), [])
  assert.equal(differing(result({ b: '23' }), golden), ['b'])
  assert.is(judge({ ...equal, result: result({ b: '23', c: '34' }) }, golden).words, 'DIFFERS: b and 1 more')
  assert.is(judge({ ...equal, result: result({ c: '34' }) }, golden).words, 'DIFFERS: c')
  assert.is(judge(equal, golden).words, 'equal')
})

test('a part that was not computed, one that nobody knows, and another version of the numerics are differences', () => {
  assert.equal(differing({ ...result(), parts: parts().slice(0, 2) }, golden), ['c (not computed)'])
  assert.equal(differing({ ...result(), level: 'quick', parts: parts().slice(0, 2) }, golden), [])
  assert.equal(differing(result({ d: '44' }), golden), ['d'])
  assert.equal(differing({ ...result(), numerics: 2 }, golden), ['numerics version 2, expected 1'])
})

test('the last line counts what ran; it is red where one differs, one failed, or nothing ran', () => {
  const missing = { row, missing: 'apt install it' }, failed = { row, version: '1', error: 'Error: it fell\nat here', seconds: 1 }
  assert.equal(lastLine([equal, equal, missing], golden), { ok: true, text: `2 of 2 runtimes equal ${'f'.repeat(64)}` })
  assert.is(lastLine([equal, { ...equal, result: result({ a: '0' }) }], golden).ok, false)
  assert.match(lastLine([equal, { ...equal, result: result({ a: '0' }) }], golden).text, /^1 of 2 runtimes equal f+$/)
  assert.equal(lastLine([equal, failed], golden), { ok: false, text: `1 of 2 runtimes equal ${'f'.repeat(64)}` })
  assert.equal(lastLine([missing], golden), { ok: false, text: '0 of 0 runtimes equal nothing' })
  assert.is(judge(failed, golden).words, 'FAILED: Error: it fell')
  assert.is(judge(missing, golden).words, 'SKIPPED: apt install it')
  assert.match(markdown([equal, missing], golden), /\| node20 \| 1 \| V8 \| simd \| 2\.0 \| `f{16}` \| equal \|\n\n`1 of 1/)
})

test('the rows cover every runtime, both builds, 1, 2, 3 and 8 threads, and the compilers of each engine apart', () => {
  const names = rows.map(each => each.name)
  assert.is(new Set(names).size, names.length)
  for (const name of ['node20', 'node22', 'node24', 'node26', 'deno', 'bun', 'workerd', 'chromium', 'firefox', 'webkit', 'jsc', 'node-arm64', 'bun-arm64', 'cog',
    'node20, scalar build', 'node20, one thread', ...[2, 3, 8].map(count => `node20, ${count} threads`)]) assert.ok(names.includes(name), name)
  for (const name of ['node20', 'node24', 'node26', 'deno', 'chromium', 'jsc', 'bun', 'firefox']) {
    for (const compiler of ['baseline', 'optimising']) assert.ok(names.includes(`${name}, ${compiler} compiler`), `${name} ${compiler}`)
  }
  assert.ok(rows.every(each => ['V8', 'JavaScriptCore', 'SpiderMonkey'].includes(each.engine)))
})

test.run()
