/**
 * Simulated federated training of the small random BERT, through the built package: threads need real files.
 */
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { rejects } from '../support/rejects.ts'
import type { Client, Example } from '../../src/data/example.ts'
import type { SimulationOptions } from '../../src/simulation/index.ts'
import { rng } from '../support/rng.ts'

const built = (path: string) => import(new URL(`../../dist/${path}`, import.meta.url).href)
const { simulate } = await built('simulation/index.js') as typeof import('../../src/simulation/index.ts')
const { node } = await built('runtime/node.js') as typeof import('../../src/runtime/node.ts')

const HAM = 'meeting tomorrow reply mailing list', SPAM = 'win free money click'

/** Words of one label with a few of the other. */
function text(source: ReturnType<typeof rng>, label: string): string {
  const [own, other] = (label === 'spam' ? [SPAM, HAM] : [HAM, SPAM]).map(words => words.split(' '))
  return Array.from({ length: source.int(5, 11) }, () => {
    const words = source.uniform() < 0.9 ? own : other
    return words[source.int(0, words.length - 1)]
  }).join(' ')
}

function examples(seed: number, count: number): Example[] {
  const source = rng(seed)
  return Array.from({ length: count }, () => {
    const label = source.uniform() < 0.5 ? 'spam' : 'ham'
    return { label, text: text(source, label) }
  })
}

const clients: Client[] = Array.from({ length: 24 }, (_, i) => ({ id: `person ${i}`, examples: examples(i + 1, 3 + i % 4) }))

function settings(changes: Partial<SimulationOptions> = {}): SimulationOptions {
  return {
    host: node(),
    task: { model: 'test/fixtures/tiny-bert', labels: ['ham', 'spam'], lora: { rank: 4, alpha: 8, sites: ['query', 'value'], seed: 7 } },
    method: { kind: 'dylora' },
    clients, test: examples(99, 40),
    rounds: 4, cohort: 6,
    local: { epochs: 1, batchSize: 2, learningRate: 0.1 },
    server: { optimizer: 'adam', learningRate: 0.02 },
    privacy: { unit: 'client', adjacency: 'add-remove', epsilon: 2, delta: 1e-6, population: 1_000_000, noiseCohort: 5000, clip: 0.3 },
    seed: 3, threads: 1,
    ...changes,
  }
}

test('the result has the same bits on 1, 2 and 3 threads, and from run to run; another seed gives another', async () => {
  const alone = await simulate(settings()).result()
  for (const threads of [1, 2, 3]) {
    const again = await simulate(settings({ threads })).result()
    assert.is(again.threads, threads)
    assert.is(again.finalHash, alone.finalHash, `${threads} threads`)
    assert.equal(again.rounds.map(round => round.contributionHashes), alone.rounds.map(round => round.contributionHashes))
    assert.equal(again.confusion, alone.confusion)
  }
  assert.is.not((await simulate(settings({ seed: 4 })).result()).finalHash, alone.finalHash)
})

test('every method trains on threads as alone: LoRA in all factors, both variants of DyLoRA, all weights', async () => {
  const full = { task: { model: 'test/fixtures/tiny-bert', labels: ['ham', 'spam'] }, method: { kind: 'full' as const } }
  const methods: Partial<SimulationOptions>[] = [
    { method: { kind: 'lora' } }, { method: { kind: 'lora', factors: 'B' } }, { method: { kind: 'lora', factors: 'alternate' } },
    { method: { kind: 'dylora', variant: 'row' } }, { method: { kind: 'dylora', ranks: [1, 2, 4], factors: 'B' } }, full,
  ]
  for (const changes of methods) {
    const [one, two] = [
      await simulate(settings({ ...changes, rounds: 2 })).result(), await simulate(settings({ ...changes, rounds: 2, threads: 2 })).result()]
    assert.is(two.finalHash, one.finalHash, JSON.stringify(changes.method))
    assert.is.not(one.rounds[0].stateHash, one.rounds[1].stateHash, JSON.stringify(changes.method))
  }
})

test('a rank prefix is all that moves: with rank 1 in every round the other rows keep their bits', async () => {
  const at = async (rounds: number, ranks: number[]) => {
    const { classifier } = await simulate(settings({ rounds, method: { kind: 'dylora', ranks } })).result()
    return classifier.adapter!.pairs.map(({ A, Bt }) => [A.read(1), Bt.read(1), Bt.read(0, 1)])
  }
  for (const [pair, [A, Bt, first]] of (await at(3, [1])).entries()) {
    assert.ok(Bt.every(x => x === 0), `pair ${pair}: B beyond rank 1`)
    assert.ok(first.some(x => x !== 0), `pair ${pair}: B of rank 1`)
    assert.equal(A, (await at(1, [1]))[pair][0], `pair ${pair}: A beyond rank 1`)
  }
})

test('upload and download follow the rank of the round', async () => {
  const run = await simulate(settings({ rounds: 8 })).result()
  assert.ok(new Set(run.rounds.map(round => round.rank)).size > 1)
  for (const { rank, bytesDown } of run.rounds) assert.is(bytesDown, 4 * (rank! * 4 * (48 + 48) + 2 * 48 + 2))
})

test('ε grows with the rounds, ends at the budget and not beyond; the noise of a deployment is on record', async () => {
  const run = await simulate(settings({ rounds: 5 })).result()
  const spent = run.rounds.map(round => round.epsilon!)
  spent.forEach((epsilon, i) => assert.ok(i === 0 || epsilon > spent[i - 1]))
  assert.ok(run.epsilon! <= 2 && run.epsilon! > 1.98, String(run.epsilon))
  assert.is(run.noise, 'seeded')
  assert.equal(run.rounds[0].event.kind, 'poisson-sampled')
})

test('a budget that the noise does not keep is refused before the round', async () => {
  const { epsilon: _, ...rest } = settings().privacy!
  const free = await simulate(settings({ rounds: 2, privacy: { ...rest, noiseMultiplier: 0.5 } })).result()
  assert.ok(free.epsilon! > 2)
})

test('without privacy it learns; training losses fall', async () => {
  const { privacy: _, ...open } = settings({ rounds: 30, cohort: 10, local: { epochs: 2, batchSize: 2, learningRate: 0.1 }, server: { optimizer: 'sgd', learningRate: 1 } })
  const run = await simulate(open).result()
  assert.ok(run.accuracy >= 0.85, String(run.accuracy))
  assert.ok(run.rounds.at(-1)!.loss < run.rounds[0].loss)
  assert.is(run.noise, 'none')
  assert.is(run.epsilon, undefined)
})

test('fresh noise differs from run to run, and nothing else does', async () => {
  const [a, b] = [await simulate(settings({ noise: 'system' })).result(), await simulate(settings({ noise: 'system' })).result()]
  assert.is.not(a.finalHash, b.finalHash)
  assert.equal(a.rounds[0].contributionHashes, b.rounds[0].contributionHashes)
})

test('an adaptive clip norm leaves its start towards the median of the updates, within the same budget', async () => {
  const run = await simulate(settings({
    rounds: 12, cohort: 12, privacy: { ...settings().privacy!, clip: 3, adaptiveClip: { quantile: 0.5, rate: 0.5 } },
  })).result()
  const [first, last] = [run.rounds[0], run.rounds.at(-1)!]
  assert.is(first.clip, 3)
  assert.is(first.clippedShare, 0)
  assert.ok(last.clip < 1 && last.clip < 3 * first.updateNorm, `${last.clip} from updates of ${first.updateNorm}`)
  assert.ok(run.epsilon! <= 2)
})

test('stop() ends after the round under way', async () => {
  const run = simulate(settings({ rounds: 50 }))
  let seen = 0
  for await (const _ of run) if (++seen === 2) run.stop()
  assert.is(seen, 2)
  assert.is((await run.result()).rounds.length, 2)
})

const bad: [string, Partial<SimulationOptions> | Record<string, unknown>, RegExp][] = [
  ['an unknown option', { colour: 'red' }, /unknown option "colour"/],
  ['a cohort larger than the population', { cohort: 25 }, /"cohort" expected .* 1 to 24, got 25/],
  ['no clients', { clients: [] }, /"clients" expected at least one/],
  ['an empty client', { clients: [{ id: 'a', examples: [] }] , cohort: 1 }, /client "a" expected at least one example/],
  ['an empty text', { clients: [{ id: 'a', examples: [{ text: ' ', label: 'ham' }] }], cohort: 1 }, /expected some text/],
  ['an unknown label', { test: [{ text: 'x', label: 'eggs' }] }, /expected one of "ham", "spam", got "eggs"/],
  ['the same client twice', { clients: [clients[0], clients[0]], cohort: 1 }, /different ids/],
  ['an adapter in full fine-tuning', { method: { kind: 'full' } }, /expected none for full fine-tuning/],
  ['a rank beyond the adapter', { method: { kind: 'dylora', ranks: [5] } }, /from 1 to 4, got 5/],
  ['both ε and noise', { privacy: { ...settings().privacy!, noiseMultiplier: 1 } }, /either epsilon or noiseMultiplier, got both/],
  ['a noise cohort below the cohort', { privacy: { ...settings().privacy!, noiseCohort: 5 } }, /noiseCohort/],
]
for (const [title, changes, message] of bad) {
  test(`${title} is refused before anything is loaded`, () => {
    assert.throws(() => simulate(settings(changes as Partial<SimulationOptions>)), message)
  })
}

test('a model folder that is none, or lacks the sites asked for, is refused', async () => {
  const task = settings().task
  await rejects(simulate(settings({ task: { ...task, model: 'test/nowhere' } })).result(), /config\.json/)
  for (const threads of [1, 2]) {
    const sites = { ...task, lora: { ...task.lora!, sites: ['nothing'] } }
    await rejects(simulate(settings({ task: sites, threads })).result(), /names of linear layers/)
  }
})

test.run()
