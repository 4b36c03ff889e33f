/** One text for one value; the runtime's SHA-256 is the library's. */
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { canonicalJson, hashArray, hashBytes, hashOf } from '../src/canonical.ts'
import { node } from '../src/runtime/node.ts'

test('keys are sorted, undefined is left out, -0 is 0, what JSON cannot say is refused', () => {
  assert.is(canonicalJson({ b: [1, -0, 'x'], a: null, c: undefined }), '{"a":null,"b":[1,0,"x"]}')
  assert.is(hashOf({ a: 1, b: 2 }), hashOf({ b: 2, a: 1 }))
  assert.throws(() => canonicalJson(NaN), /finite numbers, got NaN/)
  assert.throws(() => canonicalJson(new Float32Array(1) as never), /plain data/)
})

test('SHA-256 of "abc" (FIPS 180-4), by the library and by Node', () => {
  const expected = 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad'
  const bytes = new TextEncoder().encode('abc')
  assert.is(hashBytes(bytes), expected)
  assert.is(hashBytes(bytes, node().sha256), expected)
})

test('an array in the middle of a buffer hashes its own bytes alone', () => {
  const values = Float32Array.of(1, 2, 3, 4)
  assert.is(hashArray(values.subarray(1, 3)), hashArray(Float32Array.of(2, 3), node().sha256))
})

test.run()
