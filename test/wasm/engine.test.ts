/** What an engine is made with is checked before anything is made. */
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { node } from '../../src/runtime/node.ts'
import { createEngine } from '../../src/wasm/engine.ts'

for (const [name, options, kind, message] of [
  ['null', null, TypeError, /^"engine" expected an object, got null/],
  ['a number', 7, TypeError, /^"engine" expected an object, got 7/],
  ['an unknown name', { thread: 2 }, RangeError, /unknown option "thread"/],
  ['an unknown build', { variant: 'mmx' }, RangeError, /^"variant" expected one of "simd", "shared", "scalar", got "mmx"/],
  ['a build that is no text', { variant: null }, TypeError, /^"variant" expected a string, got null/],
  ['no threads', { threads: null }, TypeError, /^"threads" expected an integer, got null/],
  ['too little memory', { maximum: 65535 }, RangeError, /^"maximum" expected an integer from 65536 to 4294967296, got 65535/],
  ['too much memory', { maximum: 2 ** 32 + 1 }, RangeError, /^"maximum" expected an integer from 65536/],
  ['memory in words', { maximum: '64 MB' }, TypeError, /^"maximum" expected an integer, got "64 MB"/],
  ['memory that is null', { maximum: null }, TypeError, /^"maximum" expected an integer, got null/],
  ['tiles of 6 rows', { tiles: { floats: 6 } }, RangeError, /^"tiles.floats" expected an integer from 4 to 5, got 6/],
  ['tiles in words', { tiles: { integers: '5' } }, TypeError, /^"tiles.integers" expected an integer, got "5"/],
  ['tiles of another kind', { tiles: { doubles: 4 } }, RangeError, /unknown option "doubles"/],
  ['tiles that are null', { tiles: null }, TypeError, /^"tiles" expected an object, got null/],
] as const) {
  test(`${name}: ${kind.name}`, async () => {
    const error: unknown = await createEngine(node(), options as never).then(() => undefined, (thrown: unknown) => thrown)
    assert.instance(error, kind)
    assert.match((error as Error).message, message)
  })
}

test('no host is a TypeError; what is left out, or undefined, is the default', async () => {
  const error: unknown = await createEngine(undefined as never).then(() => undefined, (thrown: unknown) => thrown)
  assert.instance(error, TypeError)
  assert.match((error as Error).message, /^"host" expected an object with module, folder, random, now, got undefined/)
  const engine = await createEngine(node(), { variant: undefined, threads: undefined, tiles: undefined, maximum: 65536 } as never)
  assert.is(engine.arena.memory.buffer.byteLength, 65536)
})

test('a maximum counts in whole pages: a part of one is not promised, and asking for it is not blamed on the runtime', async () => {
  const PAGE = 65536
  for (const maximum of [PAGE, PAGE + 1, 2 * PAGE - 1, 2 * PAGE, 3 * PAGE + 5000]) {
    const { arena } = await createEngine(node(), { maximum }), most = Math.floor(maximum / PAGE) * PAGE
    assert.is(arena.left, most - PAGE, String(maximum))
    assert.throws(() => arena.frame(most - PAGE + 1, () => 0), /expected at most [\d.]+ MiB in all, got a need of/)
    assert.is(arena.frame(most - PAGE, () => 1), 1)
  }
})

test.run()
