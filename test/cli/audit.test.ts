// slow
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { listed, sotto, workspace } from './support.ts'

const QUICK = ['--rounds', '2', '--canaries', '20', '--people', '8', '--quiet']

test('an audit goes into the run\'s folder and report, twice as once; the same seed gives the same', async () => {
  const folder = workspace(), run = join(folder, 'runs/mail')
  await sotto(['simulate', 'mail.json', '--rounds', '2', '--quiet'], folder)
  const files = listed(run), plain = readFileSync(join(run, 'report.html'), 'utf8')
  const { code, out, err } = await sotto(['audit', 'mail.json', ...QUICK], folder)
  assert.is(code, 0, err)
  assert.equal(listed(run), [...files, 'audit.json'].sort())
  const audit = JSON.parse(readFileSync(join(run, 'audit.json'), 'utf8'))
  assert.equal([audit.format, audit.canaries.canaries, audit.canaries.rounds, audit.membership.private.attacks[0].members], ['sotto-audit/1', 20, 2, 4])
  assert.is(audit.membership.open.promise, null)
  assert.ok(audit.membership.private.promise.epsilon > 0)
  assert.ok(audit.canaries.atLeast.dp <= audit.canaries.claimed.epsilon)
  assert.match(out, /^attack +area/m)
  assert.match(out.replace(/\s+/g, ' '), /The claim stands/)
  const once = readFileSync(join(run, 'report.html'), 'utf8')
  assert.match(once, /<svg [^>]*aria-labelledby="membership-title/)
  assert.ok(once.length > plain.length)
  await sotto(['audit', 'mail.json', ...QUICK], folder)
  assert.is(readFileSync(join(run, 'report.html'), 'utf8'), once)
})

for (const [title, args, message] of [
  ['a run that was not made', [], /"--out" expected the folder of a run.*run sotto simulate first/],
  ['an unknown run', ['--run', 'nix'], /"--run" expected one of mail, got nix/],
  ['a share that is none', ['--random-labels', '2'], /from 0 to 1/],
] as const) {
  test(`${title} is refused on one line, exit code 2`, async () => {
    const { code, err } = await sotto(['audit', 'mail.json', ...args], workspace())
    assert.is(code, 2)
    assert.match(err, message)
    assert.is(err.trimEnd().split('\n').length, 1)
  })
}

test('settings without privacy, and more people than there are, are refused', async () => {
  const open = workspace({ privacy: undefined })
  assert.match((await sotto(['audit', 'mail.json'], open)).err, /"privacy" expected settings in at least one run/)
  const folder = workspace()
  await sotto(['simulate', 'mail.json', '--rounds', '1', '--quiet'], folder)
  assert.match((await sotto(['audit', 'mail.json', '--people', '9', '--quiet'], folder)).err, /"--people" expected at most the 8 clients/)
  writeFileSync(join(folder, 'runs/mail/report.html'), 'something else')
  assert.match((await sotto(['audit', 'mail.json', ...QUICK], folder)).err, /expected a report of Sotto, got another page/)
})

test.run()
