import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { packSequences, positionsOf } from '../../src/model/batch.ts'

const limits = { maxTokens: 4, vocabularySize: 10 }

test('sequences lie one after another, without padding; positions count within each', () => {
  const batch = packSequences([[1, 2, 3], [9], [0, 4]], limits)
  assert.equal(batch, { ids: Int32Array.of(1, 2, 3, 9, 0, 4), offsets: Int32Array.of(0, 3, 4, 6), count: 3, longest: 3 })
  assert.equal(positionsOf(batch, 2), Int32Array.of(2, 3, 4, 2, 2, 3))
})

test('no sequence, an empty one, one too long, and what is no token of the model are RangeErrors that say where', () => {
  assert.throws(() => packSequences([], limits), /"sequences" expected at least one, got none/)
  assert.throws(() => packSequences([[1], []], limits), /"sequences\[1\]" expected at least one token, got none/)
  assert.throws(() => packSequences([[1, 2, 3, 4, 5]], limits), /"sequences\[0\]" expected at most 4 tokens, got 5; truncate it/)
  for (const bad of [10, -1, 1.5, NaN, 2 ** 32 + 1, '3', undefined]) {
    assert.throws(() => packSequences([[1], [2, bad as number]], limits), /"sequences\[1\]\[1\]" expected a token from 0 to 9, got .*; use the tokenizer/)
  }
})

test.run()
