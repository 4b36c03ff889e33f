/**
 * Curves, areas and intervals of attacks, against counting by hand and known intervals.
 */
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { rocOf, shareInterval } from '../../src/simulation/audit/roc.ts'
import { normalCdf } from '../../src/privacy/accountant/num/normal.ts'
import { rng } from '../support/rng.ts'

test('the area is the share of pairs in the right order, ties by half; it is the area under the points', () => {
  const source = rng(1)
  for (let round = 0; round < 30; round++) {
    // few different values: many ties
    const draw = (n: number, shift: number) => Array.from({ length: n }, () => source.int(0, 9) + shift)
    const members = draw(source.int(2, 25), source.int(0, 3)), others = draw(source.int(2, 25), 0)
    let pairs = 0
    for (const a of members) for (const b of others) pairs += a > b ? 1 : a === b ? 0.5 : 0
    const { auc, points } = rocOf(members, others)
    assert.ok(Math.abs(auc.value - pairs / members.length / others.length) < 1e-12)
    let under = 0
    for (let i = 1; i < points.length; i++) under += (points[i].fpr - points[i - 1].fpr) * (points[i].tpr + points[i - 1].tpr) / 2
    assert.ok(Math.abs(auc.value - under) < 1e-12)
    assert.equal([points[0], points.at(-1)], [{ fpr: 0, tpr: 0 }, { fpr: 1, tpr: 1 }])
  }
})

test('Clopper-Pearson intervals are those of the tables', () => {
  const near = (k: number, n: number, low: number, high: number) => {
    const found = shareInterval(k, n, 0.95)
    assert.ok(Math.abs(found.low - low) < 5e-5 && Math.abs(found.high - high) < 5e-5, `${k} of ${n}: ${found.low} to ${found.high}`)
  }
  near(0, 10, 0, 0.3085)
  near(5, 10, 0.1871, 0.8129)
  near(10, 10, 0.6915, 1)
  near(1, 50, 0.0005, 0.1065)
})

test('the interval of the area holds the true area in 95 % of samples: 190 of 200 and at most 14 fewer or 9 more', () => {
  // scores N(1, 1) and N(0, 1): area 0.7602; 176 to 199 of 200 is P > 1 - 1e-4 at 95 %
  const source = rng(2), truth = normalCdf(1 / Math.sqrt(2))
  let held = 0
  for (let i = 0; i < 200; i++) {
    const { auc } = rocOf(source.f32(40).map(x => x + 1), source.f32(60))
    if (auc.low <= truth && truth <= auc.high) held++
  }
  assert.ok(held >= 176 && held <= 199, String(held))
})

test('at a rate of false positives no more non-members pass than allowed, and no threshold lets more members pass', () => {
  const source = rng(3)
  for (let round = 0; round < 20; round++) {
    const members = [...source.f32(37)].map(x => Math.round(4 * x) + 2), others = [...source.f32(23)].map(x => Math.round(4 * x))
    for (const { fpr, tpr, reached } of rocOf(members, others, [0, 0.01, 0.1, 0.5, 1]).rates) {
      assert.ok(reached.value <= fpr + 1e-12)
      const best = Math.max(...[-Infinity, ...members, ...others].filter(t => others.filter(x => x > t).length <= fpr * others.length)
        .map(t => members.filter(x => x > t).length / members.length))
      assert.is(tpr.value, best)
      assert.ok(tpr.low <= tpr.value && tpr.value <= tpr.high)
    }
  }
})

test('scores that are no numbers, or too few, are refused', () => {
  assert.throws(() => rocOf([1, NaN], [1, 2]), /"members" expected numbers, got NaN/)
  assert.throws(() => rocOf([1, 2], [1]), /"nonMembers" expected at least two scores, got 1/)
})

test.run()
