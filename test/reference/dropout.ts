/** Twin of assembly/kernels/dropout.ts: Philox4x32-10 in exact integers, written from the paper. */
import type { Vec } from './vec.ts'

const M0 = 0xd2511f53n, M1 = 0xcd9e8d57n, W0 = 0x9e3779b9n, W1 = 0xbb67ae85n, MASK = 0xffffffffn

/** The four words of one counter. */
export function philox(counter: readonly number[], key: readonly number[]): number[] {
  let [a, b, c, d] = counter.map((v) => BigInt(v >>> 0))
  let [k0, k1] = key.map((v) => BigInt(v >>> 0))
  for (let round = 0; round < 10; round++) {
    const p0 = a * M0, p1 = c * M1;
    [a, b, c, d] = [(p1 >> 32n) ^ b ^ k0, p1 & MASK, (p0 >> 32n) ^ d ^ k1, p0 & MASK]
    k0 = (k0 + W0) & MASK
    k1 = (k1 + W1) & MASK
  }
  return [a, b, c, d].map(Number)
}

/** 16 words: out[4 w + j] = word w of the counter (c0 + j, c1, c2, c3). */
export function philoxBlock(c0: number, c1: number, c2: number, c3: number, key0: number, key1: number): number[] {
  const words = [0, 1, 2, 3].map((j) => philox([c0 + j, c1, c2, c3], [key0, key1]))
  return Array.from({ length: 16 }, (_, i) => words[i & 3][i >> 2])
}

export function dropoutForward(
  x: Vec, C: number, first: number, threshold: number, scale: number, key0: number, key1: number, stream: number,
): Float64Array {
  return Float64Array.from(x, (v, i) => {
    const m = Math.floor(i / C), c = i % C
    const word = philox([(c >> 4) * 4 + (c & 3), first + m, stream, 0], [key0, key1])[(c >> 2) & 3]
    return word >= threshold ? v * scale : 0
  })
}
