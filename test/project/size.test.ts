/** The gate of the client's size: what it counts, and that it stops a client that is too large. */
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { clientSize, LIMIT, sizeProblems } from '../../scripts/check/size.mjs'

test('script, threads\' script and module count together; one byte above the limit fails', () => {
  assert.is(LIMIT, 100_000)
  assert.equal(sizeProblems({ script: 80_000, thread: 1_000, module: 19_000 }), [])
  assert.match(sizeProblems({ script: 80_000, thread: 1_001, module: 19_000 })[0], /expected at most 100\.0 kB gzipped, got 100\.0 kB/)
})

test('the shares name our folders and every package, and add up to the scripts but for the bundler\'s own words', async () => {
  const { raw, shares, script, module } = await clientSize(process.cwd())
  for (const name of ['src/model', 'src/runtime', 'src/federated', '@huggingface/tokenizers', '@noble/hashes']) assert.ok(shares[name] > 1000, name)
  const sum = Object.values(shares).reduce((total, bytes) => total + bytes, 0)
  assert.ok(sum <= raw && sum > 0.95 * raw, `${sum} of ${raw}`)
  assert.ok(script > 20_000 && module > 10_000)
})

test.run()
