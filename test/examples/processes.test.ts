// slow: starts runtimes
/** The example in Deno and Bun, on its own mails and on a file: the same adapter and contribution as in Node, and files that load. */
import { execFileSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { sha256 } from '../../examples/filter/filter.ts'
import type { Report } from '../../examples/filter/train.ts'
import { inNode, present, temporary } from './support.ts'

const COMMANDS: Record<string, string[]> = {
  deno: ['run', '--allow-read', '--allow-write', 'examples/deno/train.ts'], bun: ['run', 'examples/bun/train.ts'],
}

test('in Node the filter learns the mails and judges others no worse', async () => {
  const report = await inNode()
  assert.is(report.learned, report.mails)
  assert.ok(report.samplesAfter >= report.samplesBefore && report.samplesAfter >= report.samples - 1, `${report.samplesBefore}, ${report.samplesAfter}`)
})

for (const { name, path } of present('deno', 'bun')) {
  test(`${name}: the bits of Node; the adapter that it writes is the one that it names`, async () => {
    const reference = await inNode()
    const output = execFileSync(path, COMMANDS[name], { encoding: 'utf8', timeout: 300_000, stdio: ['ignore', 'pipe', 'inherit'] }).trim().split('\n')
    const report = JSON.parse(output.at(-1)!) as Report
    assert.equal(report, { ...reference, runtime: name })
    const written = readFileSync(`build/examples/adapter-${name}/adapter_model.safetensors`)
    assert.is(await sha256(written), reference.adapter)
    assert.ok(output.some(line => line.includes(`adapter: SHA-256 ${reference.adapter}`)))
  })

  test(`${name}: other mails from a file give another adapter; a file that is none is refused`, async () => {
    const mails = join(temporary(name), 'mails.json')
    writeFileSync(mails, JSON.stringify([{ text: 'Cheese club\nfree tasting', label: 'ham' }, { text: 'Parcel\nplease pay', label: 'spam' }]))
    const run = () => execFileSync(path, [...COMMANDS[name], mails], { encoding: 'utf8', timeout: 300_000, stdio: ['ignore', 'pipe', 'pipe'] })
    const report = JSON.parse(run().trim().split('\n').at(-1)!) as Report
    assert.is(report.mails, 2)
    assert.is.not(report.adapter, (await inNode()).adapter)
    writeFileSync(mails, '[{ "text": "x", "label": "perhaps" }]')
    assert.throws(run, (error: { stderr: string }) => /expected a list of mails/.test(error.stderr))
  })
}

test.run()
