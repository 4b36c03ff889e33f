// Accuracy after LoRA fine-tuning on mail, f32 and narrow bases paired by seed: the same adapter, the same mails in the same order.
import { taskOf } from './cosines.mjs'

/**
 * Fine-tunes and tests once; gives for each test mail whether it was classified right. What is tested is the mean of the trained
 * numbers over the second half of the steps: where the last step happens to end is noise that hides what is asked for.
 */
export async function trainOnce(sotto, model, options, seed, { train, test }, { steps = 40, batch = 8, tokens = 32, learningRate = 4e-3, tests = test.length } = {}) {
  const { task, tokenizer } = await taskOf(sotto, model, options, { seed, zero: true })
  const draw = sotto.random('quality order', seed)
  const pick = () => train[draw.below(train.length)]
  const optimizer = sotto.adamw({ learningRate, weightDecay: 0.01 }), slice = sotto.sliceOf(task)
  const encode = ({ text }) => tokenizer.encode(text, tokens)
  const mean = new Float64Array(slice.length), averaged = steps - (steps >> 1)
  for (let step = 0; step < steps; step++) {
    const chosen = Array.from({ length: batch }, pick)
    sotto.trainStep(task, task.pack(chosen.map(encode)), Int32Array.from(chosen, ({ label }) => task.labelIndex(label)), slice, optimizer)
    if (step >= steps - averaged) sotto.readSlice(task.parameters, slice).forEach((value, i) => { mean[i] += value / averaged })
    await new Promise((resolve) => { setImmediate(resolve) })
  }
  sotto.writeSlice(task.parameters, slice, Float32Array.from(mean))
  const right = []
  for (let from = 0; from < tests; from += 32) {
    const some = test.slice(from, Math.min(from + 32, tests)), logits = sotto.predict(task, task.pack(some.map(encode)))
    right.push(...some.map(({ label }, i) => Number((logits[2 * i + 1] > logits[2 * i]) === (label === 'spam'))))
  }
  return right
}

/** Mean, and its standard error. */
export function meanOf(values) {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length
  const square = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / Math.max(1, values.length - 1)
  return { mean, error: Math.sqrt(square / values.length) }
}

/**
 * Rows { format, accuracy, difference, error, changed }: accuracy in percent over the seeds; its difference to f32 in
 * points; the standard error of that mean difference, the larger of those by seeds and by mails; share of decisions that differ.
 *
 * @param {Record<string, number[][]>} results - by format and seed, right or wrong of each test mail; `f32` among them
 */
export function accuracyRows(model, results) {
  return Object.entries(results).filter(([, runs]) => runs.length > 0).map(([format, runs]) => {
    const seeds = Math.min(runs.length, results.f32.length), n = runs[0].length
    const share = (right) => 100 * right.reduce((sum, value) => sum + value, 0) / right.length
    const paired = Array.from({ length: seeds }, (_, s) => share(runs[s]) - share(results.f32[s]))
    // by mails: each mail's difference, averaged over the seeds
    const mails = Array.from({ length: n }, (_, i) => 100 * Array.from({ length: seeds }, (_, s) => runs[s][i] - results.f32[s][i]).reduce((a, b) => a + b, 0) / seeds)
    const changed = Array.from({ length: seeds }, (_, s) => runs[s].filter((value, i) => value !== results.f32[s][i]).length / n).reduce((a, b) => a + b, 0) / seeds
    return {
      model, format, seeds, mails: n, accuracy: meanOf(runs.slice(0, seeds).map(share)), difference: meanOf(paired).mean,
      error: Math.max(meanOf(paired).error, meanOf(mails).error), changed: 100 * changed,
    }
  })
}
