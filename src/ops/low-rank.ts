/**
 * The low-rank branch of a linear layer. Of the pair A [R, K] and Bt [R, N] (B transposed, so that a rank is a row of
 * both) only the first b rows are read, so its cost falls with b.
 *
 *   u[M, b] = x A_b^T               y[M, N] += (scale * u) Bt_b
 *   t[M, b] = dy Bt_b^T             dx[M, K] += (scale * t) A_b
 *   dA = (scale * t)^T x            dBt = (scale * u)^T dy          for the rows that train alone
 *
 * u and t are made while x and dy are read for the weight (reading.ts). scale * u and scale * t are rounded before they are multiplied; sums as in assembly/kernels/gemm.ts.
 * Source: LoRA (arXiv 2106.09685, section 4.1); DyLoRA (arXiv 2210.07558, section 3).
 * @module
 */
import type { Value } from '../graph/value.ts'
import type { Tensor } from '../tensor/tensor.ts'
import type { LowRank, Pass, Site } from './pass.ts'
import { Reading } from './reading.ts'
import type { Columns } from './reading.ts'

/** The branch of a site. */
export interface Branch {
  /** Adds it to y. */
  forward(y: Value): void
  /**
   * Going back, given dy: appends what stands before the gradient of x through the weight; what it gives appends the rest.
   *
   * @param reading - of dy, where there is one
   */
  back(dy: Value, reading: Reading | undefined): () => void
}

/** The branch of a site that reads x. */
export function lowRank(pass: Pass, x: Value, site: Site, { A, Bt, rank: b, scale }: LowRank): Branch {
  const { graph } = pass
  const layer = `${site.name}.lora`
  const M = x.shape[0], N = site.weight.outputs, K = site.weight.inputs
  const scratch = graph.engine.kernels['gemm_scratch']()
  const a = pass.parameter(A), t = pass.parameter(Bt)
  const down = pass.reading(x, site.name).product(a, b, layer)

  /** The gradient of the rows that train: (scale * left)^T right, left [M, b], right [M, columns]. */
  const rows = (tensor: Tensor, value: Value, left: Columns, right: Value, columns: number): void => {
    const range = pass.trained(tensor)
    if (range === undefined) return
    if (range.to > b) throw new RangeError(`"${tensor.name}" expected trained rows below the rank ${b}, got ${range.from} to ${range.to}`)
    const count = range.to - range.from
    graph.addGradient(value, (d, accumulate) => graph.node({
      op: 'low_rank_gradient', layer, outs: [d], ins: [left.u, right], scratch,
      run: (k, at, s) => {
        k['matmul'](at(d), columns, at(left.u) + left.skip + range.from * 4, 1, left.stride(), at(right), columns, 1,
          count, columns, M, scale, accumulate ? 1 : 0, 0, s)
      },
    }), [count, columns])
  }

  return {
    forward: y => graph.node({
      op: 'low_rank_up', layer, outs: [y], ins: [down.u, t], scratch,
      run: (k, at, s) => { k['matmul'](at(y), N, at(down.u) + down.skip, down.stride(), 1, at(t), N, 1, M, N, b, scale, 1, 0, s) },
    }),
    back(dy, reading) {
      const up = a.trains || x.trains ? (reading ?? new Reading(graph, dy, site.name)).product(t, b, layer) : undefined
      return () => {
        rows(Bt, t, down, dy, N)
        if (up === undefined) return
        rows(A, a, up, x, K)
        graph.addGradient(x, (dx, accumulate) => graph.node({
          op: 'low_rank_input', layer, outs: [dx], ins: [up.u, a], scratch,
          run: (k, at, s) => {
            k['matmul'](at(dx), K, at(up.u) + up.skip, up.stride(), 1, at(a), K, 1, M, K, b, scale, accumulate ? 1 : 0, 0, s)
          },
        }))
      }
    },
  }
}
