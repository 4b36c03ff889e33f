// slow: starts browsers
/** The browser's cache of model files: kept under their hash, hashed again when read, refused when they are not what was meant. */
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import type { Outcome } from './cache-program.ts'
import { current, present } from './support.ts'

const FILE = 'model.safetensors', bytes = readFileSync(`test/fixtures/tiny-bert/${FILE}`)
const HASH = createHash('sha256').update(bytes).digest('hex'), SIZE = bytes.length

test('where there is no private file system and no IndexedDB, files are loaded all the same', async () => {
  const answer = await current.run({ entry: 'test/runtimes/cache-missing.ts', folders: { 'tiny-bert': 'test/fixtures/tiny-bert' } })
  assert.equal(answer, { store: null })
})

for (const each of present('chromium', 'firefox', 'webkit')) {
  // WebKitGTK has no private file system
  const places = [['indexeddb', 'worker'], ...each.name === 'webkit' ? [] : [['opfs', 'worker'], ['opfs', 'page']]]
  for (const [kind, thread] of places as ['opfs' | 'indexeddb', 'worker' | 'page'][]) {
    test(`${each.name}, ${kind} in a ${thread}: a changed or cut entry is fetched again, a wrong file refused, a full disk no obstacle`, async () => {
      let tag = '"1"', downloads = 0
      const answer = await each.run(
        { entry: 'test/runtimes/cache-program.ts', input: { kind, file: FILE, hash: HASH }, folders: { 'tiny-bert': 'test/fixtures/tiny-bert' } },
        {
          thread, handle(request, response) {
            response.setHeader('etag', tag)
            if (request.method === 'GET' && request.url!.endsWith(FILE)) downloads++
            if (!request.url!.endsWith('/new-tag')) return false
            tag = '"2"'
            response.end()
            return true
          },
        }) as Record<string, Outcome> & { missing?: boolean, wrongKept: boolean, ranges: string }
      const { missing, wrongKept, ranges, ...outcomes } = answer
      assert.is(missing, undefined, `${each.name} expected ${kind} in a ${thread}`)
      const table = Object.fromEntries(Object.entries(outcomes).filter(([name]) => name !== 'kind')
        .map(([name, { got, from, kept }]) => [name, `${got === SIZE ? 'whole' : 'error'} ${from} ${kept === undefined ? '-' : kept ? 'kept' : 'not kept'}`]))
      assert.equal(table, {
        first: 'whole network kept', second: 'whole cache kept',
        corrupted: 'whole network kept', repaired: 'whole cache kept', cut: 'whole network kept',
        // the last event is of the download: the file never got as far as the cache
        wrong: 'error network -', cleared: 'whole network kept',
        unknown: 'whole network kept', known: 'whole cache kept', changed: 'whole network kept',
        off: 'whole network not kept', together: 'whole network kept', after: 'whole cache kept', noRoom: 'whole network not kept',
      })
      assert.match(outcomes.corrupted.problem, /the kept file expected the hash [0-9a-f]{64}, got [0-9a-f]{64}; fetched again/)
      assert.match(outcomes.cut.problem, /the kept file expected the hash/)
      assert.match(String(outcomes.wrong.got), /^FormatError: .*model\.safetensors" expected the SHA-256 [0-9a-f]{64}, got [0-9a-f]{64}; .* not used and not kept/)
      assert.match(outcomes.noRoom.problem, /could not be kept: QuotaExceededError/)
      assert.is(wrongKept, false)
      assert.is(ranges, [...bytes.subarray(8, 12)].join())
      // as many downloads as the table has lines from the network, and one more for two at the same time
      assert.is(downloads, Object.values(table).filter(line => line.includes('network')).length + 1)
    })
  }
}

test.run()
