/**
 * One vector per sequence: the mean of its rows or its first row; and L2 normalisation.
 * @module
 */
import type { Value } from '../graph/value.ts'
import type { Sequences } from './attention.ts'
import type { Pass } from './pass.ts'

/** `mean` of all tokens, or the first (`cls`) token. */
export type Pooling = 'mean' | 'cls'

/** x [M, C] to [sequences, C]. */
export function pool(pass: Pass, layer: string, kind: Pooling, x: Value, { offsets, count }: Sequences): Value {
  const { graph } = pass
  const C = x.shape[1]
  const kernel = kind === 'mean' ? 'mean_pool' : 'first_token_pool'
  const y = graph.value([count, C], x.trains)
  graph.node({
    op: `${kernel}_forward`, layer, outs: [y], ins: [x, offsets], ...(kind === 'cls' && { absorbs: [x] }),
    run: (k, at) => { k[`${kernel}_forward`](at(y), at(x), at(offsets), count, C) },
  })
  graph.onBackward([y], () => {
    const dy = graph.gradient(y)!
    graph.addGradientBySum(x, layer, dx => graph.node({
      op: `${kernel}_backward`, layer, outs: [dx], ins: [dy, offsets],
      run: (k, at) => { k[`${kernel}_backward`](at(dx), at(dy), at(offsets), count, C) },
    }))
  })
  return y
}

/** x / max(|x|, eps) by row, x [M, C]. */
export function l2Normalize(pass: Pass, layer: string, x: Value, eps = 1e-12): Value {
  const { graph } = pass
  const [M, C] = x.shape
  const y = graph.value([M, C], x.trains), norm = graph.value([M], false)
  graph.node({
    op: 'l2_normalize_forward', layer, outs: [y, norm], ins: [x],
    run: (k, at) => { k['l2_normalize_forward'](at(y), at(norm), at(x), M, C, eps) },
  })
  graph.onBackward([y], () => {
    const dy = graph.gradient(y)!
    graph.addGradientBySum(x, layer, dx => graph.node({
      op: 'l2_normalize_backward', layer, outs: [dx], ins: [dy, y, norm],
      run: (k, at) => { k['l2_normalize_backward'](at(dx), at(dy), at(y), at(norm), M, C) },
    }))
  })
  return y
}
