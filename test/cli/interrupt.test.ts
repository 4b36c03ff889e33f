import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { listed, start, workspace } from './support.ts'

test('the first Ctrl-C ends after the round under way, writes what there is, and gives 130', async () => {
  const folder = workspace({ method: undefined, rounds: 500, runs: [{ name: 'a', method: 'lora', privacy: null }, { name: 'b', method: 'dylora' }] })
  const run = start(['simulate', 'mail.json'], folder)
  await run.until(/round \d+\/500/)
  run.kill('SIGINT')
  const { code, out, err } = await run.done
  assert.is(code, 130, err)
  assert.match(err, /stopping after this round/)
  const { runs, notStarted } = JSON.parse(readFileSync(join(folder, 'runs/mail/results.json'), 'utf8'))
  assert.is(runs.length, 1)
  assert.ok(runs[0].rounds >= 1 && runs[0].rounds < 500)
  assert.equal(notStarted, ['b'])
  assert.match(out, /was stopped after \d+ of 500 rounds/)
  assert.ok(existsSync(join(folder, 'runs/mail/a/adapter_model.safetensors')))
})

test('the second Ctrl-C ends at once and leaves nothing', async () => {
  // a round that takes minutes, in threads of its own
  const folder = workspace({ local: { epochs: 1000, batchSize: 1, learningRate: 1e-6 }, threads: 2 })
  const run = start(['simulate', 'mail.json'], folder)
  await run.until(/begins/)
  run.kill('SIGINT')
  await run.until(/stopping after this round/)
  run.kill('SIGINT')
  const { code, err } = await run.done
  assert.is(code, 130, err)
  assert.equal(listed(folder), ['mail.json', 'test.jsonl', 'train.jsonl'])
})

test.run()
