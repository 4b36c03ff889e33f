/** The definition of assembly/kernels/narrow-embedding.ts in rounded f32 operations: compare bits. */
import { widenF16 } from '../../src/checkpoint/dtype.ts'

const f = Math.fround
const word = new Uint32Array(1), value = new Float32Array(word.buffer)

/** The number that the bits of an f16 stand for. */
export function half(bits: number): number {
  word[0] = widenF16(bits)
  return value[0]
}

const at = (ids: Int32Array, i: number, C: number) => ids[Math.floor(i / C)] * C + i % C

export function embeddingF16Forward(ids: Int32Array, table: Uint16Array, M: number, C: number): Float32Array {
  return Float32Array.from({ length: M * C }, (_, i) => half(table[at(ids, i, C)]))
}

export function embeddingF16AddForward(out: Float32Array, ids: Int32Array, table: Uint16Array, M: number, C: number): Float32Array {
  return embeddingF16Forward(ids, table, M, C).map((v, i) => f(out[i] + v))
}

export function embeddingInt8Forward(ids: Int32Array, table: Int8Array, scale: Float32Array, M: number, C: number): Float32Array {
  return Float32Array.from({ length: M * C }, (_, i) => f(table[at(ids, i, C)] * scale[ids[Math.floor(i / C)]]))
}

export function embeddingInt8AddForward(
  out: Float32Array, ids: Int32Array, table: Int8Array, scale: Float32Array, M: number, C: number,
): Float32Array {
  return embeddingInt8Forward(ids, table, scale, M, C).map((v, i) => f(out[i] + v))
}
