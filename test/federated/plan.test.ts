/** A plan names the numerics that all must compute with, and binds to it. */
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { contribute } from '../../src/federated/client.ts'
import { makePlan, planHash } from '../../src/federated/plan.ts'
import type { Plan } from '../../src/federated/plan.ts'
import { hashArray } from '../../src/canonical.ts'
import { NUMERICS_VERSION } from '../../src/numerics.ts'
import { readSlice } from '../../src/peft/slice.ts'
import { sliceOf } from '../../src/train/classifier.ts'
import { SEQUENCES, snapshot, TARGETS, tinyTask } from '../support/tasks.ts'
import { sameBits } from '../support/close.ts'

async function round() {
  const task = await tinyTask(), slice = sliceOf(task), state = readSlice(task.parameters, slice)
  const plan = makePlan({
    round: 1, task: '00', state: hashArray(state), slice, reads: slice, publicSeed: '11'.repeat(32), clip: 1, cohort: 4, capacity: 8, noiseMultiplier: 1,
    local: { epochs: 1, batchSize: 2, learningRate: 0.1 },
  })
  return { task, plan, state }
}

test('a plan names this numerics version and its hash binds to it', async () => {
  const { plan } = await round()
  assert.is(plan.numerics, NUMERICS_VERSION)
  assert.is.not(planHash({ ...plan, numerics: NUMERICS_VERSION + 1 }), planHash(plan))
})

test('a client refuses a plan of another numerics version, or of none, says both, and changes nothing', async () => {
  const { task, plan, state } = await round(), before = snapshot(task)
  const { numerics: _, ...without } = plan
  const give = (changed: Plan) => () => contribute(task, changed, state, { sequences: SEQUENCES.map(ids => Int32Array.from(ids)), targets: TARGETS }, 0)
  assert.throws(give({ ...plan, numerics: NUMERICS_VERSION + 1 }),
    new RegExp(`"plan.numerics" expected numerics version ${NUMERICS_VERSION}, .* got version ${NUMERICS_VERSION + 1}; use`))
  assert.throws(give(without as Plan), /"plan.numerics" expected numerics version \d+, .* got version undefined/)
  for (const [name, values] of snapshot(task)) sameBits(values, before.get(name)!, name)
  assert.is(give(plan)().contribution.length, plan.slice.length)
})

test.run()
