// slow
/** Runs of every method are replayed to the same final hash: from the contributions on, with data, on a bare host. */
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import type { SimulationOptions } from '../../src/simulation/index.ts'
import { forge, host, linesOf, MODEL, settings, train, verify, withData } from './support.ts'

const { privacy } = settings()
const { privacy: _, ...open } = settings()
const full: Partial<SimulationOptions> = { method: { kind: 'full' }, task: { model: MODEL, labels: ['ham', 'spam'] }, rounds: 2 }

const methods: [string, Partial<SimulationOptions>][] = [
  ['LoRA', { method: { kind: 'lora' } }],
  ['FFA-LoRA', { method: { kind: 'lora', factors: 'B' } }],
  ['RoLoRA, with momentum of the server', { method: { kind: 'lora', factors: 'alternate' }, server: { optimizer: 'sgd', learningRate: 1, momentum: 0.9 } }],
  ['DyLoRA by rows', { method: { kind: 'dylora', variant: 'row' } }],
  ['DyLoRA of B with some ranks', { method: { kind: 'dylora', ranks: [1, 4], factors: 'B' } }],
  ['full fine-tuning', full],
  ['a clip norm that follows a quantile and the rank', { privacy: { ...privacy!, clipRule: 'inverse', adaptiveClip: { quantile: 0.5, rate: 0.5 } } }],
  ['fresh noise', { noise: 'system' }],
  ['fresh noise and a clip norm that follows it', { noise: 'system', privacy: { ...privacy!, adaptiveClip: {} } }],
  ['dropout, momentum and epochs of the clients', { local: { epochs: 2, batchSize: 2, learningRate: 0.1, momentum: 0.5, dropout: 0.2, maxExamples: 2, maxGradientNorm: 0.5 } }],
]

for (const [title, changes] of methods) {
  test(`${title}: equal with data and without, with the model and without`, async () => {
    const files = await train(changes)
    const { end } = linesOf(files).end
    for (const options of [{}, { model: MODEL }, withData]) {
      const found = await verify(files, options)
      assert.equal(found.differences, [])
      assert.is(found.reached, end.state)
    }
  })
}

test('without privacy: equal, and no noise is said to have been checked', async () => {
  const { simulate } = await import('../../src/simulation/index.ts')
  const { transcriptRecorder } = await import('../../src/replay/index.ts')
  const { entryText } = await import('../../src/privacy/ledger/index.ts')
  const recorder = transcriptRecorder()
  const { ledger } = await simulate({ ...open, recorder }).result()
  const files = { ...recorder.files(), 'ledger.jsonl': ledger.map(entry => `${entryText(entry)}\n`).join('') }
  const found = await verify(files, { ...withData })
  assert.equal(found.differences.map(({ check }) => check).filter(check => check !== 'trained model'), [])
  assert.is(found.checks.find(({ name }) => name === 'noise')!.outcome, 'not checked')
})

test('what was checked is counted, what was not says why', async () => {
  const files = await train()
  const { rounds } = linesOf(files)
  const contributions = rounds.reduce((sum, { clients }) => sum + clients.length, 0)
  const count = (found: Awaited<ReturnType<typeof verify>>) => Object.fromEntries(found.checks.map(check => [check.name, check.count]))
  assert.equal(count(await verify(files, withData)), {
    transcript: 5, files: 5, ledger: 7, model: 4, start: 2, data: 9, plans: 3, clients: 3, contributions, training: contributions,
    noise: 3, releases: 3, states: 3, 'trained model': 4, accuracy: 2,
  })
  const blind = await verify(files)
  for (const name of ['model', 'data', 'training', 'trained model', 'accuracy']) {
    const { outcome, note } = blind.checks.find(check => check.name === name)!
    assert.ok(outcome === 'not checked' && note !== '', name)
  }
})

test('a host without threads, native hashes and pauses gives the same', async () => {
  const { name, version, random, now, module, folder } = host
  const bare = { name, version, random, now, module, folder }
  const files = await train({ noise: 'system' })
  assert.equal(await verify(files, { ...withData, host: bare }), await verify(files, withData))
  assert.equal(await train({ host: bare }), await train())
})

test('the scalar build gives the same', async () => {
  const scalar = { ...host, module: () => host.module('scalar') }
  const files = await train()
  assert.equal(await verify(files, { ...withData, host: scalar }), await verify(files, withData))
  assert.equal(await train({ host: scalar }), files)
})

test('a run that was stopped early is whole; a verification that is stopped says how far it came', async () => {
  const files = await train({ rounds: 9 }, {}, 2)
  assert.is((await verify(files, withData)).verdict, 'equal')
  assert.is(linesOf(files).end.end.rounds, 2)
  const found = await verify(files, { stopped: () => true })
  assert.equal([found.verdict, found.done, found.rounds, found.reached], ['stopped', 1, 2, null])
})

test('a cohort that nobody came to', async () => {
  const files = await train({ cohort: 1, rounds: 6, seed: 8 })
  assert.ok(linesOf(files).rounds.some(({ clients }) => clients.length === 0))
  assert.is((await verify(files, withData)).verdict, 'equal')
})

test('rounds without a promise of order: a transcript without its end was cut', async () => {
  const files = await train()
  const text = String(files['transcript.jsonl']).trimEnd().split('\n').slice(0, -1).join('\n')
  const found = await verify({ ...files, 'transcript.jsonl': `${text}\n` })
  assert.match(found.differences.map(({ message }) => message).join('; '), /expected a line for the end, got none after round 3/)
  assert.is((await verify(forge(files, () => {}))).verdict, 'equal', 'chained anew without a change')
})

test.run()
