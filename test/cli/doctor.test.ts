/** `sotto doctor` as a process: what it prints, as text and as JSON, and its exit code. */
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { expectedHash } from '../../src/selftest/self-test.ts'
import { sotto } from './support.ts'

test('it ends with 0 on a runtime that computes the committed bits, and says so', async () => {
  const { code, out, err } = await sotto(['doctor'])
  assert.is(code, 0, out + err)
  assert.match(out, new RegExp(`runtime +node ${process.versions.node}\\n`))
  assert.match(out, new RegExp(`self-test \\(quick, \\d+ parts\\) +${expectedHash('quick')}\\n`))
  assert.match(out, /equal to the committed hash +yes\n/)
  assert.match(out, /\n\nThis runtime computes the same bits as all others\.\n$/)
})

test('--json prints the findings', async () => {
  const { code, out } = await sotto(['doctor', '--json'])
  const found = JSON.parse(out)
  assert.is(code, 0)
  assert.is(found.fit, true)
  assert.is(found.selfTest.hash, expectedHash('quick'))
  assert.equal(found.selfTest.differing, [])
  assert.is(found.builds.length, 3)
})

test('an unknown option is bad input', async () => {
  const { code, err } = await sotto(['doctor', '--deep'])
  assert.is(code, 2)
  assert.match(err, /unknown option '--deep'/)
})

test.run()
