// slow
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { parseSafetensors } from '../../src/checkpoint/safetensors.ts'
import { loadModel } from '../../src/model/load.ts'
import { importAdapter } from '../../src/peft/checkpoint.ts'
import { pldAccountant } from '../../src/privacy/accountant/index.ts'
import { node } from '../../src/runtime/node.ts'
import { textClassifier } from '../../src/train/classifier.ts'
import { argmaxRows } from '../../src/train/argmax.ts'
import { predict } from '../../src/train/step.ts'
import { listed, mailRows, sotto, workspace } from './support.ts'

const read = (...path: string[]) => readFileSync(join(...path), 'utf8')
const json = (...path: string[]) => JSON.parse(read(...path))

test('one run leaves adapter, statement, transcript, settings, results and report, and a table', async () => {
  const folder = workspace()
  const { code, out, err } = await sotto(['simulate', 'mail.json'], folder)
  assert.is(code, 0, err)
  const run = join(folder, 'runs/mail')
  assert.equal(listed(run), [
    'adapter_config.json', 'adapter_model.safetensors', 'classifier.json', 'config.json', 'head.safetensors', 'ledger.jsonl',
    'privacy.json', 'report.html', 'results.json', 'transcript.bin', 'transcript.jsonl',
  ])
  assert.match(out, /^run +accuracy +epsilon +down +up +rounds +time$/m)
  assert.match(out, /simulation: no guarantee/)
  assert.match(out, /Choosing settings by looking at results, this comparison included, is not covered/)
  assert.match(out, /the noise cohort/)
  assert.match(err, /round 4\/4 {2}accuracy [\d.]+ % {2}epsilon [\d.]+ .* loss [\d.]+ {2}rank \d {2}[\d.]+ clients\/s/)
  assert.match(read(run, 'report.html'), /^<!doctype html>/)
})

test('the adapter, imported into the model again, has the accuracy of results.json', async () => {
  const folder = workspace()
  assert.is((await sotto(['simulate', 'mail.json', '--quiet'], folder)).code, 0)
  const host = node()
  const { encoder, tokenizer } = await loadModel(host, 'test/fixtures/tiny-bert')
  const { adapter, head, labels } = await importAdapter(encoder, host.folder(join(folder, 'runs/mail')))
  const task = textClassifier({ encoder, adapter, head, labels: labels! })
  const rows = mailRows(4, 6, 'other')
  const predicted = argmaxRows(predict(task, task.pack(rows.map(({ text }) => tokenizer.encode(text, 16)))), 2)
  const accuracy = rows.filter(({ label }, i) => labels![predicted[i]] === label).length / rows.length
  const [run] = json(folder, 'runs/mail/results.json').runs
  assert.is(run.accuracy, accuracy)
  assert.is(run.confusion.flat().reduce((a: number, b: number) => a + b, 0), rows.length)
})

test('the ledger of a run is audited by sotto budget, and says that it is of a simulation', async () => {
  const folder = workspace()
  await sotto(['simulate', 'mail.json', '--quiet'], folder)
  const { code, out, err } = await sotto(['budget', '--ledger', 'runs/mail/ledger.jsonl', '--json'], folder)
  assert.is(code, 0, err)
  const audit = JSON.parse(out)
  assert.ok(Math.abs(audit.epsilon - json(folder, 'runs/mail/privacy.json').epsilon) < 1e-9, String(audit.epsilon))
  assert.is(audit.simulation, true)
})

test('privacy.json states the promise, and its epsilon follows from the events of the transcript alone', async () => {
  const folder = workspace()
  await sotto(['simulate', 'mail.json', '--quiet'], folder)
  const statement = json(folder, 'runs/mail/privacy.json')
  const lines = read(folder, 'runs/mail/transcript.jsonl').trimEnd().split('\n').map(line => JSON.parse(line))
  assert.is(lines.length, 1 + 4 + 1)
  const accountant = lines.slice(1, -1).reduce((sum, { event }) => sum.compose(event), pldAccountant(statement))
  assert.is(accountant.epsilon(1e-6), statement.epsilon)
  assert.ok(statement.crossCheck.epsilon > statement.epsilon)
  assert.is(statement.status, 'simulation, no guarantee')
  assert.equal([statement.unit, statement.adjacency, statement.population, statement.noiseCohort, statement.simulatedCohort, statement.noiseSource],
    ['client', 'add-remove', 1_000_000, 5000, 4, 'seeded'])
  assert.is(statement.sampling.rate, 0.005)
  assert.match(statement.sampling.enforcedBy, /simulation/)
  assert.ok(statement.mu > 0 && statement.attacker.every(({ fpr, tpr }: { fpr: number, tpr: number }) => tpr >= fpr))
  const [head] = lines, end = lines[lines.length - 1]
  assert.match(head.task.hash, /^[0-9a-f]{64}$/)
  for (const line of lines.slice(1, -1)) {
    assert.match(line.planHash, /^[0-9a-f]{64}$/)
    assert.match(line.state, /^[0-9a-f]{64}$/)
    for (const hash of line.contributions) assert.match(hash, /^[0-9a-f]{64}$/)
    assert.ok(line.rank >= 1 && line.rank <= 4)
  }
  assert.match(end.end.state, /^[0-9a-f]{64}$/)
  const ledger = read(folder, 'runs/mail/ledger.jsonl').trimEnd().split('\n').map(line => JSON.parse(line))
  assert.equal(statement.ledger, { entries: ledger.length, head: ledger.at(-1).hash })
  assert.equal(statement.transcript, { head: end.hash })
})

test('the same settings give the same bits: with two threads, and from the settings in the run folder', async () => {
  const folder = workspace()
  const hash = (out: string) => JSON.parse(out).runs[0].finalHash as string
  const first = await sotto(['simulate', 'mail.json', '--json', '--quiet'], folder)
  assert.is(first.err, '')
  const second = await sotto(['simulate', 'mail.json', '--json', '--quiet', '--threads', '2', '--out', 'two'], folder)
  const third = await sotto(['simulate', 'runs/mail/config.json', '--json', '--quiet', '--out', 'three'], folder)
  assert.is(hash(second.out), hash(first.out), second.err)
  assert.is(hash(third.out), hash(first.out), third.err)
  const other = await sotto(['simulate', 'mail.json', '--json', '--quiet', '--seed', '9', '--out', 'four'], folder)
  assert.is.not(hash(other.out), hash(first.out))
})

test('several runs: a folder each, one table, full fine-tuning as a whole model, non-private runs marked', async () => {
  const folder = workspace({
    method: undefined, rounds: 2,
    runs: [{ name: 'plain', method: 'lora', privacy: null }, { name: 'dp-full', method: 'full', local: { learningRate: 0.05 } }],
  })
  const { code, out, err } = await sotto(['simulate', 'mail.json', '--out', 'here'], folder)
  assert.is(code, 0, err)
  assert.equal(listed(join(folder, 'here')), ['config.json', 'dp-full', 'plain', 'report.html', 'results.json'])
  assert.equal(listed(join(folder, 'here/dp-full')), ['classifier.json', 'head.safetensors', 'ledger.jsonl', 'model.safetensors', 'privacy.json', 'transcript.bin', 'transcript.jsonl'])
  assert.match(out, /^plain +[\d.]+ % +none /m)
  assert.match(out, /^dp-full +[\d.]+ % +[\d.]+ /m)
  assert.match(out, /Runs without epsilon are not private/)
  assert.is(json(folder, 'here/plain/privacy.json').status, 'not private')
  const model = parseSafetensors(new Uint8Array(readFileSync(join(folder, 'here/dp-full/model.safetensors'))))
  const base = parseSafetensors(new Uint8Array(readFileSync('test/fixtures/tiny-bert/model.safetensors')))
  assert.equal([...model.tensors.keys()].filter(name => !base.tensors.has(name)), [])
})

test('CSV, other column names, and whole clients held out', async () => {
  const folder = workspace({ data: { train: 'mail.csv', columns: { client: 'who', text: 'body', label: 'kind' }, heldOut: { fraction: 0.3 } } })
  const rows = mailRows(10, 5).map(({ client, text, label }) => `${client},"${text}",${label}`)
  const { writeFileSync } = await import('node:fs')
  writeFileSync(join(folder, 'mail.csv'), `who,body,kind\n${rows.join('\n')}\n`)
  const { code, out, err } = await sotto(['simulate', 'mail.json', '--json', '--quiet'], folder)
  assert.is(code, 0, err)
  const { data } = JSON.parse(out)
  assert.is(data.heldOut, 'whole clients that training never saw')
  assert.is(data.nearDuplicatesInTraining, 0)
  assert.ok(data.test > 0 && data.clients < 10)
})

test.run()
