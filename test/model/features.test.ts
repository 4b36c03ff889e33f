import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { featureEncoder } from '../../src/model/features.ts'
import { sgd } from '../../src/optim/optimizer.ts'
import { node } from '../../src/runtime/node.ts'
import { HEAD_BIAS, HEAD_WEIGHT, sliceOf, textClassifier } from '../../src/train/classifier.ts'
import { predict, trainStep } from '../../src/train/step.ts'
import { createEngine } from '../../src/wasm/engine.ts'
import { close } from '../support/close.ts'
import { rng } from '../support/rng.ts'

const WIDTH = 13, CLASSES = 3, COUNT = 20
const random = rng(4), x = random.f32(COUNT * WIDTH), y = Int32Array.from({ length: COUNT }, () => random.int(0, CLASSES - 1))
const rows = Array.from({ length: COUNT }, (_, i) => [i])

async function logistic() {
  const encoder = featureEncoder(await createEngine(node()), COUNT, WIDTH)
  encoder.write(x)
  return { encoder, task: textClassifier({ encoder, labels: ['a', 'b', 'c'] }) }
}

/** Logistic regression by gradient descent in doubles. */
function reference(steps: number, rate: number): { weight: Float64Array, bias: Float64Array } {
  const weight = new Float64Array(CLASSES * WIDTH), bias = new Float64Array(CLASSES)
  for (let step = 0; step < steps; step++) {
    const dw = new Float64Array(weight.length), db = new Float64Array(CLASSES)
    for (let i = 0; i < COUNT; i++) {
      const logits = [...bias].map((b, c) => b + x.subarray(i * WIDTH, (i + 1) * WIDTH).reduce((sum, v, j) => sum + v * weight[c * WIDTH + j], 0))
      const top = Math.max(...logits), e = logits.map(v => Math.exp(v - top)), z = e.reduce((a, b) => a + b)
      for (let c = 0; c < CLASSES; c++) {
        const g = (e[c] / z - (c === y[i] ? 1 : 0)) / COUNT
        db[c] += g
        for (let j = 0; j < WIDTH; j++) dw[c * WIDTH + j] += g * x[i * WIDTH + j]
      }
    }
    dw.forEach((g, i) => { weight[i] -= rate * g })
    db.forEach((g, i) => { bias[i] -= rate * g })
  }
  return { weight, bias }
}

test('a head on vectors is logistic regression: weights after 50 steps within 1e-5 of doubles, the losses fall', async () => {
  const { task } = await logistic(), optimizer = sgd({ learningRate: 0.5 }), losses: number[] = []
  for (let step = 0; step < 50; step++) losses.push(trainStep(task, task.pack(rows), y, sliceOf(task), optimizer).loss)
  const expected = reference(50, 0.5)
  close(task.parameters.get(HEAD_WEIGHT)!.read(), expected.weight, 1e-5)
  close(task.parameters.get(HEAD_BIAS)!.read(), expected.bias, 1e-5)
  assert.ok(losses.every((loss, i) => i === 0 || loss < losses[i - 1]))
})

test('the vectors are no parameters; a text of two vectors, and more vectors than rows, are refused', async () => {
  const { encoder, task } = await logistic()
  assert.equal([...task.parameters.keys()], [HEAD_WEIGHT, HEAD_BIAS])
  assert.throws(() => task.pack([[0, 1]]), /expected at most 1 tokens, got 2/)
  assert.throws(() => predict(task, { ids: Int32Array.of(0, 1), offsets: Int32Array.of(0, 2), count: 1, longest: 2 }), /expected one row number for each example/)
  assert.throws(() => task.pack([[COUNT]]), /expected a token from 0 to 19, got 20/)
  assert.throws(() => encoder.write(new Float32Array((COUNT + 1) * WIDTH)), /"features" expected 260 values, got 273/)
})

test.run()
