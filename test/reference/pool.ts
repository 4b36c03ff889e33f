/** Double-precision twin of assembly/kernels/pool.ts; outputs of backward have offsets[S] rows. */
import type { Vec } from './vec.ts'

export function meanPoolForward(x: Vec, offsets: Vec, S: number, C: number): Float64Array {
  const out = new Float64Array(S * C)
  for (let s = 0; s < S; s++) {
    for (let m = offsets[s]; m < offsets[s + 1]; m++) {
      for (let c = 0; c < C; c++) out[s * C + c] += x[m * C + c] / (offsets[s + 1] - offsets[s])
    }
  }
  return out
}

export function meanPoolBackward(dy: Vec, offsets: Vec, S: number, C: number): Float64Array {
  const dx = new Float64Array(offsets[S] * C)
  for (let s = 0; s < S; s++) {
    for (let m = offsets[s]; m < offsets[s + 1]; m++) {
      for (let c = 0; c < C; c++) dx[m * C + c] = dy[s * C + c] / (offsets[s + 1] - offsets[s])
    }
  }
  return dx
}

export function firstTokenPoolForward(x: Vec, offsets: Vec, S: number, C: number): Float64Array {
  return Float64Array.from({ length: S * C }, (_, i) => x[offsets[Math.floor(i / C)] * C + i % C])
}

export function firstTokenPoolBackward(dy: Vec, offsets: Vec, S: number, C: number): Float64Array {
  const dx = new Float64Array(offsets[S] * C)
  for (let s = 0; s < S; s++) for (let c = 0; c < C; c++) dx[offsets[s] * C + c] = dy[s * C + c]
  return dx
}
