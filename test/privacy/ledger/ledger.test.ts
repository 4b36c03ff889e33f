import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { hashBytes } from '../../../src/canonical.ts'
import {
  composed, gaussian, matrixFactorisation, noEvent, nonPrivate, pldAccountant, poissonGaussian, selfComposed, type PrivacyEvent,
} from '../../../src/privacy/accountant/index.ts'
import { withNoise } from '../../../src/privacy/ledger/budget.ts'
import { auditLedger, BudgetError, createLedger, memoryLedger, openLedger, requireGuarantee } from '../../../src/privacy/ledger/index.ts'
import { rejects } from '../../support/rejects.ts'
import { BUDGET, event, modelOf, mustHold, OPTIONS, planOf, runTo, spendOne } from './support.ts'

const test = suite('ledger')

const epsilonOf = (event: PrivacyEvent, count: number): number =>
  pldAccountant(BUDGET).compose(event, count).epsilon(BUDGET.delta)

test('every ε so far is that of the events so far, recorded and recomputed to the bit', async () => {
  const store = memoryLedger()
  const ledger = await runTo(store, 5)
  const audit = mustHold(store.lines, [ledger.model])
  assert.is(audit.rounds.length, 5)
  audit.rounds.forEach((round, i) => {
    assert.is(round.recorded, epsilonOf(event(), i + 1))
    assert.is(round.recomputed, round.recorded)
    assert.ok(round.released)
  })
  assert.is(audit.epsilon, ledger.epsilon)
  assert.is(audit.simulation, false)
  assert.match(audit.text, /differentially private for each client/)
  requireGuarantee(audit)
})

test('a budget pays for exactly as many rounds as fit; the next is refused before anything is written', async () => {
  const store = memoryLedger()
  const ledger = await createLedger(store, OPTIONS)
  let most = 0
  while (epsilonOf(event(), most + 1) <= 3) most++
  assert.ok(most > 50 && most < 500, `${most}`)
  for (let i = 0; i < most - 3; i++) await spendOne(ledger)
  assert.is(ledger.left(event()).rounds, 3)
  for (let i = 0; i < 3; i++) await spendOne(ledger)
  const lines = store.lines.length
  let refused: BudgetError | undefined
  try { ledger.authorise(event()) } catch (error) { refused = error as BudgetError }
  assert.instance(refused, BudgetError)
  assert.is(refused!.name, 'PrivacyError')
  assert.match(refused!.message, new RegExp(`round ${most + 1} expected a budget of at least`))
  assert.match(refused!.message, /before it started\. No rounds with noise multiplier 20 still fit; one fits with noise multiplier/)
  const { left } = refused!
  assert.is(left.rounds, 0)
  assert.is(left.spent, epsilonOf(event(), most))
  // the answers fit, and a hundredth less noise does not
  for (const [noise, count] of [[left.noiseForOne!, 1], [left.noiseForTen!, 10]]) {
    const cost = (sigma: number) => pldAccountant(BUDGET).compose(event(), most).compose(withNoise(event(), sigma)!, count).epsilon(1e-6)
    assert.ok(cost(noise) <= 3, `${count}: ${noise}`)
    assert.ok(cost(noise * 0.99) > 3, `${count}: ${noise}`)
  }
  await rejects(ledger.spend({ round: most + 1, planHash: planOf(1), event: event(), noise: 'system' }, () => assert.unreachable() as never), /refused before/)
  assert.is(store.lines.length, lines)
  // and with the noise that was named it goes on
  await ledger.spend({ round: most + 1, planHash: planOf(1), event: withNoise(event(), left.noiseForOne!)!, noise: 'system' }, () => ({ model: modelOf(1, '') }))
  mustHold(store.lines, [ledger.model])
})

test('rounds and noise that still fit, with Poisson sampling, agree with the accountant', async () => {
  const sampled = poissonGaussian({ noiseMultiplier: 1, samplingRate: 0.02 })
  const ledger = await createLedger(memoryLedger(), { ...OPTIONS, budget: { ...BUDGET, epsilon: 1 } })
  const { rounds, noiseForOne, noiseForTen } = ledger.left(sampled)
  const cost = (noiseMultiplier: number, count: number) => epsilonOf(poissonGaussian({ noiseMultiplier, samplingRate: 0.02 }), count)
  assert.ok(rounds >= 1 && cost(1, rounds) <= 1 && cost(1, rounds + 1) > 1, `${rounds}`)
  assert.ok(cost(noiseForOne!, 1) <= 1 && cost(noiseForOne! * 0.99, 1) > 1)
  assert.ok(cost(noiseForTen!, 10) <= 1 && cost(noiseForTen! * 0.99, 10) > 1)
})

test('a round whose release fails is spent, its number is not used again, and nothing is released', async () => {
  const store = memoryLedger()
  const ledger = await runTo(store, 2)
  const { model } = ledger
  await rejects(ledger.spend({ round: 3, planHash: planOf(3), event: event(), noise: 'system' }, () => { throw new Error('no memory') }), /no memory/)
  assert.is(ledger.model, model)
  assert.is(ledger.epsilon, epsilonOf(event(), 3))
  assert.is(ledger.nextRound, 4)
  await rejects(ledger.spend({ round: 3, planHash: planOf(3), event: event(), noise: 'system' }, () => assert.unreachable() as never), /a round number is used once/)
  await spendOne(ledger)
  const audit = mustHold(store.lines, [ledger.model])
  assert.equal(audit.rounds.map(({ round, released }) => [round, released]), [[1, true], [2, true], [3, false], [4, true]])
})

test('what is drawn has to be what was reserved', async () => {
  const ledger = await createLedger(memoryLedger(), OPTIONS)
  const spend = (round: number, more: object) => ledger.spend(
    { round, planHash: planOf(1), event: event(), noise: 'system' }, () => ({ model: modelOf(1, ''), ...more }))
  await rejects(spend(1, { event: event(10) }), /"event" expected what was reserved/)
  await rejects(spend(2, { noise: 'seeded' }), /"noise" expected system/)
  await rejects(spend(3, { model: 'text' }), /"draw" expected to give/)
  assert.is(ledger.entries.filter(entry => entry.kind === 'release').length, 0)
})

test('one round at a time; no round under a closed ledger', async () => {
  const ledger = await createLedger(memoryLedger(), OPTIONS)
  let done = () => {}
  const first = ledger.spend({ round: 1, planHash: planOf(1), event: event(), noise: 'system' },
    () => new Promise(resolve => { done = () => resolve({ model: modelOf(1, '') }) }))
  await rejects(spendOne(ledger), /one round at a time/)
  done()
  await first
  await ledger.close()
  await rejects(spendOne(ledger), /closed/)
})

test('after a commit that failed nothing more is written until the ledger is opened again', async () => {
  const store = memoryLedger()
  let fail = false
  const ledger = await createLedger({ ...store, commit: async (...all) => { if (fail) throw new Error('disk full'); await store.commit(...all) } }, OPTIONS)
  await spendOne(ledger)
  fail = true
  await rejects(spendOne(ledger), /disk full/)
  fail = false
  await rejects(spendOne(ledger), /last commit failed/)
  mustHold(store.lines, [ledger.model])
})

test('two ledgers on one store: the second writer meets an entry that is not its own and is refused', async () => {
  const store = memoryLedger()
  await runTo(store, 1)
  const one = await openLedger(store), two = await openLedger(store)
  await spendOne(one)
  await rejects(spendOne(two), /somebody else has written/)
  mustHold(store.lines, [one.model])
})

test('noise that is seeded, or a round for nothing, is refused; in a simulation it is marked for ever', async () => {
  const production = await createLedger(memoryLedger(), OPTIONS)
  await rejects(spendOne(production, 'seeded'), /expected system noise, got seeded/)
  await rejects(production.spend({ round: 1, planHash: planOf(1), event: noEvent(), noise: 'system' }, () => assert.unreachable() as never), /its event is nothing/)
  await rejects(production.spend({ round: 1, planHash: planOf(1), event: composed([selfComposed(event(), 0)]), noise: 'system' }, () => assert.unreachable() as never), /its event is nothing/)
  await rejects(production.spend({ round: 1, planHash: planOf(1), event: nonPrivate(), noise: 'system' }, () => assert.unreachable() as never), /refused before/)
  const store = memoryLedger()
  const ledger = await createLedger(store, { ...OPTIONS, simulation: true })
  await spendOne(ledger)
  await spendOne(ledger, 'seeded')
  await spendOne(ledger)
  const audit = auditLedger(store.lines)
  assert.ok(audit.valid)
  assert.is(audit.simulation, true)
  assert.is(audit.statement, 'Simulation, no guarantee.')
  assert.throws(() => requireGuarantee(audit), /simulation, no guarantee/)
  await rejects(openLedger(store), /simulation, no guarantee \(seeded or no noise\)/)
  assert.is((await openLedger(store, { simulation: true })).nextRound, 4)
})

test('a simulation without privacy records infinite ε as null and says so', async () => {
  const store = memoryLedger({ keep: 0 })
  const ledger = await createLedger(store, { budget: null, task: 'a task', model: OPTIONS.model, simulation: true })
  await ledger.spend({ round: 1, planHash: planOf(1), event: nonPrivate(), noise: 'none' }, () => ({ model: modelOf(1, '') }))
  assert.is(ledger.epsilon, null)
  assert.is(await store.blob('model', ledger.model), undefined)
  const audit = auditLedger(store.lines)
  assert.ok(audit.valid)
  assert.match(audit.text, /none, no privacy was asked for/)
  await rejects(createLedger(memoryLedger(), { budget: null, task: 'a', model: OPTIONS.model }), /only a simulation/)
  await rejects(createLedger(memoryLedger(), { ...OPTIONS, budget: { ...BUDGET, epsilon: null } }), /only a simulation/)
})

test('correlated noise is paid for once, for its rounds, and not after a round that was lost', async () => {
  const whole = matrixFactorisation({
    noiseMultiplier: 8, rounds: 4, minSeparation: 2, strategy: { kind: 'banded', coefficients: [1, 0.5] },
  })
  const store = memoryLedger()
  const ledger = await createLedger(store, OPTIONS)
  const spend = (cost: object, draw = () => ({ model: modelOf(ledger.nextRound, '') })) =>
    ledger.spend({ round: ledger.nextRound, planHash: planOf(1), event: noEvent(), noise: 'system', ...cost }, draw)
  await spend({ event: whole })
  const paid = ledger.epsilon
  assert.is(paid, epsilonOf(whole, 1))
  for (let i = 0; i < 3; i++) await spend({ covered: ledger.covering })
  assert.is(ledger.epsilon, paid)
  assert.is(ledger.covering, undefined)
  await rejects(spend({ covered: 1 }), /covers no further round/)
  await spend({ event: whole })
  const { covering } = ledger
  await rejects(spend({ covered: covering }, () => { throw new Error('killed') }), /killed/)
  assert.is(ledger.covering, undefined)
  await rejects(spend({ covered: covering }), /correlated noise cannot go on after it/)
  await rejects(spend({ covered: covering, event: event() }), /correlated noise cannot go on|event of its own/)
  mustHold(store.lines, [ledger.model])
})

test('the last release comes back with its state; a changed model is refused', async () => {
  const store = memoryLedger()
  const ledger = await runTo(store, 3)
  const latest = (await ledger.latest())!
  assert.is(hashBytes(latest.model), ledger.model)
  assert.is(new TextDecoder().decode(latest.state), 'state of 3')
  const broken = await openLedger({ ...store, blob: async (kind, hash) => { const bytes = (await store.blob(kind, hash))!; bytes[3] ^= 1; return bytes } })
  await rejects(broken.latest(), /changed or damaged/)
  const lost = await openLedger({ ...store, blob: async () => undefined })
  await rejects(lost.latest(), /missing/)
})

test('wrong arguments name themselves', async () => {
  await rejects(createLedger(memoryLedger(), { ...OPTIONS, model: 'abc' }), /"model" expected 64 hexadecimal digits/)
  await rejects(createLedger(memoryLedger(), { ...OPTIONS, budget: { epsilon: 1, delta: 1e-6 } as never }), /"unit"/)
  await rejects(createLedger(memoryLedger(), { ...OPTIONS, accountant: 'magic' as never }), /"accountant" expected one of/)
  await rejects(createLedger(memoryLedger(), { ...OPTIONS, colour: 1 } as never), /unknown option/)
  await rejects(openLedger(memoryLedger()), /start one with createLedger/)
  const ledger = await createLedger(memoryLedger(), { ...OPTIONS, accountant: 'gaussian' })
  assert.throws(() => ledger.authorise(poissonGaussian({ noiseMultiplier: 1, samplingRate: 0.1 })), /accountant cannot handle/)
  assert.throws(() => ledger.authorise({ kind: 'gaussian' } as never), /noiseMultiplier/)
  assert.ok(ledger.authorise(gaussian({ noiseMultiplier: 30 }))! > 0)
})

test.run()
