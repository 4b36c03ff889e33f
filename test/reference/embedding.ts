/** Double-precision twin of assembly/kernels/embedding.ts. */
import type { Vec } from './vec.ts'

export function embeddingForward(ids: Vec, table: Vec, M: number, C: number): Float64Array {
  return Float64Array.from({ length: M * C }, (_, i) => table[ids[Math.floor(i / C)] * C + i % C])
}

export function embeddingAddForward(out: Vec, ids: Vec, table: Vec, M: number, C: number): Float64Array {
  return embeddingForward(ids, table, M, C).map((v, i) => v + out[i])
}

/** What is added to dtable, [V, C]. */
export function embeddingBackward(dy: Vec, ids: Vec, M: number, V: number, C: number): Float64Array {
  const dtable = new Float64Array(V * C)
  for (let m = 0; m < M; m++) for (let c = 0; c < C; c++) dtable[ids[m] * C + c] += dy[m * C + c]
  return dtable
}
