// What blocks along the sum with a scale each would bring: the relative error of each layer's products, and the cosines of
// the whole model, with one scale a row of the weight (and one a token) and with one for every 256, 128 and 64 terms.
import { batchesOf, compare, outcome, taskOf } from './cosines.mjs'

const SIZES = [Infinity, 256, 128, 64]

/** What a row becomes as integers of at most `limit`, one scale for every `size` terms: written back as numbers. */
export function rounded(values, columns, size, limit) {
  const out = new Float32Array(values.length), step = Math.min(size, columns)
  for (let row = 0; row < values.length; row += columns) {
    for (let from = row; from < row + columns; from += step) {
      const to = Math.min(from + step, row + columns)
      let top = 0
      for (let i = from; i < to; i++) top = Math.max(top, Math.abs(values[i]))
      const factor = top > 0 ? Math.fround(limit / top) : 0
      for (let i = from; i < to; i++) out[i] = even(Math.fround(values[i] * factor)) * (top / limit)
    }
  }
  return out
}

const even = (x) => {
  const low = Math.floor(x), rest = x - low
  return rest < 0.5 || (rest === 0.5 && low % 2 === 0) ? low : low + 1
}

/** Largest integer of the other operand where sums have this many terms: no sum can leave int32. */
export const limitOf = (terms) => Math.min(32767, Math.floor((2 ** 31 - 1) / (127 * terms)))

/** What the linear layers of f32 saw: x going forward, dy going back, and the engine that lets them be changed on their way. */
function watched(engine) {
  const seen = { x: [], dy: [] }, change = { x: undefined, dy: undefined }
  const through = (kind, call, at, rows, columns, extra) => {
    const { arena } = engine, values = arena.f32(at, rows * columns).slice()
    seen[kind]?.push({ values, columns, ...extra })
    if (change[kind]) arena.f32(at, values.length).set(change[kind](values, columns, extra))
    call()
    if (change[kind]) arena.f32(at, values.length).set(values)
  }
  const { kernels } = engine
  const own = {
    ...kernels,
    linear_forward: (...a) => through('x', () => kernels.linear_forward(...a), a[1], a[5], a[7], { weight: a[2] }),
    linear_backward_input: (...a) => through('dy', () => kernels.linear_backward_input(...a), a[1], a[4], a[5], { weight: a[2] }),
  }
  return { engine: { ...engine, kernels: own }, seen, change }
}

/**
 * @returns per layer: relative error of y = x W (columns `weights`, `activations`) and of dx = dy W (`gradients`) by block
 *   size; and of the whole model: cosines by block size
 */
export async function blocks(sotto, model, { train }, { batches = 2, size = 8, tokens = 64 } = {}) {
  const spy = watched(await sotto.createEngine(sotto.node()))
  const { task, tokenizer } = await taskOf(sotto, model, { format: 'f32', engine: spy.engine })
  const data = batchesOf(train, batches, size, (text) => tokenizer.encode(text, tokens))
  const run = () => data.map((batch) => outcome(sotto, task, batch))
  const { sites } = task.encoder, weights = sites.map((site) => site.weight.read())
  const scales = weights.map((values, i) => rowTops(values, sites[i].weight.inputs).map((top) => top / 127))
  const expected = run()
  const layers = perLayer(spy.seen, sites, weights, scales)
  spy.seen.x = spy.seen.dy = undefined
  const order = new Map() // address of a weight to its site
  sites.forEach((site, i) => order.set(addressOf(spy, site), i))
  const whole = []
  for (const terms of SIZES) {
    const kinds = {
      weights: () => { sites.forEach((site, i) => site.weight.write(rounded(weights[i], site.weight.inputs, terms, 127))) },
      activations: () => { spy.change.x = (values, columns) => rounded(values, columns, terms, limitOf(Math.min(terms, columns))) },
      gradients: () => { spy.change.dy = (values, columns, { weight }) => folded(values, columns, terms, scales[order.get(weight)]) },
    }
    for (const [kind, apply] of [...Object.entries(kinds), ['all', () => Object.values(kinds).forEach((each) => each())]]) {
      apply()
      whole.push({ model: model.name, kind, terms, ...compare(expected, run()) })
      if (kind === 'weights' || kind === 'all') sites.forEach((site, i) => site.weight.write(weights[i]))
      spy.change.x = spy.change.dy = undefined
    }
  }
  return { model: model.name, layers, whole }
}

/** dy as integers once the scales of the outputs are in it, and without them again. */
function folded(values, columns, terms, scale) {
  const z = rounded(values.map((value, i) => value * scale[i % columns]), columns, terms, limitOf(Math.min(terms, columns)))
  return z.map((value, i) => scale[i % columns] > 0 ? value / scale[i % columns] : 0)
}

function rowTops(values, columns) {
  return Float32Array.from({ length: values.length / columns }, (_, r) => values.subarray(r * columns, r * columns + columns).reduce((top, v) => Math.max(top, Math.abs(v)), 0))
}

/** The address that a site's weight gives to its kernel. */
function addressOf({ engine }, site) {
  let at
  site.weight.forward({ linear_forward: (_, __, ptr) => { at = ptr } }, 0, 0, 0, 0, 0)
  return at
}

function perLayer({ x, dy }, sites, weights, scales) {
  const at = (seen, i) => seen.filter(({ weight }) => weight === pointers[i])
  const pointers = sites.map((site) => addressOf({}, site))
  return sites.map((site, i) => {
    const { inputs, outputs } = site.weight, W = weights[i]
    const xs = joined(at(x, i), inputs), dys = joined(at(dy, i), outputs)
    const by = (measure) => Object.fromEntries(SIZES.map((terms) => [terms, measure(terms)]))
    const y = product(xs, W, inputs)
    const dx = dys.length > 0 ? back(dys, W, inputs) : undefined
    return {
      site: site.name, spread: spreadOf(W, inputs), channels: channelsOf(xs, inputs),
      weights: by((terms) => relative(product(xs, rounded(W, inputs, terms, 127), inputs), y)),
      activations: by((terms) => relative(product(rounded(xs, inputs, terms, limitOf(Math.min(terms, inputs))), W, inputs), y)),
      gradients: dx && by((terms) => relative(back(folded(dys, outputs, terms, scales[i]), W, inputs), dx)),
    }
  })
}

/** Some rows of what was seen, at most 32. */
function joined(seen, columns) {
  const all = Float32Array.from(seen.flatMap(({ values }) => [...values])), rows = all.length / columns, step = Math.max(1, Math.floor(rows / 32))
  return Float32Array.from({ length: Math.min(32, rows) * columns }, (_, i) => all[Math.floor(i / columns) * step * columns + i % columns])
}

/** x W^T in double precision. */
function product(x, W, K) {
  const M = x.length / K, N = W.length / K, y = new Float64Array(M * N)
  for (let m = 0; m < M; m++) for (let n = 0; n < N; n++) {
    let sum = 0
    for (let k = 0; k < K; k++) sum += x[m * K + k] * W[n * K + k]
    y[m * N + n] = sum
  }
  return y
}

/** dy W in double precision. */
function back(dy, W, K) {
  const N = W.length / K, M = dy.length / N, dx = new Float64Array(M * K)
  for (let m = 0; m < M; m++) for (let n = 0; n < N; n++) {
    const d = dy[m * N + n]
    for (let k = 0; k < K; k++) dx[m * K + k] += d * W[n * K + k]
  }
  return dx
}

function relative(got, expected) {
  let off = 0, all = 0
  for (let i = 0; i < got.length; i++) {
    off += (got[i] - expected[i]) ** 2
    all += expected[i] ** 2
  }
  return Math.sqrt(off / all)
}

/** Largest element of a row over the root of the row's mean square: the largest of all rows, and their median. */
function spreadOf(values, columns) {
  const all = Array.from({ length: values.length / columns }, (_, r) => {
    const row = values.subarray(r * columns, r * columns + columns)
    return row.reduce((top, v) => Math.max(top, Math.abs(v)), 0) / Math.sqrt(row.reduce((sum, v) => sum + v * v, 0) / columns)
  }).sort((a, b) => a - b)
  return { most: all.at(-1), median: all[all.length >> 1] }
}

/** The largest channel of x over the median channel, by root mean squares: outlier channels of the activations. */
function channelsOf(x, columns) {
  const rows = x.length / columns
  const sizes = Array.from({ length: columns }, (_, c) => Math.sqrt(Array.from({ length: rows }, (_, r) => x[r * columns + c] ** 2).reduce((a, b) => a + b, 0) / rows)).sort((a, b) => a - b)
  return sizes.at(-1) / sizes[columns >> 1]
}
