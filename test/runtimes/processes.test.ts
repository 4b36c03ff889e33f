// slow: starts every runtime that is here
/** The suite in Node, Deno, Bun, workerd and the jsc shell: each does what it can, with the bits of the Node that runs this. */
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { current, EVERYWHERE, ON_DISKS, ON_THREADS, passesSuite, present, referenceChecks } from './support.ts'

test('the Node that runs this passes, threads and saving included', async () => {
  assert.equal((await referenceChecks()).filter(check => !check.ok), [])
  const names = await passesSuite(current)
  for (const name of [...EVERYWHERE, ...ON_THREADS, ...ON_DISKS]) assert.ok(names.includes(name), name)
  assert.is(names.length, 19)
})

for (const each of present('node20', 'node22', 'node24', 'node26', 'deno', 'bun')) {
  test(`${each.name}: all 19 checks, the bits of this Node`, async () => {
    assert.is((await passesSuite(each)).length, 19)
  })
}

for (const each of present('workerd', 'jsc')) {
  test(`${each.name}: the 15 checks of a runtime without threads or a file system`, async () => {
    const names = await passesSuite(each)
    assert.is(names.length, 15)
    for (const name of EVERYWHERE) assert.ok(names.includes(name), name)
  })
}

for (const each of present('workerd')) {
  test('workerd: a host made at global scope, files from a binding', async () => {
    const answer = await each.run({ entry: 'test/runtimes/workerd-global.mjs', folders: { 'tiny-bert': 'test/fixtures/tiny-bert' } }) as { width: number, ids: number[], asked: boolean }
    assert.equal([answer.width, answer.ids[0], answer.ids.at(-1), answer.asked], [48, 2, 3, true])
  })
}

test.run()
