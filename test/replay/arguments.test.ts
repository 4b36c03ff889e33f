/** What a replay is given is checked before anything is read. */
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { memorySource } from '../../src/checkpoint/source.ts'
import { verifyRun } from '../../src/replay/index.ts'
import { node } from '../../src/runtime/node.ts'

const host = node(), run = memorySource({})

for (const [name, options, kind, message] of [
  ['nothing', undefined, TypeError, /^"verify" expected an object, got undefined/],
  ['no host', {}, TypeError, /^"host" expected an object with module, folder, random, now, got undefined; pass what node\(\)/],
  ['no run', { host }, TypeError, /^"run" expected an object with read, has, got undefined; pass the run's folder/],
  ['a path in place of a folder', { host, run: 'runs/a' }, TypeError, /^"run" expected .* got "runs\/a"; pass the run's folder as the host opened it/],
  ['one client without data', { host, run, only: { client: 1, round: 1 } }, RangeError, /^"data" expected .* got none; pass those/],
  ['a folder without transcript', { host, run }, Error, /^run expected transcript\.jsonl, got none; check/],
] as const) {
  test(`${name}: ${kind.name}`, async () => {
    const error: unknown = await verifyRun(options as never).then(() => undefined, (thrown: unknown) => thrown)
    assert.instance(error, kind)
    assert.match((error as Error).message, message)
  })
}

test.run()
