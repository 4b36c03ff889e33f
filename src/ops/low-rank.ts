/**
 * The low-rank branch of a linear layer. Of the pair A [R, K] and Bt [R, N] (B transposed, so that a rank is a row of
 * both) only the first b rows are read, so its cost falls with b.
 *
 *   u[M, b] = x A_b^T               y[M, N] += (scale * u) Bt_b
 *   t[M, b] = dy Bt_b^T             dx[M, K] += (scale * t) A_b
 *   dA = (scale * t)^T x            dBt = (scale * u)^T dy          for the rows that train alone
 *
 * scale * u and scale * t are rounded before they are multiplied; sums as in assembly/kernels/gemm.ts.
 * Source: LoRA (arXiv 2106.09685, section 4.1); DyLoRA (arXiv 2210.07558, section 3).
 * @module
 */
import type { Value } from '../graph/value.ts'
import type { Tensor } from '../tensor/tensor.ts'
import type { LowRank, Pass, Site } from './pass.ts'

/** Adds the branch to y. Returns how to go back, given dy; called after the gradient of x through the weight. */
export function lowRank(pass: Pass, x: Value, y: Value, site: Site, { A, Bt, rank: b, scale }: LowRank): (dy: Value) => void {
  const { graph } = pass
  const layer = `${site.name}.lora`
  const M = x.shape[0], N = site.weight.outputs, K = site.weight.inputs
  const scratch = graph.engine.kernels['gemm_scratch']()
  const a = pass.parameter(A), t = pass.parameter(Bt)
  const u = graph.value([M, b], false)
  graph.node({
    op: 'low_rank_down', layer, outs: [u], ins: [x, a], scratch,
    run: (k, at, s) => { k['matmul'](at(u), b, at(x), K, 1, at(a), 1, K, M, b, K, 1, 0, 0, s) },
  })
  graph.node({
    op: 'low_rank_up', layer, outs: [y], ins: [u, t], scratch,
    run: (k, at, s) => { k['matmul'](at(y), N, at(u), b, 1, at(t), N, 1, M, N, b, scale, 1, 0, s) },
  })

  /** The gradient of the rows that train: (scale * left)^T right, left [M, b], right [M, columns]. */
  const rows = (tensor: Tensor, value: Value, left: Value, right: Value, columns: number): void => {
    const range = pass.trained(tensor)
    if (range === undefined) return
    if (range.to > b) throw new RangeError(`"${tensor.name}" expected trained rows below the rank ${b}, got ${range.from} to ${range.to}`)
    const count = range.to - range.from
    graph.addGradient(value, (d, accumulate) => graph.node({
      op: 'low_rank_gradient', layer, outs: [d], ins: [left, right], scratch,
      run: (k, at, s) => {
        k['matmul'](at(d), columns, at(left) + range.from * 4, 1, b, at(right), columns, 1,
          count, columns, M, scale, accumulate ? 1 : 0, 0, s)
      },
    }), [count, columns])
  }

  return dy => {
    rows(Bt, t, u, dy, N)
    if (!a.trains && !x.trains) return
    const back = graph.value([M, b], false)
    graph.node({
      op: 'low_rank_back', layer, outs: [back], ins: [dy, t], scratch,
      run: (k, at, s) => { k['matmul'](at(back), b, at(dy), N, 1, at(t), 1, N, M, b, N, 1, 0, 0, s) },
    })
    rows(A, a, back, x, K)
    graph.addGradient(x, (dx, accumulate) => graph.node({
      op: 'low_rank_input', layer, outs: [dx], ins: [back, a], scratch,
      run: (k, at, s) => {
        k['matmul'](at(dx), K, at(back), b, 1, at(a), K, 1, M, K, b, scale, accumulate ? 1 : 0, 0, s)
      },
    }))
  }
}
