/** Twin of assembly/kernels/linear.ts: W [N, K] row-major, whatever its packing. */
import { matmul } from './gemm.ts'
import type { Vec } from './vec.ts'

/** y[M, N] = bias + x[M, K] W^T. */
export function linearForward(x: Vec, w: Vec, bias: Vec | undefined, M: number, N: number, K: number, round?: (x: number) => number): Float64Array {
  return matmul({ m: M, n: N, k: K, a: x, aRow: K, aColumn: 1, b: w, bRow: 1, bColumn: K, start: (_, j) => bias?.[j] ?? 0 }, round)
}

/** dx[M, K] = start + dy[M, N] W. */
export function linearBackwardInput(dy: Vec, w: Vec, start: Vec | undefined, M: number, N: number, K: number, round?: (x: number) => number): Float64Array {
  return matmul({ m: M, n: K, k: N, a: dy, aRow: N, aColumn: 1, b: w, bRow: K, bColumn: 1, start: (i, j) => start?.[i * K + j] ?? 0 }, round)
}
