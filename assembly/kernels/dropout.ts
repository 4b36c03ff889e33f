/**
 * Dropout by a counter-based generator: out[m, c] = x[m, c] * scale where the element is kept, else 0.
 *
 * dropout_forward: x, out: [M, C]. An element is kept where its 32-bit word, unsigned, is at least `threshold` (the drop
 * rate times 2^32). `first` is the number of row 0, so that a batch may come in pieces. Nothing is saved: the same call on
 * dy gives dx. Overwrites (`=`); `out` may be `x`.
 * philox_block: 16 words: out[4 w + j] = word w of the counter (c0 + j, c1, c2, c3), j and w = 0 .. 3.
 *
 * The words are Philox4x32-10 (Salmon, Moraes, Dror, Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC 2011):
 * element (m, c) reads word (c >> 2) & 3 of the counter ((c >> 4) * 4 + (c & 3), first + m, stream, 0) under the key
 * (key0, key1), so that four counters fill sixteen neighbours without a transposition.
 */
import { addInt, bitsOf, countFrom, fromBits, ifBelow, productHigh, productLow, splatInt, xor } from '../integers'
import { mul, splat } from '../lanes'

// multipliers and Weyl increments of Philox4x32
const M0: i32 = 0xd2511f53
const M1: i32 = 0xcd9e8d57
const W0: i32 = 0x9e3779b9
const W1: i32 = 0xbb67ae85

export function dropout_forward(
  out: usize, x: usize, M: i32, C: i32, first: i32, threshold: u32, scale: f32, key0: i32, key1: i32, stream: i32,
): void {
  for (let m = 0; m < M; m++) {
    const at = <usize>m * <usize>C << 2
    let i = 0
    if (ASC_FEATURE_SIMD) {
      for (; i <= C - 16; i += 16) {
        block<v128, v128>(out + at, x + at, i, C, threshold, scale, i >> 2, first + m, stream, 0, key0, key1, false)
      }
    }
    for (; i < C; i += 16) {
      for (let j = 0; j < min(4, C - i); j++) {
        block<f32, i32>(out + at, x + at, i + j, C, threshold, scale, (i >> 2) + j, first + m, stream, 0, key0, key1, false)
      }
    }
  }
}

export function philox_block(out: usize, c0: i32, c1: i32, c2: i32, c3: i32, key0: i32, key1: i32): void {
  if (ASC_FEATURE_SIMD) block<v128, v128>(out, 0, 0, 16, 0, 0, c0, c1, c2, c3, key0, key1, true)
  else for (let j = 0; j < 4; j++) block<f32, i32>(out, 0, j, 16, 0, 0, c0 + j, c1, c2, c3, key0, key1, true)
}

/**
 * The elements i, i + 4, i + 8, i + 12 (in vectors: and the three after each) as far as they are below n, from the
 * four words of one counter (in vectors: four counters). `raw` stores the words themselves.
 */
// @ts-ignore: decorator
@inline function block<T, I>(
  out: usize, x: usize, i: i32, n: i32, threshold: u32, scale: f32,
  c0: i32, c1: i32, c2: i32, c3: i32, key0: i32, key1: i32, raw: bool,
): void {
  let a = countFrom<I>(c0), b = splatInt<I>(c1), c = splatInt<I>(c2), d = splatInt<I>(c3)
  const m0 = splatInt<I>(M0), m1 = splatInt<I>(M1)
  for (let round = 0; round < 10; round++) {
    const high0 = productHigh<I>(a, m0), low0 = productLow<I>(a, m0)
    const high1 = productHigh<I>(c, m1), low1 = productLow<I>(c, m1)
    a = xor<I>(xor<I>(high1, b), splatInt<I>(key0 + round * W0))
    b = low1
    c = xor<I>(xor<I>(high0, d), splatInt<I>(key1 + round * W1))
    d = low0
  }
  const at = <usize>i << 2
  keep<T, I>(out + at, x + at, a, threshold, scale, raw)
  if (isVector<T>() || i + 4 < n) keep<T, I>(out + at + 16, x + at + 16, b, threshold, scale, raw)
  if (isVector<T>() || i + 8 < n) keep<T, I>(out + at + 32, x + at + 32, c, threshold, scale, raw)
  if (isVector<T>() || i + 12 < n) keep<T, I>(out + at + 48, x + at + 48, d, threshold, scale, raw)
}

// @ts-ignore: decorator
@inline function keep<T, I>(out: usize, x: usize, word: I, threshold: u32, scale: f32, raw: bool): void {
  if (raw) {
    store<I>(out, word)
    return
  }
  // word < threshold as unsigned: both moved by 2^31
  const top = splatInt<I>(<i32>0x80000000)
  const kept = bitsOf<T, I>(mul<T>(load<T>(x), splat<T>(scale)))
  const limit = splatInt<I>(<i32>(threshold ^ 0x80000000))
  store<T>(out, fromBits<T, I>(ifBelow<I>(xor<I>(word, top), limit, splatInt<I>(0), kept)))
}
