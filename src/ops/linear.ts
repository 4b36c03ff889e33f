/**
 * Linear layers: y = x W^T + bias, and the low-rank branch y + scale (x A_b^T) Bt_b of a site that has one. The
 * gradient goes to the input, to the rows of the pair that train, and to weight and bias where these train.
 * @module
 */
import type { Value } from '../graph/value.ts'
import { lowRank } from './low-rank.ts'
import type { Pass, Site } from './pass.ts'
import { Reading } from './reading.ts'

/** x [M, inputs] to [M, outputs]. */
export function linear(pass: Pass, x: Value, site: Site): Value {
  const { graph } = pass
  const { weight, bias, name: layer } = site
  const M = x.shape[0], N = weight.outputs, K = weight.inputs
  if (x.shape[1] !== K) throw new RangeError(`"${layer}" expected inputs of width ${K}, got ${x.shape[1]}`)
  const w = weight.dense && pass.parameter(weight.dense)
  const c = bias && pass.parameter(bias)
  const pair = pass.lowRank(site)
  const trainsPair = pair !== undefined && (pass.trained(pair.A) !== undefined || pass.trained(pair.Bt) !== undefined)
  const { integers } = weight, scratch = (integers ?? weight).scratch
  const operand = integers && pass.reading(x, layer).integers()
  const y = graph.value([M, N], x.trains || trainsPair || !!w?.trains || !!c?.trains)
  const branch = pair && lowRank(pass, x, site, pair)
  graph.node({
    op: 'linear_forward', layer, outs: [y], ins: [operand ?? x, ...(w ? [w] : []), ...(c ? [c] : [])], scratch,
    run: (k, at, s) => (integers ?? weight).forward(k, at(y), at(operand ?? x), c ? at(c) : 0, M, s),
  })
  branch?.forward(y)
  graph.onBackward([y], () => {
    const dy = graph.gradient(y)!
    const reading = integers && x.trains ? new Reading(graph, dy, layer, integers.fold) : undefined
    const dOperand = reading?.integers()
    const back = branch?.back(dy, reading)
    graph.addGradient(x, (dx, accumulate) => graph.node({
      op: 'linear_backward_input', layer, outs: [dx], ins: [dOperand ?? dy, ...(w ? [w] : [])], scratch,
      run: (k, at, s) => (integers ?? weight).backwardInput(k, at(dx), at(dOperand ?? dy), M, accumulate, s),
    }))
    back?.()
    if (w) {
      graph.addGradient(w, (dw, accumulate) => graph.node({
        op: 'linear_backward_weight', layer, outs: [dw], ins: [dy, x], scratch: graph.engine.kernels['gemm_scratch'](),
        run: (k, at, s) => { k['matmul'](at(dw), K, at(dy), 1, N, at(x), K, 1, N, K, M, 1, accumulate ? 1 : 0, 0, s) },
      }))
    }
    if (c) {
      graph.addGradient(c, (dc, accumulate) => graph.node({
        op: 'linear_backward_bias', layer, outs: [dc], ins: [dy],
        run: (k, at) => { k['column_sums'](at(dc), at(dy), M, N, accumulate ? 1 : 0) },
      }))
    }
  })
  return y
}
