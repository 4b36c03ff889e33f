/** The short programme computes the committed hashes in both builds; differences are named. */
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { NUMERICS_VERSION } from '../../src/numerics.ts'
import { node } from '../../src/runtime/node.ts'
import { golden } from '../../src/selftest/golden.gen.ts'
import { programme } from '../../src/selftest/programme.ts'
import { differences, expectedHash, selfTest } from '../../src/selftest/self-test.ts'
import { rejects } from '../support/rejects.ts'

test('the quick level has the committed hashes, in the SIMD and in the scalar build', async () => {
  for (const variant of ['simd', 'scalar'] as const) {
    const seen: string[] = []
    const result = await selfTest(node(), { variant, onPart: part => seen.push(part.name) })
    assert.equal(result.differing, [])
    assert.is(result.hash, expectedHash('quick'))
    assert.is(result.hash, result.expected)
    assert.is(result.variant, variant)
    assert.is(result.numerics, NUMERICS_VERSION)
    assert.equal(seen, result.parts.map(part => part.name))
  }
})

test('names of parts are unique, quick ones are some of all, and exactly these have committed hashes', () => {
  const names = programme.map(section => section.name)
  assert.is(new Set(names).size, names.length)
  assert.equal(Object.keys(golden.parts), names)
  assert.ok(Object.values(golden.parts).every(hash => /^[0-9a-f]{64}$/.test(hash)))
  const quick = programme.filter(section => section.level === 'quick').length
  assert.ok(quick > 10 && quick < names.length)
})

test('a part that differs is named; two levels have two hashes', () => {
  const parts = Object.entries(golden.parts).map(([name, hash]) => ({ name, hash }))
  assert.equal(differences(parts), [])
  const changed = parts.map((part, i) => i === 4 || i === 9 ? { ...part, hash: part.hash.replace(/^./, digit => digit === '0' ? '1' : '0') } : part)
  assert.equal(differences(changed), [parts[4].name, parts[9].name])
  assert.equal(differences([{ name: 'unheard of', hash: parts[0].hash }]), ['unheard of'])
  assert.is.not(expectedHash('quick'), expectedHash('full'))
})

test('options that cannot be are refused', async () => {
  await rejects(selfTest(node(), { level: 'deep' as never }), /"level" expected one of "quick", "full", got "deep"/)
  await rejects(selfTest(node(), { depth: 3 } as never), /unknown option "depth"/)
  await rejects(selfTest(node(), { threads: 2 }), /"folder" expected the folder of the model/)
  await rejects(selfTest(node(), { variant: 'x' as never }), /"variant" expected one of "simd", "shared", "scalar", got "x"/)
  await rejects(selfTest(node(), { variant: '' as never }), /"variant" expected one of/)
  await rejects(selfTest(node(), { threads: null as never }), /"threads" expected an integer, got null/)
  await rejects(selfTest(node(), { threads: 0 }), /"threads" expected an integer from 1 to 64, got 0/)
})

test.run()
