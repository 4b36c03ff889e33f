/**
 * Sums, scaling and dropout, element by element.
 * @module
 */
import type { Value } from '../graph/value.ts'
import type { Pass } from './pass.ts'

/** a + b, same shape. */
export function add(pass: Pass, layer: string, a: Value, b: Value): Value {
  if (a === b) return scale(pass, layer, a, 2)
  const { graph } = pass
  if (a.length !== b.length) throw new RangeError(`"${layer}" expected equal shapes, got [${a.shape}] and [${b.shape}]`)
  const y = graph.value(a.shape, a.trains || b.trains)
  graph.node({ op: 'add', layer, outs: [y], ins: [a, b], run: (k, at) => { k['add'](at(y), at(a), at(b), y.length) } })
  graph.onBackward([y], () => graph.shareGradient([a, b], graph.gradient(y)!, layer))
  return y
}

/** x * s. */
export function scale(pass: Pass, layer: string, x: Value, s: number): Value {
  const { graph } = pass
  const y = graph.value(x.shape, x.trains)
  graph.node({ op: 'scale', layer, outs: [y], ins: [x], run: (k, at) => { k['scale'](at(y), at(x), s, y.length) } })
  graph.onBackward([y], () => {
    const dy = graph.gradient(y)!
    graph.addGradientBySum(x, layer, dx => graph.node({
      op: 'scale', layer, outs: [dx], ins: [dy], run: (k, at) => { k['scale'](at(dx), at(dy), s, dx.length) },
    }))
  })
  return y
}

/**
 * Dropout of x [M, C], where the pass has any: an element is kept iff its 32 random bits reach rate * 2^32, and scaled by
 * 1 / (1 - rate). The mask is a function of (key, stream, row in the whole batch, column); going back computes it again.
 */
export function dropout(pass: Pass, layer: string, x: Value): Value {
  if (pass.dropout === undefined) return x
  const { graph } = pass
  const { rate, key, first = 0 } = pass.dropout
  const [M, C] = x.shape
  const stream = pass.nextStream()
  const threshold = Math.floor(rate * 4294967296) | 0, factor = Math.fround(1 / (1 - rate))
  const y = graph.value(x.shape, x.trains)
  const apply = (out: Value, from: Value) => graph.node({
    op: 'dropout_forward', layer, outs: [out], ins: [from], absorbs: [from], varies: true,
    run: (k, at) => { k['dropout_forward'](at(out), at(from), M, C, first, threshold, factor, key[0], key[1], stream) },
  })
  apply(y, x)
  graph.onBackward([y], () => graph.addGradientBySum(x, layer, dx => apply(dx, graph.gradient(y)!)))
  return y
}
