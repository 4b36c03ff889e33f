/** Twin of assembly/kernels/column-sums.ts; `Math.fround` as `round` makes it the kernel's own definition. */
import type { Vec } from './vec.ts'

/** out[j] = sum over m of x[m, j], x [M, C]. */
export function columnSums(x: Vec, M: number, C: number, round = (v: number) => v): Float64Array {
  const out = new Float64Array(C)
  for (let m = 0; m < M; m++) for (let j = 0; j < C; j++) out[j] = round(out[j] + x[m * C + j])
  return out
}
