/** Events are frozen values, a neighbourhood has no default, and what cannot be handled is an error. */
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import {
  anEvent, approximateDp, composed, discreteGaussian, discreteLaplace, exponential, fixedSizeSampled, gaussian,
  gaussianAccountant, laplace, matrixFactorisation, mixtureGaussian, noEvent, nonPrivate, pldAccountant, poissonGaussian,
  poissonSampled, prvBounds, randomizedResponse, rdpAccountant, selfComposed, tree, truncatedPoisson, UnsupportedEventError,
  zcdp, zcdpAccountant, type PrivacyEvent,
} from '../../../src/privacy/accountant/index.ts'

const ADD = { unit: 'client', adjacency: 'add-remove' } as const
const SUBSTITUTE = { unit: 'client', adjacency: 'substitute' } as const
const makers = [pldAccountant, rdpAccountant, zcdpAccountant, gaussianAccountant]

const all: PrivacyEvent[] = [
  noEvent(), nonPrivate(), gaussian({ noiseMultiplier: 1 }), discreteGaussian({ sigma: 100, sensitivity: 90, dimension: 1000 }),
  laplace({ noiseMultiplier: 2 }), discreteLaplace({ parameter: 0.5, sensitivity: 2 }), approximateDp({ epsilon: 1, delta: 1e-7 }),
  zcdp({ rho: 0.1 }), exponential({ epsilon: 0.5 }), randomizedResponse({ noiseParameter: 0.4, buckets: 5 }),
  mixtureGaussian({ noiseMultiplier: 2, sensitivities: [0, 1], probabilities: [0.9, 0.1] }),
  poissonGaussian({ noiseMultiplier: 1, samplingRate: 0.01 }),
  fixedSizeSampled({ population: 1000, cohort: 10, event: gaussian({ noiseMultiplier: 2 }) }),
  truncatedPoisson({ population: 1000, samplingRate: 0.01, cap: 40, noiseMultiplier: 2 }),
  tree({ noiseMultiplier: 3, rounds: 64, minSeparation: 16 }),
  matrixFactorisation({ noiseMultiplier: 3, strategy: { kind: 'banded', coefficients: [1, 0.5] }, rounds: 64, minSeparation: 16 }),
  composed([gaussian({ noiseMultiplier: 1 }), laplace({ noiseMultiplier: 2 })]),
  selfComposed(gaussian({ noiseMultiplier: 4 }), 5),
]

test('every event is deeply frozen and survives JSON', () => {
  const frozen = (value: unknown): boolean =>
    typeof value !== 'object' || value === null || (Object.isFrozen(value) && Object.values(value).every(frozen))
  for (const event of all) {
    assert.ok(frozen(event), event.kind)
    assert.equal(anEvent(JSON.parse(JSON.stringify(event))), event)
  }
})

test('wrong values are refused by name', () => {
  assert.throws(() => gaussian({ noiseMultiplier: 0 }), /"noiseMultiplier" expected/)
  assert.throws(() => gaussian({ noiseMultiplier: NaN }), /"noiseMultiplier" expected/)
  assert.throws(() => poissonGaussian({ noiseMultiplier: 1, samplingRate: 1.5 }), /"samplingRate" expected/)
  assert.throws(() => fixedSizeSampled({ population: 5, cohort: 6, event: gaussian({ noiseMultiplier: 1 }) }), /"cohort" expected/)
  assert.throws(() => gaussian({ noiseMultiplier: 1, sigma: 2 } as never), /unknown option "sigma"/)
  assert.throws(() => anEvent({ kind: 'magic' } as never), /"event.kind" expected/)
  assert.throws(() => mixtureGaussian({ noiseMultiplier: 1, sensitivities: [1], probabilities: [0.5] }), /add up to 1/)
  assert.throws(() => tree({ noiseMultiplier: 1, rounds: 4, minSeparation: 0 }), /"minSeparation" expected/)
})

test('unit and adjacency have no default in any accountant', () => {
  for (const make of makers) {
    assert.throws(() => make({} as never), /"unit" expected/)
    assert.throws(() => make({ unit: 'client' } as never), /"adjacency" expected/)
    assert.throws(() => make({ adjacency: 'add-remove' } as never), /"unit" expected/)
    assert.throws(() => make({ unit: 'client', adjacency: 'neighbours' } as never), /"adjacency" expected/)
  }
})

test('substitution doubles the sensitivity, zero-out does not', () => {
  for (const make of makers) {
    const at = (adjacency: 'add-remove' | 'zero-out' | 'substitute', noiseMultiplier: number): number =>
      make({ unit: 'client', adjacency }).compose(gaussian({ noiseMultiplier })).epsilon(1e-6)
    assert.is(at('zero-out', 2), at('add-remove', 2))
    assert.ok(Math.abs(at('substitute', 2) - at('add-remove', 1)) < 1e-9)
  }
})

test('an event without a sound bound throws, and names the part that is the reason', () => {
  const refused: [(options: never) => { compose(event: PrivacyEvent): unknown, supports(event: PrivacyEvent): boolean }, object, PrivacyEvent, string][] = [
    [pldAccountant, ADD, zcdp({ rho: 1 }), 'zcdp'],
    [pldAccountant, ADD, fixedSizeSampled({ population: 10, cohort: 1, event: gaussian({ noiseMultiplier: 1 }) }), 'fixed-size-sampled'],
    [pldAccountant, SUBSTITUTE, truncatedPoisson({ population: 10, samplingRate: 0.1, cap: 5, noiseMultiplier: 1 }), 'truncated-poisson'],
    [pldAccountant, ADD, composed([gaussian({ noiseMultiplier: 1 }), poissonSampled({ samplingRate: 0.1, event: laplace({ noiseMultiplier: 1 }) })]), 'laplace'],
    [pldAccountant, ADD, discreteGaussian({ sigma: 1.5, sensitivity: 1, dimension: 2 }), 'discrete-gaussian'],
    [pldAccountant, ADD, randomizedResponse({ noiseParameter: 0.5, buckets: 3 }), 'randomized-response'],
    [rdpAccountant, ADD, approximateDp({ epsilon: 1, delta: 1e-9 }), 'approximate-dp'],
    [rdpAccountant, ADD, truncatedPoisson({ population: 10, samplingRate: 0.1, cap: 5, noiseMultiplier: 1 }), 'truncated-poisson'],
    [zcdpAccountant, ADD, poissonGaussian({ noiseMultiplier: 1, samplingRate: 0.1 }), 'poisson-sampled'],
    [gaussianAccountant, ADD, poissonGaussian({ noiseMultiplier: 1, samplingRate: 0.1 }), 'poisson-sampled'],
    [gaussianAccountant, ADD, laplace({ noiseMultiplier: 1 }), 'laplace'],
  ]
  for (const [make, where, event, culprit] of refused) {
    const accountant = make(where as never)
    assert.is(accountant.supports(event), false, culprit)
    try {
      accountant.compose(event)
      assert.unreachable(`${culprit} was accepted`)
    } catch (error) {
      assert.instance(error, UnsupportedEventError)
      assert.is((error as UnsupportedEventError).event.kind, culprit)
    }
  }
  assert.throws(() => prvBounds(pldAccountant(ADD).compose(laplace({ noiseMultiplier: 1 })), 1e-6), /PRV accountant cannot handle/)
})

test('an accountant is a value: composing leaves the old one as it was, and equal events are counted together', () => {
  const event = poissonGaussian({ noiseMultiplier: 1, samplingRate: 0.01 })
  const empty = pldAccountant(ADD)
  const one = empty.compose(event)
  const five = one.compose(composed([event, selfComposed(event, 3)]))
  assert.is(empty.history.length, 0)
  assert.is(one.history[0].count, 1)
  assert.equal(five.history, [{ event, count: 5 }])
  assert.is(five.epsilon(1e-6), empty.compose(event, 5).epsilon(1e-6))
  assert.is(empty.epsilon(1e-6), 0)
  assert.is(empty.compose(noEvent()).epsilon(1e-6), 0)
  assert.is(empty.compose(nonPrivate()).epsilon(1e-6), Infinity)
  assert.is(empty.compose(nonPrivate()).delta(3), 1)
})

test('ε after each round of a run is the same to the last bit in whatever order it is asked for', () => {
  const start = pldAccountant({ unit: 'client', adjacency: 'add-remove' })
  const events = [poissonGaussian({ noiseMultiplier: 1, samplingRate: 0.01 }), poissonGaussian({ noiseMultiplier: 1.1, samplingRate: 0.01 })]
  const counts = [1, 2, 3, 4, 5, 6, 7, 12]
  const ask = (count: number, delta: number) => start.compose(events[0], count).compose(events[1], count >> 1).epsilon(delta)
  const forwards = counts.map(count => ask(count, 1e-6))
  assert.ok(forwards.every((value, i) => i === 0 || value > forwards[i - 1]), `${forwards}`)
  // what was kept of other questions, and what was thrown away since, must not show
  for (const delta of [1e-3, 1e-9]) counts.forEach(count => ask(count, delta))
  for (let i = 0; i < 12; i++) start.compose(poissonGaussian({ noiseMultiplier: 0.9 + i / 100, samplingRate: 0.02 }), 3).epsilon(1e-5)
  assert.equal([...counts].reverse().map(count => ask(count, 1e-6)).reverse(), forwards)
})

test.run()
