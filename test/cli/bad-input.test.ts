// slow
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { jsonl, listed, mailRows, settings, sotto, tempFolder, workspace } from './support.ts'

/** Exit code 2, one line on standard error that matches and is no stack, nothing on standard output. */
async function refuses(args: readonly string[], cwd: string | undefined, pattern: RegExp): Promise<void> {
  const { code, out, err } = await sotto(args, cwd)
  assert.is(code, 2, `${args.join(' ')}: ${out}${err}`)
  const lines = err.trimEnd().split('\n')
  assert.is(lines.length, 1, err)
  assert.match(lines[0], /^sotto: /)
  assert.match(lines[0], pattern)
  assert.not.match(lines[0], /\bat .*:\d+:\d+/)
  assert.is(out, '')
}

const BUDGET = ['budget', '--population', '1000000', '--delta', '1e-6']

for (const [name, args, pattern] of [
  ['no command', [], /expected one of simulate, budget/],
  ['an unknown command', ['simulat'], /unknown command 'simulat'.*simulate/],
  ['an unknown option', ['simulate', 'x.json', '--thread', '2'], /unknown option '--thread'.*--threads/],
  ['a format that is none, without a full stop in the middle', ['quantize', 'x', '--format', 'int3'], /choices are int8, f16; --help lists what there is$/],
  ['no settings file', ['simulate'], /missing required argument 'config'/],
  ['a settings file that is not there', ['simulate', 'nowhere.json'], /expected a JSON file, got none at "nowhere.json"/],
  ['threads that are no number', ['simulate', 'x.json', '--threads', 'two'], /'two' is invalid.*integer of at least 1/],
  ['a budget without population', ['budget', '--delta', '1e-6'], /"--population" expected a number, got none/],
  ['a budget with nothing to solve', [...BUDGET, '--cohort', '5', '--rounds', '9', '--sigma', '1', '--epsilon', '1'], /got all four/],
  ['a budget with two unknowns', [...BUDGET, '--cohort', '5', '--rounds', '9'], /got none for --sigma, --epsilon/],
  ['a budget with a negative sigma', [...BUDGET, '--cohort', '5', '--rounds', '9', '--sigma=-1'], /'-1' is invalid.*above 0/],
  ['a cohort above the population', [...BUDGET, '--cohort', '2e6', '--rounds', '9', '--sigma', '1'], /at most the population/],
  ['a delta of 1', ['budget', '--population', '10', '--delta', '1', '--cohort', '5', '--rounds', '9', '--sigma', '1'], /"--delta" expected a number between 0 and 1/],
  ['an unknown unit', [...BUDGET, '--cohort', '5', '--rounds', '9', '--sigma', '1', '--unit', 'house'], /'house' is invalid.*client/],
  ['a budget that no round can meet', [...BUDGET, '--cohort', '900000', '--sigma', '0.3', '--epsilon', '0.01'], /expected a budget that pays for at least 1/],
] as [string, string[], RegExp][]) {
  test(`${name}: exit code 2 and one line`, () => refuses(args, tempFolder(), pattern))
}

const privacy = { unit: 'client', adjacency: 'add-remove', epsilon: 2, delta: 1e-6, population: 1_000_000, clip: 0.5 }

for (const [name, changes, pattern] of [
  ['an unknown key', { round: 4 }, /unknown key "round"; did you mean "rounds"\?/],
  ['an unknown key further in', { lora: { rank: 4, alpha: 8, site: ['query'] } }, /: lora: .*unknown key "site"; did you mean "sites"\?/],
  ['an unknown key of the privacy', { privacy: { ...privacy, epsilom: 2 } }, /unknown key "epsilom"; did you mean "epsilon"\?/],
  ['rounds as a text', { rounds: 'ten' }, /"rounds" expected an integer of at least 1, got "ten"/],
  ['no rounds', { rounds: undefined }, /"rounds" expected an integer of at least 1, got none/],
  ['a negative learning rate', { local: { epochs: 1, batchSize: 1, learningRate: -1 } }, /"local.learningRate" expected a number above 0, got -1/],
  ['an unknown method', { method: 'qlora' }, /"method(\.kind)?" expected .*"dylora".*got "qlora"/],
  ['an adapter for full fine-tuning', { method: 'full' }, /"lora" expected none for full fine-tuning/],
  ['a narrow format for full fine-tuning', { method: 'full', lora: undefined, format: 'int8' }, /"format" expected "f32" where the model is trainable, got "int8"/],
  ['no adapter for LoRA', { lora: undefined }, /"lora" expected an object with rank, alpha and sites, got none/],
  ['privacy without a unit', { privacy: { ...privacy, unit: undefined } }, /"privacy.unit" expected one of "client".*got none/],
  ['both epsilon and noise', { privacy: { ...privacy, noiseMultiplier: 1 } }, /either epsilon or noiseMultiplier, got both/],
  ['a cohort above the clients', { cohort: 9 }, /"cohort" expected an integer from 1 to 8, got 9/],
  ['a noise cohort below the cohort', { privacy: { ...privacy, noiseCohort: 2 } }, /"privacy.noiseCohort" expected an integer/],
  ['sites that the model lacks', { lora: { rank: 4, alpha: 8, sites: ['q_proj'] } }, /"sites" expected names of linear layers.*got "q_proj"/],
  ['a model folder that is not there', { model: 'nowhere' }, /model folder expected config.json/],
  ['a data file that is not there', { data: { train: 'nowhere.jsonl', test: 'test.jsonl' } }, /expected "nowhere.jsonl"/],
  ['a test file that is not there', { data: { train: 'train.jsonl', test: 'nowhere.jsonl' } }, /expected "nowhere.jsonl"/],
  ['neither test file nor share', { data: { train: 'train.jsonl' } }, /"data" expected either test or heldOut, got neither/],
  ['a label that no row has', { labels: ['ham', 'spam', 'junk'] }, /"labels" expected labels that occur.*"junk"/],
  ['a label that is not listed', { labels: ['ham', 'junk'] }, /"label" expected one of "ham", "junk", got "spam"/],
  ['an unknown format of data', { data: { train: 'mail.json', test: 'test.jsonl' } }, /ends in .jsonl, .csv or .tsv/],
  ['two runs of one name', { method: undefined, runs: [{ name: 'a', method: 'lora' }, { name: 'A', method: 'dylora' }] }, /different names.*"A" twice/],
  ['a run that brings its own data', { runs: [{ name: 'a', data: {} }] }, /"runs\[0\].data" expected none/],
  ['a fault in the last run', { runs: [{ name: 'a' }, { name: 'b', lora: { sites: ['nope'] } }] }, /got "nope"/],
  ['a name that is a path', { name: '../x' }, /"name" expected a name of letters/],
] as [string, object, RegExp][]) {
  test(`${name}: exit code 2, one line, no output`, async () => {
    const folder = workspace(changes)
    await refuses(['simulate', 'mail.json', '--quiet'], folder, pattern)
    assert.equal(listed(folder), ['mail.json', 'test.jsonl', 'train.jsonl'])
  })
}

for (const [name, rows, pattern] of [
  ['an empty text', [...mailRows(4, 3), { client: 'x', text: ' ', label: 'ham' }], /line 13: "text" expected a text that is not empty/],
  ['a row without client', [...mailRows(4, 3), { text: 'hello', label: 'ham' }], /line 13: "client" expected a name/],
  ['two bad rows, on one line', [{ client: 'x', text: 'a' }, ...mailRows(4, 3), { client: 'x', text: 7, label: 'ham' }], /line 1: "label".*; line 14: "text"/],
  ['only one label', mailRows(4, 3).filter(({ label }) => label === 'ham'), /at least two labels/],
  ['no rows', [], /at least one record/],
] as [string, object[], RegExp][]) {
  test(`${name} in the data: exit code 2, one line with the place, no output`, async () => {
    const folder = workspace()
    writeFileSync(join(folder, 'train.jsonl'), jsonl(rows))
    await refuses(['simulate', 'mail.json', '--quiet'], folder, pattern)
    assert.equal(listed(folder), ['mail.json', 'test.jsonl', 'train.jsonl'])
  })
}

test('settings that are not JSON: the place is told', async () => {
  const folder = tempFolder()
  writeFileSync(join(folder, 'bad.json'), '{ "rounds": 3,, }')
  await refuses(['simulate', 'bad.json'], folder, /"bad.json" expected JSON/)
  writeFileSync(join(folder, 'twice.json'), '{ "rounds": 3, "rounds": 4 }')
  await refuses(['simulate', 'twice.json'], folder, /each key once, got "rounds" again/)
})

test('a folder with other things in it is not replaced', async () => {
  const folder = workspace()
  mkdirSync(join(folder, 'photos'))
  writeFileSync(join(folder, 'photos/holiday.txt'), 'irreplaceable')
  await refuses(['simulate', 'mail.json', '--out', 'photos'], folder, /expected a new folder or one of an earlier run, got "photos"/)
  await refuses(['simulate', 'mail.json', '--out', '.'], folder, /expected a new folder or one of an earlier run/)
  await refuses(['simulate', 'mail.json', '--out', 'train.jsonl'], folder, /expected a folder, got the file/)
  await refuses(['simulate', 'mail.json', '--out', 'train.jsonl/x'], folder, /a place that can be written/)
  assert.equal(listed(join(folder, 'photos')), ['holiday.txt'])
})

test('an unknown run is refused by name', async () => {
  const folder = workspace(settings())
  await refuses(['simulate', 'mail.json', '--run', 'nope'], folder, /"--run" expected one of mail, got nope/)
})

test.run()
