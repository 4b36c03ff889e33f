// slow: starts browsers
/**
 * The suite in browsers: in a dedicated worker of an isolated page, on a page that is not isolated, under a strict content
 * policy, and in a browser without SIMD.
 */
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { EVERYWHERE, ON_THREADS, passesSuite, present, programOf, runtime } from './support.ts'
import type { Check } from './suite.ts'

/** What docs/runtimes.md says is enough. */
const POLICY = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; worker-src 'self'; connect-src 'self'"

test('each browser is here, or says how to get it', () => {
  for (const name of ['chromium', 'firefox', 'webkit', 'cog']) {
    const found = runtime(name).find()
    assert.ok('path' in found ? found.version !== '' : /apt install/.test(found.missing), name)
  }
})

for (const each of present('chromium', 'firefox', 'webkit')) {
  test(`${each.name}: a worker of an isolated page, under a strict content policy: all 17 checks, threads included`, async () => {
    const names = await passesSuite(each, { headers: { 'content-security-policy': POLICY } })
    assert.is(names.length, 17)
    for (const name of [...EVERYWHERE, ...ON_THREADS]) assert.ok(names.includes(name), name)
  })

  test(`${each.name}: a page that is not isolated: one thread, the same bits`, async () => {
    const names = await passesSuite(each, { isolated: false, thread: 'page', headers: { 'content-security-policy': POLICY } })
    assert.is(names.length, 15)
    for (const name of EVERYWHERE) assert.ok(names.includes(name), name)
  })
}

for (const each of present('chromium')) {
  test('the policy is in force: without wasm-unsafe-eval the module is refused', async () => {
    const checks = await each.run(programOf(each.name), { headers: { 'content-security-policy': POLICY.replace(" 'wasm-unsafe-eval'", '') } }) as Check[]
    assert.match(checks.find(check => check.name === 'training')!.detail, /^CompileError: .*(unsafe-eval|Content Security Policy)/)
  })
}

for (const each of present('cog')) {
  test('a browser without SIMD takes the scalar build, with the same bits', async () => {
    const names = await passesSuite(each)
    assert.is(names.length, 15)
    for (const name of EVERYWHERE) assert.ok(names.includes(name), name)
    const refused = await each.run({ entry: 'test/runtimes/no-simd.ts' })
    assert.equal(refused, { simd: false, variant: 'scalar' })
  })
}

test.run()
