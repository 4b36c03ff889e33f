// slow
import { cpSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { jsonl, listed, sotto, start, workspace } from './support.ts'

// without sampling: its epsilon takes no time
const privacy = { unit: 'client', adjacency: 'add-remove', noiseMultiplier: 5, delta: 1e-6, population: 5000, noiseCohort: 5000, clip: 0.5 }
const folder = workspace({ rounds: 3, privacy })
const made = await sotto(['simulate', 'mail.json', '--quiet'], folder)
assert.is(made.code, 0, made.err)
const run = join(folder, 'runs/mail')
const lines = readFileSync(join(run, 'transcript.jsonl'), 'utf8').trimEnd().split('\n').map(line => JSON.parse(line))

/** A copy of the run, to be damaged. */
function copied(change: (at: string) => void): string {
  const at = join(folder, `copy-${Math.random().toString(36).slice(2)}`)
  cpSync(run, at, { recursive: true })
  change(at)
  return at
}

test('from the contributions on: equal, exit code 0, a row for each check, what was not checked says why', async () => {
  const before = listed(run)
  const { code, out, err } = await sotto(['verify', 'runs/mail'], folder)
  assert.is(code, 0, err)
  assert.match(out, new RegExp(`^mail: equal; 3 rounds lead to the final hash ${lines.at(-1).end.state}`))
  assert.match(out, /^ {2}equal +\d+ +contributions: hash, range and norm$/m)
  assert.match(out, /^ {2}not checked +clients trained again, integer by integer +the clients' data was not given$/m)
  assert.match(out, /Nothing differs\. /)
  assert.match(err, /mail {2}round 3\/3 {2}finishing/)
  assert.equal(listed(run), before)
})

test('with the data, which the settings in the folder name or the command does: on any number of threads', async () => {
  const files = ['--data', join(folder, 'train.jsonl'), join(folder, 'test.jsonl')]
  for (const more of [['--data'], ['--data', '--threads', '2'], [...files, '--threads', '1']]) {
    const { code, out, err } = await sotto(['verify', 'runs/mail', '--quiet', '--json', ...more], folder)
    assert.is(code, 0, err)
    const found = JSON.parse(out)
    assert.equal([found.verdict, found.reached], ['equal', lines.at(-1).end.state])
    assert.ok(found.checks.every(({ outcome }: { outcome: string }) => outcome === 'equal'), out)
  }
})

test('one client is trained again; one that was not there is refused', async () => {
  const [client] = lines[2].clients
  const { code, out, err } = await sotto(['verify', 'runs/mail', '--client', String(client), '--round', '2', '--quiet'], folder)
  assert.is(code, 0, err)
  assert.match(out, /^mail: nothing differs in 2 of 3 rounds/)
  assert.match(out, new RegExp(`equal +1 +clients trained again, integer by integer +only client ${client} in round 2, as asked`))
  const absent = [0, 1, 2, 3, 4, 5, 6, 7].find(one => !lines[2].clients.includes(one))
  const none = await sotto(['verify', 'runs/mail', '--client', String(absent), '--round', '2'], folder)
  assert.is(none.code, 2)
  assert.match(none.err, /"client" expected one that took part in round 2/)
})

test('a bit of the arrays: exit code 1, and the round is named', async () => {
  const damaged = copied(at => {
    const file = join(at, 'transcript.bin'), bytes = readFileSync(file)
    bytes[bytes.length - 5] ^= 4
    writeFileSync(file, bytes)
  })
  const { code, out } = await sotto(['verify', damaged, '--quiet'], folder)
  assert.is(code, 1)
  assert.match(out, /^mail: DIFFERS, after 2 of 3 rounds gone through$/m)
  assert.match(out, /^ {2}first difference: round 3[,:]/m)
  assert.match(out, /Something differs: mail, round 3/)
})

test('other texts of a client: the round, the client and the tensor', async () => {
  const rows = readFileSync(join(folder, 'train.jsonl'), 'utf8').trimEnd().split('\n').map(row => JSON.parse(row))
  const [client] = lines[1].clients
  writeFileSync(join(folder, 'other.jsonl'), jsonl(rows.map(row => row.client === `person ${client}` ? { ...row, text: 'win a prize' } : row)))
  const { code, out } = await sotto(['verify', 'runs/mail', '--data', 'other.jsonl', 'test.jsonl', '--quiet', '--json'], folder)
  assert.is(code, 1)
  const { first, differences } = JSON.parse(out)
  assert.equal([first.check, first.round, first.client], ['training', 1, client])
  assert.ok(lines[1].plan.slice.parts.some(({ tensor }: { tensor: string }) => tensor === first.tensor))
  assert.ok(differences.some(({ check, client: who }: { check: string, client: number }) => check === 'data' && who === client))
})

test('nothing to verify, or half a question: exit code 2 and one line', async () => {
  const empty = copied(at => rmSync(join(at, 'transcript.jsonl')))
  const moved = copied(at => rmSync(join(at, 'config.json')))
  for (const [args, pattern] of [
    [['nowhere'], /"run" expected the folder of a run, got none at "nowhere"/],
    [[empty], /expected transcript\.jsonl in .*, got none/],
    [['runs/mail', '--client', '1'], /"--client" and "--round" expected both/],
    [['runs/mail', '--run', 'other'], /"--run" expected one of mail, got other/],
    [['runs/mail', '--model', 'nowhere'], /"--model" expected a folder, got none/],
    [[moved, '--data'], /"--model" expected the folder of the model/],
    [[moved, '--data', 'train.jsonl', '--model', 'runs'], /"--data" expected two files/],
  ] as [string[], RegExp][]) {
    const { code, out, err } = await sotto(['verify', ...args], folder)
    assert.is(code, 2, `${args.join(' ')}: ${err}`)
    assert.is(out, '')
    assert.match(err, pattern)
    assert.is(err.trimEnd().split('\n').length, 1)
  }
})

test('several runs in a folder; hashes alone where they are asked for; none at all', async () => {
  const several = workspace({ method: undefined, rounds: 2, privacy, runs: [{ name: 'plain', method: 'lora', privacy: null }, { name: 'fresh', method: 'dylora', noise: 'system' }] })
  await sotto(['simulate', 'mail.json', '--quiet', '--transcript', 'hashes'], several)
  assert.not.ok(listed(join(several, 'runs/mail/plain')).includes('transcript.bin'))
  const blind = await sotto(['verify', 'runs/mail', '--quiet'], several)
  assert.is(blind.code, 0, blind.err)
  assert.match(blind.out, /fresh: nothing differs in 2 rounds; the final state was not computed/)
  const seen = await sotto(['verify', 'runs/mail', '--quiet', '--data', '--run', 'plain'], several)
  assert.match(seen.out, /^plain: equal; 2 rounds/)
  await sotto(['simulate', 'mail.json', '--quiet', '--transcript', 'none', '--run', 'plain', '--out', 'bare'], several)
  assert.not.ok(listed(join(several, 'bare')).some(name => name.startsWith('transcript')))
  assert.is(JSON.parse(readFileSync(join(several, 'bare/privacy.json'), 'utf8')).transcript, null)
})

test('Ctrl-C ends after the round under way and says how far it came: 130', async () => {
  const long = workspace({ rounds: 30, evaluateEvery: 30, privacy: undefined, local: { epochs: 4, batchSize: 1, learningRate: 0.01 } })
  await sotto(['simulate', 'mail.json', '--quiet'], long)
  const verifying = start(['verify', 'runs/mail', '--data', '--threads', '1'], long)
  await verifying.until(/round \d+\/30/)
  verifying.kill('SIGINT')
  const { code, out, err } = await verifying.done
  assert.is(code, 130, err)
  assert.match(out, /^mail: stopped; nothing differs in \d+ of 30 rounds/)
})

test.run()
