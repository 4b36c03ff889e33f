// slow: starts programs that hang
/** The drivers: what a program returns or throws arrives, what hangs or dies is told and ended, nothing stays behind. */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { current, present, runtimes } from './support.ts'

// a place of this test's own: others run drivers at the same time
const place = process.env.TMPDIR = mkdtempSync(join(tmpdir(), 'sotto-d-'))
test.after(() => rmSync(place, { recursive: true, force: true }))

/** Processes that work in a folder of these drivers. */
const processes = () => process.platform !== 'linux' ? [] : execFileSync('ps', ['-eo', 'args'], { encoding: 'utf8' }).split('\n').filter(line => line.includes(place))

/** No temporary folder; and no process, once the helpers that a browser has put into groups of their own have noticed that it is gone. */
async function nothingStays(): Promise<void> {
  assert.equal(readdirSync(place), [])
  for (let look = 0; look < 300 && processes().length > 0; look++) await new Promise(resolve => setTimeout(resolve, 100))
  assert.equal(processes(), [])
  assert.equal(readdirSync(place), [])
}

const run = (each: typeof current, input: string, timeout = 120) =>
  each.run({ entry: 'test/runtimes/misbehaves.ts', input }, { timeout }).then(value => ({ value }), (error: Error) => ({ error: error.message }))

for (const each of [current, ...present('deno', 'bun', 'workerd', 'jsc', 'chromium', 'firefox', 'webkit')]) {
  test(`${each.name}: errors arrive; what hangs is ended, with nothing left`, async () => {
    const thrown = await run(each, 'throw') as { error: string }
    assert.match(thrown.error, new RegExp(`^${each.name}: RangeError: "x" expected 1, got 2`))
    const hung = await run(each, 'spin', 4) as { error: string }
    assert.match(hung.error, new RegExp(`^${each.name} expected to end within 4 s`))
    await nothingStays()
  })
}

test('a result arrives as it was given', async () => {
  assert.equal(await run(current, 'é €'), { value: { input: 'é €' } })
})

test('a program that ends without a result is told of, with what it printed', async () => {
  const { error } = await run(current, 'exit') as { error: string }
  assert.match(error, /^node expected a result, but it ended with 3\n.*last words/s)
  await nothingStays()
})

test('every runtime has a name of its own, and is here or says how to get it', () => {
  assert.is(new Set(runtimes.map(({ name }) => name)).size, runtimes.length)
  assert.is(runtimes.length, 14)
  for (const { name, find } of runtimes) {
    const found = find()
    assert.ok('missing' in found ? /install|does not run/.test(found.missing) : found.path !== '' && found.version !== '', name)
  }
})

test.run()
