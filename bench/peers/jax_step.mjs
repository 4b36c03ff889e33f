// The training step in jax-js, WebAssembly device, one thread: node bench/peers/jax_step.mjs INPUTS [--batch FILE]
//
// Tuned by hand as far as its interface allows: the backward pass is written out, and the jit is cut wherever a view
// must become memory before a product reads it (what a jit returns is contiguous). Node has no global Worker, so its
// kernels run on one thread.
import { defaultDevice, init, jit, numpy as np, scipySpecial } from '@jax-js/jax'
import { measure, oneHot, options, readBatch, readModel, require } from './step.mjs'

const settings = options()
await init('wasm')
defaultDevice('wasm')
const batch = readBatch(settings.batch)
const model = readModel({ inputs: settings.inputs, batch })
const { B, T } = batch
const { C, H, D, F, R, L, scale, eps } = model
const M = B * T

const put = (data, shape) => np.array(data, { shape })
const linear = ({ weight, bias }, outer, inner) => ({ w: put(weight, [outer, inner]), b: put(bias, [outer]) })
const normOf = ({ weight, bias }) => ({ w: put(weight, [C]), b: put(bias, [C]) })

const layers = model.layers.map((layer) => ({
  q: linear(layer.query, C, C), k: linear(layer.key, C, C), v: linear(layer.value, C, C), o: linear(layer.output, C, C),
  inner: linear(layer.inner, F, C), outer: linear(layer.outer, C, F),
  norm1: normOf(layer.norm1), norm2: normOf(layer.norm2),
}))
const embedNorm = normOf(model.norm)
const biasOfKeys = put(batch.bias, [B, 1, 1, T])
const pooling = put(batch.pooling, [B, T, 1])
const labels = model.head.labels
const target = put(oneHot(batch.labels, labels), [B, labels])

const transposed = (x) => np.transpose(x)
const times = (x, w) => np.matmul(x, transposed(w))
const rowSum = (x) => np.sum(x, -1, { keepdims: true })

// Every function owns its arguments, as jax-js wants: .ref where a value is used again.
const layerNorm = jit((z, w, b) => {
  const centred = z.ref.sub(np.mean(z, -1, { keepdims: true }))
  const rate = np.reciprocal(np.sqrt(np.mean(np.square(centred.ref), -1, { keepdims: true }).add(eps)))
  const normed = centred.mul(rate.ref)
  return [normed.ref.mul(w).add(b), normed, rate]
})
const layerNormBack = jit((dy, normed, rate, w) => {
  const d = dy.mul(w)
  const inner = d.ref.sub(np.mean(d.ref, -1, { keepdims: true }))
  return inner.sub(normed.ref.mul(np.mean(d.mul(normed), -1, { keepdims: true }))).mul(rate)
})
const project = jit((x, w, b) => times(x, w).add(b))
const low = jit((x, a) => times(x, a))
const projectLora = jit((x, w, b, h, lb) => times(x, w).add(b).add(times(h, lb).mul(scale)))
const plain = jit((x, w) => np.matmul(x, w))
const addAll = jit((x, y) => x.add(y))
const gelu = jit((u) => u.ref.mul(scipySpecial.erf(u.mul(Math.SQRT1_2)).add(1)).mul(0.5))
const geluBack = jit((d, u) => d.mul(scipySpecial.erf(u.ref.mul(Math.SQRT1_2)).add(1).mul(0.5)
  .add(u.ref.mul(np.exp(np.square(u).mul(-0.5))).mul(1 / Math.sqrt(2 * Math.PI)))))
const split = jit((x) => np.transpose(x.reshape([B, T, H, D]), [0, 2, 1, 3]).mul(1))
const splitTurned = jit((x) => np.transpose(x.reshape([B, T, H, D]), [0, 2, 3, 1]).mul(1))
const merge = jit((x) => np.transpose(x, [0, 2, 1, 3]).reshape([M, C]).mul(1))
const turn = jit((x) => np.transpose(x).mul(1))
const turnLast = jit((x) => np.transpose(x, [0, 1, 3, 2]).mul(1))
const product = jit((a, b) => np.matmul(a, b))
const softmax = jit((s, bias) => {
  const shifted = s.mul(1 / Math.sqrt(D)).add(bias)
  const powers = np.exp(shifted.ref.sub(np.max(shifted, -1, { keepdims: true })))
  return powers.ref.div(rowSum(powers))
})
const softmaxBack = jit((dp, p) => {
  const weighted = dp.mul(p.ref)
  return weighted.ref.sub(p.mul(rowSum(weighted))).mul(1 / Math.sqrt(D))
})
const headForward = jit((x, pool, w, b, wanted) => {
  const pooled = np.sum(x.reshape([B, T, C]).mul(pool), 1)
  const logits = times(pooled.ref, w).add(b)
  const shifted = logits.ref.sub(np.max(logits, -1, { keepdims: true }))
  const logProbability = shifted.ref.sub(np.log(rowSum(np.exp(shifted))))
  const loss = np.sum(logProbability.ref.mul(wanted.ref)).mul(-1 / B)
  return [loss, np.exp(logProbability).sub(wanted).mul(1 / B), pooled]
})
const headBack = jit((d, pooled, w, pool) => [
  np.matmul(transposed(d.ref), pooled), np.sum(d.ref, 0),
  np.matmul(d, w).reshape([B, 1, C]).mul(pool).reshape([M, C])])
const spread = jit((d, b) => np.matmul(d, b).mul(scale))
const square = jit((g) => np.sum(np.square(g)))
const adamw = jit((p, g, m, v, correction1, correction2) => {
  const mean = m.mul(0.9).add(g.ref.mul(0.1))
  const square = v.mul(0.999).add(np.square(g).mul(0.001))
  const rate = np.sqrt(square.ref.div(correction2)).add(1e-8)
  return [p.mul(1 - 1e-3 * 0.01).sub(mean.ref.div(correction1).div(rate).mul(1e-3)), mean, square]
})

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
  [name, { m: np.zeros(p.shape), v: np.zeros(p.shape) }]))

const use = (name) => trained[name].ref
const [embedded, ...rest] = layerNorm(put(model.embedded, [M, C]), embedNorm.w, embedNorm.b)
rest.forEach((array) => array.dispose())

function forwardLayer(index, x) {
  const { q, k, v, o, inner, outer, norm1, norm2 } = layers[index]
  const hq = low(x.ref, use(`${index}.query.A`))
  const hv = low(x.ref, use(`${index}.value.A`))
  const query = split(projectLora(x.ref, q.w.ref, q.b.ref, hq.ref, use(`${index}.query.B`)))
  const keyFlat = project(x.ref, k.w.ref, k.b.ref)
  const keyTurned = splitTurned(keyFlat.ref)
  const key = split(keyFlat)
  const value = split(projectLora(x.ref, v.w.ref, v.b.ref, hv.ref, use(`${index}.value.B`)))
  const p = softmax(product(query.ref, keyTurned), biasOfKeys.ref)
  const attended = project(merge(product(p.ref, value.ref)), o.w.ref, o.b.ref)
  const [h1, normed1, rate1] = layerNorm(addAll(x.ref, attended), norm1.w.ref, norm1.b.ref)
  const u = project(h1.ref, inner.w.ref, inner.b.ref)
  const f = project(gelu(u.ref), outer.w.ref, outer.b.ref)
  const [h2, normed2, rate2] = layerNorm(addAll(h1, f), norm2.w.ref, norm2.b.ref)
  return [h2, { x, hq, hv, query, key, value, p, normed1, rate1, u, normed2, rate2 }]
}

function pairGradients(gradients, index, site, x, h, d) {
  const turned = turn(d.ref)
  gradients[`${index}.${site}.B`] = spread(turned, h)
  const low = spread(d, use(`${index}.${site}.B`))
  gradients[`${index}.${site}.A`] = plain(turn(low.ref), x)
  return low
}

function backwardLayer(index, d, kept, gradients) {
  const { q, k, v, o, inner, outer, norm1, norm2 } = layers[index]
  const { x, hq, hv, query, key, value, p, normed1, rate1, u, normed2, rate2 } = kept
  const dz2 = layerNormBack(d, normed2, rate2, norm2.w.ref)
  const du = geluBack(plain(dz2.ref, outer.w.ref), u)
  const dz1 = layerNormBack(addAll(dz2, plain(du, inner.w.ref)), normed1, rate1, norm1.w.ref)
  const dContext = split(plain(dz1.ref, o.w.ref))
  const dp = product(dContext.ref, turnLast(value))
  const dv = merge(product(turnLast(p.ref), dContext))
  const ds = softmaxBack(dp, p)
  const dq = merge(product(ds.ref, key))
  const lowQ = pairGradients(gradients, index, 'query', x.ref, hq, dq.ref)
  const lowV = pairGradients(gradients, index, 'value', x, hv, dv.ref)
  if (index === 0) {
    for (const array of [ds, query, dq, dv, dz1, lowQ, lowV]) array.dispose()
    return null
  }
  const dk = merge(product(turnLast(ds), query))
  const through = addAll(plain(dq, q.w.ref), addAll(plain(dk, k.w.ref), plain(dv, v.w.ref)))
  const lowRank = addAll(plain(lowQ, use(`${index}.query.A`)), plain(lowV, use(`${index}.value.A`)))
  return addAll(dz1, addAll(through, lowRank))
}

let count = 0
async function step() {
  let x = embedded.ref
  const kept = []
  for (let index = 0; index < L; index++) [x, kept[index]] = forwardLayer(index, x)
  const [loss, dLogits, pooled] = headForward(x, pooling.ref, use('head.w'), use('head.b'), target.ref)
  const gradients = {}
  let d
  ;[gradients['head.w'], gradients['head.b'], d] = headBack(dLogits, pooled, use('head.w'), pooling.ref)
  for (let index = L - 1; index >= 0; index--) d = backwardLayer(index, d, kept[index], gradients)
  let norm = 0
  count++
  for (const [name, gradient] of Object.entries(gradients)) {
    if (count === 1) norm += square(gradient.ref).item()
    const { m, v } = moments[name]
    const corrections = [np.array(1 - 0.9 ** count), np.array(1 - 0.999 ** count)]
    ;[trained[name], moments[name].m, moments[name].v] = adamw(trained[name], gradient, m, v, ...corrections)
  }
  for (const array of Object.values(trained)) await array.blockUntilReady()
  return { loss: loss.item(), gradNorm: Math.sqrt(norm) }
}

const { version } = require('../node_modules/@jax-js/jax/package.json')
await measure({ peer: 'jax-js', version, step, batch, settings })
