// slow
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { sotto } from './support.ts'

const BASE = ['budget', '--population', '1000000', '--delta', '1e-6']

async function solved(...args: string[]) {
  const { code, out, err } = await sotto([...BASE, ...args, '--json'])
  assert.is(code, 0, err)
  return JSON.parse(out)
}

test('sigma 0.80048 and epsilon 2 belong together (cohort 5,000, 1,000 rounds): within 2e-5, never below', async () => {
  const cost = await solved('--cohort', '5000', '--rounds', '1000', '--sigma', '0.80048')
  assert.ok(Math.abs(cost.epsilon - 2) < 1e-4, String(cost.epsilon))
  assert.is(cost.solvedFor, 'epsilon')
  const noise = await solved('--cohort', '5000', '--rounds', '1000', '--epsilon', '2')
  assert.ok(noise.sigma >= 0.80047 && noise.sigma < 0.80050, String(noise.sigma))
  assert.ok(noise.epsilon <= 2 && noise.epsilon > 1.9999)
  assert.is(noise.solvedFor, 'sigma')
})

test('rounds and cohort are the largest that the budget pays for: within 1 %, and within the budget', async () => {
  const rounds = await solved('--cohort', '5000', '--sigma', '0.80048', '--epsilon', '2')
  assert.ok(Math.abs(rounds.rounds - 1000) <= 10, String(rounds.rounds))
  assert.ok(rounds.epsilon <= 2)
  const cohort = await solved('--rounds', '1000', '--sigma', '0.80048', '--epsilon', '2')
  assert.ok(Math.abs(cohort.cohort - 5000) <= 50, String(cohort.cohort))
  assert.ok(cohort.epsilon <= 2)
})

test('JSON says what was assumed; Renyi DP is above; the curve grows to the answer; substitution costs more', async () => {
  const plain = await solved('--cohort', '5000', '--rounds', '1000', '--sigma', '0.9')
  assert.ok(plain.rdpEpsilon > plain.epsilon)
  assert.equal([plain.unit, plain.adjacency, plain.sampling], ['client', 'add-remove', 'Poisson'])
  assert.ok(plain.assumed.some((line: string) => /Whoever runs the rounds must enforce/.test(line)))
  assert.ok(plain.assumed.some((line: string) => /Not covered: choosing settings/.test(line)))
  const curve = plain.curve as { rounds: number, epsilon: number }[]
  assert.ok(curve.every((point, i) => i === 0 || (point.epsilon >= curve[i - 1].epsilon && point.rounds > curve[i - 1].rounds)))
  assert.is(curve[curve.length - 1].epsilon, plain.epsilon)
  const other = await solved('--cohort', '5000', '--rounds', '1000', '--sigma', '0.9', '--adjacency', 'substitute')
  assert.ok(other.epsilon > plain.epsilon * 1.2)
})

test('for people: numbers rounded up, a table, a plot and the assumptions in words', async () => {
  const { code, out, err } = await sotto([...BASE, '--cohort', '5000', '--rounds', '1000', '--epsilon', '2'])
  assert.is(code, 0, err)
  assert.match(out, /^epsilon +2\.0000 at delta = 1e-6/m)
  assert.match(out, /^sigma +0\.8004[89]\d* +<- solved for/m)
  assert.match(out, /^rounds +epsilon$/m)
  assert.match(out, /^1,000 +2\.0000$/m)
  assert.ok(out.split('\n').filter(line => /[|+] *\*/.test(line)).length >= 6, out)
  assert.match(out, /^Assumed$/m)
  assert.match(out, /devices that come when they please do not\s+sample themselves/)
})

test('help and version go to standard output with code 0', async () => {
  for (const args of [['--help'], ['simulate', '--help'], ['budget', '--help']]) {
    const { code, out, err } = await sotto(args)
    assert.is(code, 0)
    assert.match(out, /^Usage: sotto/)
    assert.is(err, '')
  }
  assert.match((await sotto(['--version'])).out, /^\d+\.\d+\.\d+\n$/)
})

test.run()
