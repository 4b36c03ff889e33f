/** A training that is interrupted, saved and opened elsewhere gives the same bits; foreign and changed bytes are refused. */
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { hashArray } from '../../src/canonical.ts'
import { contribute } from '../../src/federated/client.ts'
import { makePlan } from '../../src/federated/plan.ts'
import type { LocalTraining } from '../../src/federated/plan.ts'
import { openTraining } from '../../src/federated/training.ts'
import { runSlice, startTraining } from '../../src/federated/training-run.ts'
import type { Progress } from '../../src/federated/training-run.ts'
import { adamw } from '../../src/optim/optimizer.ts'
import { readSlice } from '../../src/peft/slice.ts'
import { node } from '../../src/runtime/node.ts'
import { sliceOf } from '../../src/train/classifier.ts'
import { trainStep } from '../../src/train/step.ts'
import { sameBits } from '../support/close.ts'
import { SEQUENCES, snapshot, TARGETS, tinyTask } from '../support/tasks.ts'

const examples = { sequences: SEQUENCES.map(ids => Int32Array.from(ids)), targets: TARGETS }

async function setting(local: Partial<LocalTraining> = {}, base = false) {
  const task = await tinyTask(base ? { base, trainable: true } : {}), slice = sliceOf(task), state = readSlice(task.parameters, slice)
  const plan = makePlan({
    round: 3, task: '00', state: hashArray(state), slice, reads: slice, publicSeed: '11'.repeat(32), clip: 1, cohort: 4, capacity: 8, noiseMultiplier: 1,
    local: { epochs: 3, batchSize: 2, learningRate: 0.1, ...local },
  })
  return { task, plan, state }
}

const KINDS: Record<string, Partial<LocalTraining>> = {
  'plain SGD': {}, 'momentum, clip and dropout': { momentum: 0.9, maxGradientNorm: 0.5, dropout: 0.2 },
  'some of the examples': { maxExamples: 3, momentum: 0.5 }, 'batches that do not divide': { batchSize: 3, epochs: 2 },
}

for (const [kind, local] of Object.entries(KINDS)) {
  test(`${kind}: saved after every step and opened in a new engine, it ends with the bits of one that ran through`, async () => {
    const { task, plan, state } = await setting(local)
    const whole = contribute(task, plan, state, examples, 5), trained = readSlice(task.parameters, plan.slice)
    assert.ok(trained.some((value, i) => value !== state[i]))
    let saved: Uint8Array | undefined
    for (let done = 0; ; done++) {
      const { task: fresh } = await setting(local)
      const training = openTraining(fresh, plan, state, examples, 5, saved && { saved })
      assert.is(training.done, done)
      if (training.step()) {
        saved = training.save()
        training.close()
        continue
      }
      const result = training.finish()
      assert.is(result.hash, whole.hash)
      assert.equal(result.local, whole.local)
      sameBits(readSlice(fresh.parameters, plan.slice), trained, 'trained values')
      assert.is(done, whole.local.steps)
      assert.is(done, plan.local.epochs * Math.ceil(Math.min(plan.local.maxExamples ?? 4, 4) / plan.local.batchSize))
      break
    }
  })
}

test('full fine-tuning can be interrupted too', async () => {
  const { task, plan, state } = await setting({ momentum: 0.9 }, true)
  const { hash } = contribute(task, plan, state, examples, 0)
  const one = openTraining(task, plan, state, examples, 0)
  one.step()
  const { task: other } = await setting({}, true)
  const two = openTraining(other, plan, state, examples, 0, { saved: one.save() })
  while (two.step());
  assert.is(two.finish().hash, hash)
})

test('any changed bit of what was saved is refused, and so is each other length', async () => {
  const { task, plan, state } = await setting({ momentum: 0.9 })
  const training = openTraining(task, plan, state, examples, 5)
  training.step()
  const saved = training.save(), before = snapshot(task)
  const open = (bytes: Uint8Array) => () => openTraining(task, plan, state, examples, 5, { saved: bytes })
  for (let at = 0; at < saved.length; at += at < 100 ? 1 : 97) {
    const changed = saved.slice()
    changed[at] ^= 1 << at % 8
    assert.throws(open(changed), /"saved" expected the bytes that save\(\) gave, .* got changed ones/, `byte ${at}`)
  }
  for (const length of [0, 79, 80, saved.length - 4]) assert.throws(open(saved.subarray(0, length)), /"saved" expected/)
  for (const [name, values] of snapshot(task)) sameBits(values, before.get(name)!, name)
})

test('what another training saved is refused: other plan, state, examples, classes, client', async () => {
  const { task, plan, state } = await setting()
  const training = openTraining(task, plan, state, examples, 5)
  training.step()
  const saved = training.save()
  const other = Float32Array.from(state)
  other[0] = -other[0] - 1
  const foreign = /"saved" expected this training, got one of another/
  assert.throws(() => openTraining(task, { ...plan, round: 4 }, state, examples, 5, { saved }), foreign)
  assert.throws(() => openTraining(task, { ...plan, local: { ...plan.local, learningRate: 0.2 } }, state, examples, 5, { saved }), foreign)
  assert.throws(() => openTraining(task, plan, other, examples, 5, { saved }), foreign)
  assert.throws(() => openTraining(task, plan, state, { ...examples, sequences: [...examples.sequences].reverse() }, 5, { saved }), foreign)
  assert.throws(() => openTraining(task, plan, state, { ...examples, targets: Int32Array.of(1, 0, 2, 0) }, 5, { saved }), foreign)
  assert.throws(() => openTraining(task, plan, state, examples, 6, { saved }), foreign)
})

test('with a key only who has it can go on, and only from what was sealed with it', async () => {
  const { task, plan, state } = await setting()
  const key = new Uint8Array(32).fill(7), wrong = key.slice()
  wrong[31] ^= 1
  const training = openTraining(task, plan, state, examples, 5, { key })
  training.step()
  const saved = training.save()
  assert.is(openTraining(task, plan, state, examples, 5, { key, saved }).done, 1)
  assert.throws(() => openTraining(task, plan, state, examples, 5, { key: wrong, saved }), /sealed with this key/)
  assert.throws(() => openTraining(task, plan, state, examples, 5, { saved }), /sealed without a key/)
  const open = openTraining(task, plan, state, examples, 5).save()
  assert.throws(() => openTraining(task, plan, state, examples, 5, { key, saved: open }), /sealed with this key/)
  assert.throws(() => openTraining(task, plan, state, examples, 5, { key: key.subarray(1), saved }), /"key" expected 32 bytes, got 31/)
})

test('wrong order of calls: finished too early, closed, or a task that another training took', async () => {
  const { task, plan, state } = await setting()
  const one = openTraining(task, plan, state, examples, 1)
  one.step()
  assert.throws(() => one.finish(), /all 6 steps to be done, got 1/)
  const two = openTraining(task, plan, state, examples, 2)
  assert.throws(() => one.step(), /a task in this training alone/)
  assert.throws(() => one.save(), /a task in this training alone/)
  two.close()
  assert.throws(() => two.step(), /an open training/)
})

test('slices: by steps, by tokens, by a clock; none does less than one step, together they are the whole', async () => {
  const { task, plan, state } = await setting()
  const whole = contribute(task, plan, state, examples, 5)
  const training = openTraining(task, plan, state, examples, 5)
  assert.equal(runSlice(training, { steps: 2 }).steps, 2)
  const { nextTokens } = training
  assert.equal(runSlice(training, { tokens: 1 }), { steps: 1, tokens: nextTokens, finished: false })
  let clock = 0
  // each look at the clock is 10 ms later: a step of n tokens after one of m seems to take 10 n / m
  const slice = runSlice(training, { milliseconds: 1, now: () => clock += 10 })
  assert.is(slice.steps, 1)
  assert.is(runSlice(training).finished, true)
  assert.is(runSlice(training).steps, 0)
  assert.is(training.finish().hash, whole.hash)
  assert.throws(() => runSlice(training, { milliseconds: 5 }), /"now" expected a clock/)
})

/** A host whose turns the test counts. */
const host = () => {
  let clock = 0
  return { now: () => clock++, pause: () => new Promise<void>(resolve => setTimeout(resolve, 0)) }
}

/** So many turns of the host's kind: a run that was not paused would have gone on. */
async function turns(count: number): Promise<void> {
  for (let i = 0; i < count; i++) await new Promise<void>(resolve => setTimeout(resolve, 0))
}

test('what is no training is a TypeError that says so', () => {
  for (const wrong of [undefined, null, {}, 7]) {
    assert.throws(() => runSlice(wrong as never), (error: Error) => error instanceof TypeError && /^"training" expected an object with step, got .*; pass what openTraining gave$/.test(error.message))
    assert.throws(() => startTraining(wrong as never, node()), /"training" expected an object with step/)
  }
})

test('a run tells its progress, pauses, goes on, and ends with the same contribution', async () => {
  const { task, plan, state } = await setting()
  const whole = contribute(task, plan, state, examples, 5)
  const heard: Progress[] = []
  let tellPaused = () => {}
  const paused = new Promise<void>(resolve => { tellPaused = resolve })
  const run = startTraining(openTraining(task, plan, state, examples, 5), host(), progress => {
    heard.push(progress)
    if (progress.paused) tellPaused()
    else if (progress.done === 2 && heard.length < 5) run.pause()
  })
  await paused
  await turns(20)
  assert.is(heard.at(-1)!.paused, true)
  assert.is(heard.at(-1)!.done, 2)
  run.resume()
  assert.is((await run.result)!.hash, whole.hash)
  assert.is(heard[0].left, undefined)
  assert.is(heard.at(-1)!.left, 0)
  assert.ok(heard.every(({ done }, i) => i === 0 || done >= heard[i - 1].done))
})

test('a cancelled run gives nothing and leaves the published values; it can be cancelled while paused', async () => {
  for (const pauseFirst of [false, true]) {
    const { task, plan, state } = await setting()
    let cancelled: Promise<void> | undefined
    const run = startTraining(openTraining(task, plan, state, examples, 5), host(), ({ done, paused }) => {
      if (paused) cancelled = turns(20).then(() => run.cancel())
      else if (done === 2) pauseFirst ? run.pause() : run.cancel()
    })
    assert.is(await run.result, undefined)
    await cancelled
    assert.is(cancelled !== undefined, pauseFirst)
    sameBits(readSlice(task.parameters, plan.slice), state, 'values')
    run.resume()
  }
})

test('AdamW goes on from its saved moments and counts of steps', async () => {
  const steps = (task: Awaited<ReturnType<typeof tinyTask>>, optimizer: ReturnType<typeof adamw>, from: number, to: number) => {
    for (let i = from; i < to; i++) {
      const slice = sliceOf(task, { rank: 1 + i % 4 })
      trainStep(task, task.pack(examples.sequences), TARGETS, slice, optimizer)
    }
  }
  const task = await tinyTask(), slice = sliceOf(task), one = adamw({ learningRate: 0.01 })
  steps(task, one, 0, 3)
  const values = readSlice(task.parameters, slice), saved = one.save(task.parameters, slice)
  steps(task, one, 3, 7)
  const other = await tinyTask(), two = adamw({ learningRate: 0.01 })
  other.parameters.forEach((tensor, name) => tensor.write(task.parameters.get(name)!.read()))
  let at = 0
  for (const { tensor, from, to, columns } of slice.parts) {
    other.parameters.get(tensor)!.write(values.subarray(at, at += (to - from) * columns), from)
  }
  two.restore(other.parameters, slice, saved)
  steps(other, two, 3, 7)
  sameBits(readSlice(other.parameters, slice), readSlice(task.parameters, slice), 'values')
  assert.throws(() => two.restore(other.parameters, slice, saved.subarray(1)), /"saved" expected \d+ numbers/)
})

test.run()
