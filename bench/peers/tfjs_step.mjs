// The training step in TensorFlow.js, WebAssembly backend, one thread:
//   node bench/peers/tfjs_step.mjs INPUTS [--batch FILE]
//
// Tuned by hand as far as its interface allows. Its matrix products with a transposed operand run ten times slower than
// plain ones, and its autodiff uses them, so the backward pass is written out with plain ones: weights are kept in both
// layouts and activations are transposed by their own kernel. Its batched products, which attention needs, are as slow
// in every form (one product a head is slower still). Everything is disposed as soon as it is not needed.
import * as tf from '@tensorflow/tfjs-core'
import { setThreadsCount, setWasmPaths } from '@tensorflow/tfjs-backend-wasm'
import { dirname } from 'node:path'
import { measure, oneHot, options, readBatch, readModel, require } from './step.mjs'

const settings = options()
setWasmPaths(`${dirname(require.resolve('@tensorflow/tfjs-backend-wasm/package.json'))}/dist/`)
setThreadsCount(1)
await tf.setBackend('wasm')
await tf.ready()

const batch = readBatch(settings.batch)
const model = readModel({ inputs: settings.inputs, batch })
const { B, T } = batch
const { C, H, D, F, R, L, scale, eps } = model
const M = B * T
const labels = model.head.labels

const put = (data, shape) => tf.tensor(data, shape, 'float32')
const turn = (x) => tf.transpose(x)
const linear = ({ weight, bias }, outer, inner) => {
  const w = put(weight, [outer, inner])
  return { w, turned: turn(w), b: put(bias, [outer]) }
}
const normOf = ({ weight, bias }) => ({ w: put(weight, [C]), b: put(bias, [C]) })

const layers = model.layers.map((layer) => ({
  q: linear(layer.query, C, C), k: linear(layer.key, C, C), v: linear(layer.value, C, C), o: linear(layer.output, C, C),
  inner: linear(layer.inner, F, C), outer: linear(layer.outer, C, F),
  norm1: normOf(layer.norm1), norm2: normOf(layer.norm2),
}))
const biasOfKeys = put(batch.bias, [B, 1, 1, T])
const padded = batch.bias.some((value) => value !== 0)
const pooling = put(batch.pooling, [B, T, 1])
const target = put(oneHot(batch.labels, labels), [B, labels])
const trained = {}
model.layers.forEach((layer, index) => {
  for (const site of ['query', 'value']) {
    const [a, b] = layer[`${site}Pair`]
    trained[`${index}.${site}.A`] = put(a, [R, C])
    trained[`${index}.${site}.B`] = put(b, [C, R])
  }
})
trained['head.w'] = put(model.head.weight, [labels, C])
trained['head.b'] = put(model.head.bias, [labels])
const moments = Object.fromEntries(Object.entries(trained).map(([name, p]) =>
  [name, { m: tf.zeros(p.shape), v: tf.zeros(p.shape) }]))

function layerNorm(z, { w, b }) {
  const centred = tf.sub(z, tf.mean(z, -1, true))
  const rate = tf.rsqrt(tf.add(tf.mean(tf.square(centred), -1, true), eps))
  const normed = tf.mul(centred, rate)
  return [tf.add(tf.mul(normed, w), b), normed, rate]
}

function layerNormBack(dy, normed, rate, { w }) {
  const d = tf.mul(dy, w)
  const along = tf.mul(normed, tf.mean(tf.mul(d, normed), -1, true))
  return tf.mul(tf.sub(tf.sub(d, tf.mean(d, -1, true)), along), rate)
}

const project = (x, { turned, b }) => tf.fused.matMul({ a: x, b: turned, bias: b })
const lora = (h, name) => tf.mul(tf.matMul(h, turn(trained[name])), scale)
const split = (x) => tf.transpose(tf.reshape(x, [B, T, H, D]), [0, 2, 1, 3])
const splitTurned = (x) => tf.transpose(tf.reshape(x, [B, T, H, D]), [0, 2, 3, 1])
const merge = (x) => tf.reshape(tf.transpose(x, [0, 2, 1, 3]), [M, C])
const turnLast = (x) => tf.transpose(x, [0, 1, 3, 2])
const density = (u) => tf.mul(tf.exp(tf.mul(tf.square(u), -0.5)), 1 / Math.sqrt(2 * Math.PI))

function forwardLayer(index, x) {
  const { q, k, v, o, inner, outer, norm1, norm2 } = layers[index]
  const hq = tf.matMul(x, turn(trained[`${index}.query.A`]))
  const hv = tf.matMul(x, turn(trained[`${index}.value.A`]))
  // The root of the head width goes into the queries: one pass over [M, C] instead of one over the scores.
  const query = tf.mul(split(tf.add(project(x, q), lora(hq, `${index}.query.B`))), 1 / Math.sqrt(D))
  const keyTurned = splitTurned(project(x, k))
  const value = split(tf.add(project(x, v), lora(hv, `${index}.value.B`)))
  const scores = tf.matMul(query, keyTurned)
  const p = tf.softmax(padded ? tf.add(scores, biasOfKeys) : scores)
  const attended = project(merge(tf.matMul(p, value)), o)
  const [h1, normed1, rate1] = layerNorm(tf.add(x, attended), norm1)
  const u = project(h1, inner)
  const half = tf.mul(tf.add(tf.erf(tf.mul(u, Math.SQRT1_2)), 1), 0.5)
  const [h2, normed2, rate2] = layerNorm(tf.add(h1, project(tf.mul(u, half), outer)), norm2)
  return { h2, x, hq, hv, query, keyTurned, value, p, normed1, rate1, u, half, normed2, rate2 }
}

function pairGradients(gradients, index, site, x, h, d) {
  gradients[`${index}.${site}.B`] = tf.mul(tf.matMul(turn(d), h), scale)
  const low = tf.mul(tf.matMul(d, trained[`${index}.${site}.B`]), scale)
  gradients[`${index}.${site}.A`] = tf.matMul(turn(low), x)
  return low
}

function backwardLayer(index, d, kept) {
  const { q, k, v, o, inner, outer, norm1, norm2 } = layers[index]
  const { x, hq, hv, query, keyTurned, value, p, normed1, rate1, u, half, normed2, rate2 } = kept
  const gradients = {}
  const dz2 = layerNormBack(d, normed2, rate2, norm2)
  const du = tf.mul(tf.matMul(dz2, outer.w), tf.add(half, tf.mul(u, density(u))))
  const dz1 = layerNormBack(tf.add(dz2, tf.matMul(du, inner.w)), normed1, rate1, norm1)
  const dContext = split(tf.matMul(dz1, o.w))
  const dv = merge(tf.matMul(p, dContext, true))
  const weighted = tf.mul(tf.matMul(dContext, turnLast(value)), p)
  const ds = tf.sub(weighted, tf.mul(p, tf.sum(weighted, -1, true)))
  const dq = tf.mul(merge(tf.matMul(ds, turnLast(keyTurned))), 1 / Math.sqrt(D))
  const lowQ = pairGradients(gradients, index, 'query', x, hq, dq)
  const lowV = pairGradients(gradients, index, 'value', x, hv, dv)
  if (index === 0) return { gradients }
  const dk = merge(tf.matMul(ds, query, true))
  return {
    gradients,
    d: tf.addN([dz1, tf.matMul(dq, q.w), tf.matMul(dk, k.w), tf.matMul(dv, v.w),
      tf.matMul(lowQ, trained[`${index}.query.A`]), tf.matMul(lowV, trained[`${index}.value.A`])]),
  }
}

function head(x) {
  const pooled = tf.sum(tf.mul(tf.reshape(x, [B, T, C]), pooling), 1)
  const logits = tf.add(tf.matMul(pooled, turn(trained['head.w'])), trained['head.b'])
  const logProbability = tf.logSoftmax(logits)
  const loss = tf.mul(tf.sum(tf.mul(logProbability, target)), -1 / B)
  const d = tf.mul(tf.sub(tf.exp(logProbability), target), 1 / B)
  const spread = tf.mul(tf.reshape(tf.matMul(d, trained['head.w']), [B, 1, C]), pooling)
  return {
    loss, d: tf.reshape(spread, [M, C]),
    gradients: { 'head.w': tf.matMul(turn(d), pooled), 'head.b': tf.sum(d, 0) },
  }
}

function adamw(name, gradient, count) {
  const old = [trained[name], moments[name].m, moments[name].v]
  const [p, m, v] = tf.tidy(() => {
    const m = tf.add(tf.mul(old[1], 0.9), tf.mul(gradient, 0.1))
    const v = tf.add(tf.mul(old[2], 0.999), tf.mul(tf.square(gradient), 0.001))
    const rate = tf.add(tf.sqrt(tf.div(v, 1 - 0.999 ** count)), 1e-8)
    const change = tf.mul(tf.div(tf.div(m, 1 - 0.9 ** count), rate), 1e-3)
    return [tf.sub(tf.mul(old[0], 1 - 1e-3 * 0.01), change), m, v]
  })
  trained[name] = p
  moments[name] = { m, v }
  tf.dispose(old)
}

const embedded = tf.tidy(() => layerNorm(put(model.embedded, [M, C]), normOf(model.norm))[0])
let count = 0

async function step() {
  const kept = []
  let x = embedded
  for (let index = 0; index < L; index++) {
    kept[index] = tf.tidy(() => forwardLayer(index, x))
    x = kept[index].h2
  }
  const top = tf.tidy(() => head(x))
  const gradients = { ...top.gradients }
  let d = top.d
  for (let index = L - 1; index >= 0; index--) {
    const result = tf.tidy(() => backwardLayer(index, d, kept[index]))
    Object.assign(gradients, result.gradients)
    const { x: input, ...rest } = kept[index]
    tf.dispose([d, rest])
    d = result.d
  }
  count++
  let norm = 0
  for (const [name, gradient] of Object.entries(gradients)) {
    if (count === 1) norm += tf.tidy(() => tf.sum(tf.square(gradient)).dataSync()[0])
    adamw(name, gradient, count)
    gradient.dispose()
  }
  const loss = top.loss.dataSync()[0]
  top.loss.dispose()
  return { loss, gradNorm: Math.sqrt(norm) }
}

await measure({ peer: 'TensorFlow.js', version: tf.version_core, step, batch, settings })
