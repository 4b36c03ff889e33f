// slow
/** The diagnosis in browsers: isolated pages share memory, others do not, and both compute the committed bits. */
import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import type { Diagnosis } from '../../src/selftest/diagnose.ts'

const { runtime } = await import(pathToFileURL(resolve('scripts/runtimes/index.mjs')).href) as typeof import('../../scripts/runtimes/index.mjs')

test('this machine was asked for browsers', () => {
  for (const name of ['chromium', 'firefox']) {
    const found = runtime(name).find()
    if ('missing' in found) console.log(`NOTE: ${name} is not here and was not diagnosed: ${found.missing}`)
  }
})

for (const name of ['chromium', 'firefox'].filter(name => !('missing' in runtime(name).find()))) {
  for (const isolated of [true, false]) {
    test(`${name}, a page that is ${isolated ? '' : 'not '}cross-origin isolated`, async () => {
      const found = await runtime(name).run({ entry: 'test/support/diagnose-program.ts' }, { isolated, timeout: 300 }) as Diagnosis
      assert.is(found.fit, true, JSON.stringify(found))
      assert.is(found.runtime, 'browser')
      assert.is(found.sharedMemory, isolated)
      assert.is(found.builds.find(build => build.variant === 'shared')!.missing === undefined, isolated)
      assert.equal(found.selfTest!.differing, [])
      assert.ok(found.simd && found.randomness && found.memory >= 2 ** 28)
    })
  }
}

test.run()
