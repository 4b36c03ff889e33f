// slow: an emulated processor
/** The suite on another processor: arm64 under emulation, or itself. */
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { passesSuite, present, runtime } from './support.ts'

test('an emulated runtime is here, or says what it needs', () => {
  for (const name of ['node-arm64', 'bun-arm64']) {
    const found = runtime(name).find()
    assert.ok('path' in found || /install/.test(found.missing), name)
  }
})

for (const each of present('node-arm64', 'bun-arm64')) {
  test(`${each.name}: all 19 checks, the bits of this machine`, async () => {
    assert.is((await passesSuite(each)).length, 19)
  })
}

test.run()
