/**
 * ChaCha20 (RFC 8439) as a stream of bytes: the one source of random bits of the module.
 *
 * A *stream* is 1,104 bytes of the caller's memory, aligned to 16:
 *
 *   0    16 words: constants (4), key (8), block counter, nonce (3), as in RFC 8439 section 2.3
 *   64   position of the next byte in the buffer, then 12 bytes of padding
 *   80   buffer: 1,024 bytes of keystream
 *
 * A word that does not fit into the rest of the buffer starts the next buffer: what a sampler reads is a function of
 * key and label alone. The SIMD build computes four blocks at once, the scalar build one; both write the same bytes.
 * The counter has 32 bits: a stream ends after 2^32 blocks (256 GiB), which no caller comes near.
 */

const COUNTER: usize = 48
const POSITION: usize = 64
const BUFFER: usize = 80
export const BUFFER_BYTES: u32 = 1024

/** Bytes that a stream takes. */
export function chacha20_stream_bytes(): usize { return BUFFER + BUFFER_BYTES }

/** out[0..64*blocks) = keystream of `state` (16 words) from its block counter on, which moves on by `blocks`. */
export function chacha20_blocks(out: usize, state: usize, blocks: i32): void {
  let i = 0
  if (ASC_FEATURE_SIMD) {
    for (; i <= blocks - 4; i += 4) {
      core<v128>(out + (<usize>i << 6), state)
      store<u32>(state, load<u32>(state, COUNTER) + 4, COUNTER)
    }
  }
  for (; i < blocks; i++) {
    core<u32>(out + (<usize>i << 6), state)
    store<u32>(state, load<u32>(state, COUNTER) + 1, COUNTER)
  }
}

/**
 * out[0..32) = HChaCha20(key[0..32), input[0..16)): a pseudorandom function, the key derivation of XChaCha20
 * (draft-irtf-cfrg-xchacha section 2.2). `work` has 128 bytes and is erased. It is the block function without its
 * last addition, so the addition is taken back.
 */
export function hchacha20(out: usize, key: usize, input: usize, work: usize): void {
  constants(work)
  memory.copy(work + 16, key, 32)
  memory.copy(work + COUNTER, input, 16)
  core<u32>(work + 64, work)
  for (let i: usize = 0; i < 16; i += 4) {
    store<u32>(out + i, load<u32>(work + i, 64) - load<u32>(work + i))
    store<u32>(out + i, load<u32>(work + i, 64 + COUNTER) - load<u32>(work + i, COUNTER), 16)
  }
  memory.fill(work, 0, 128)
}

/** Starts `stream` with key HChaCha20(key[0..32), label[0..16)), nonce 0, counter 0 and an empty buffer. */
export function chacha20_start(stream: usize, key: usize, label: usize): void {
  hchacha20(stream + 16, key, label, stream + BUFFER)
  constants(stream)
  memory.fill(stream + COUNTER, 0, 16)
  store<u32>(stream, BUFFER_BYTES, POSITION)
}

/** out[0..bytes) = the next blocks of the stream, the last one cut; what the buffer still held is dropped. */
export function chacha20_fill(out: usize, stream: usize, bytes: u32): void {
  const whole = bytes & ~63
  chacha20_blocks(out, stream, <i32>(whole >> 6))
  if (whole < bytes) {
    chacha20_blocks(stream + BUFFER, stream, 1)
    memory.copy(out + whole, stream + BUFFER, bytes - whole)
  }
  store<u32>(stream, BUFFER_BYTES, POSITION)
}

/** The next byte of a stream. */
// @ts-ignore: decorator
@inline export function nextByte(stream: usize): u32 {
  const at = reserve(stream, 1)
  return <u32>load<u8>(stream + at, BUFFER)
}

/** The next four bytes of a stream, little-endian. */
// @ts-ignore: decorator
@inline export function nextWord(stream: usize): u32 {
  const at = reserve(stream, 4)
  return load<u32>(stream + at, BUFFER)
}

/** The position of the next `bytes` bytes, after a refill where they do not fit. */
// @ts-ignore: decorator
@inline function reserve(stream: usize, bytes: u32): usize {
  let at = load<u32>(stream, POSITION)
  if (at > BUFFER_BYTES - bytes) {
    refill(stream)
    at = 0
  }
  store<u32>(stream, at + bytes, POSITION)
  return <usize>at
}

/** Fills the whole buffer anew. */
export function refill(stream: usize): void { chacha20_blocks(stream + BUFFER, stream, BUFFER_BYTES >> 6) }

/** Where the buffer of a stream is. */
// @ts-ignore: decorator
@inline export function buffer(stream: usize): usize { return stream + BUFFER }

// "expand 32-byte k"
function constants(state: usize): void {
  store<u32>(state, 0x61707865)
  store<u32>(state, 0x3320646e, 4)
  store<u32>(state, 0x79622d32, 8)
  store<u32>(state, 0x6b206574, 12)
}

/** One block (T = u32) or four with consecutive counters (T = v128, a block a lane). The counter is not moved. */
function core<T>(out: usize, state: usize): void {
  let x0 = word<T>(state, 0), x1 = word<T>(state, 4), x2 = word<T>(state, 8), x3 = word<T>(state, 12)
  let x4 = word<T>(state, 16), x5 = word<T>(state, 20), x6 = word<T>(state, 24), x7 = word<T>(state, 28)
  let x8 = word<T>(state, 32), x9 = word<T>(state, 36), x10 = word<T>(state, 40), x11 = word<T>(state, 44)
  let x12 = word<T>(state, 48), x13 = word<T>(state, 52), x14 = word<T>(state, 56), x15 = word<T>(state, 60)
  x12 = plus<T>(x12, blockOfLane<T>())
  for (let round = 0; round < 20; round += 2) {
    // columns
    x0 = plus<T>(x0, x4); x1 = plus<T>(x1, x5); x2 = plus<T>(x2, x6); x3 = plus<T>(x3, x7)
    x12 = turn<T>(x12, x0, 16); x13 = turn<T>(x13, x1, 16)
    x14 = turn<T>(x14, x2, 16); x15 = turn<T>(x15, x3, 16)
    x8 = plus<T>(x8, x12); x9 = plus<T>(x9, x13); x10 = plus<T>(x10, x14); x11 = plus<T>(x11, x15)
    x4 = turn<T>(x4, x8, 12); x5 = turn<T>(x5, x9, 12)
    x6 = turn<T>(x6, x10, 12); x7 = turn<T>(x7, x11, 12)
    x0 = plus<T>(x0, x4); x1 = plus<T>(x1, x5); x2 = plus<T>(x2, x6); x3 = plus<T>(x3, x7)
    x12 = turn<T>(x12, x0, 8); x13 = turn<T>(x13, x1, 8)
    x14 = turn<T>(x14, x2, 8); x15 = turn<T>(x15, x3, 8)
    x8 = plus<T>(x8, x12); x9 = plus<T>(x9, x13); x10 = plus<T>(x10, x14); x11 = plus<T>(x11, x15)
    x4 = turn<T>(x4, x8, 7); x5 = turn<T>(x5, x9, 7)
    x6 = turn<T>(x6, x10, 7); x7 = turn<T>(x7, x11, 7)
    // diagonals
    x0 = plus<T>(x0, x5); x1 = plus<T>(x1, x6); x2 = plus<T>(x2, x7); x3 = plus<T>(x3, x4)
    x15 = turn<T>(x15, x0, 16); x12 = turn<T>(x12, x1, 16)
    x13 = turn<T>(x13, x2, 16); x14 = turn<T>(x14, x3, 16)
    x10 = plus<T>(x10, x15); x11 = plus<T>(x11, x12); x8 = plus<T>(x8, x13); x9 = plus<T>(x9, x14)
    x5 = turn<T>(x5, x10, 12); x6 = turn<T>(x6, x11, 12)
    x7 = turn<T>(x7, x8, 12); x4 = turn<T>(x4, x9, 12)
    x0 = plus<T>(x0, x5); x1 = plus<T>(x1, x6); x2 = plus<T>(x2, x7); x3 = plus<T>(x3, x4)
    x15 = turn<T>(x15, x0, 8); x12 = turn<T>(x12, x1, 8)
    x13 = turn<T>(x13, x2, 8); x14 = turn<T>(x14, x3, 8)
    x10 = plus<T>(x10, x15); x11 = plus<T>(x11, x12); x8 = plus<T>(x8, x13); x9 = plus<T>(x9, x14)
    x5 = turn<T>(x5, x10, 7); x6 = turn<T>(x6, x11, 7)
    x7 = turn<T>(x7, x8, 7); x4 = turn<T>(x4, x9, 7)
  }
  four<T>(out, state, 0, x0, x1, x2, x3)
  four<T>(out, state, 16, x4, x5, x6, x7)
  four<T>(out, state, 32, x8, x9, x10, x11)
  four<T>(out, state, 48, plus<T>(x12, blockOfLane<T>()), x13, x14, x15)
}

/** out words at `row` of each block = a, b, c, d plus the state's words. */
// @ts-ignore: decorator
@inline function four<T>(out: usize, state: usize, row: usize, a: T, b: T, c: T, d: T): void {
  const e = plus<T>(a, word<T>(state, row)), f = plus<T>(b, word<T>(state, row + 4))
  const g = plus<T>(c, word<T>(state, row + 8)), h = plus<T>(d, word<T>(state, row + 12))
  if (isVector<T>()) {
    const ef = i8x16.shuffle(changetype<v128>(e), changetype<v128>(f),
      0, 1, 2, 3, 16, 17, 18, 19, 4, 5, 6, 7, 20, 21, 22, 23)
    const gh = i8x16.shuffle(changetype<v128>(g), changetype<v128>(h),
      0, 1, 2, 3, 16, 17, 18, 19, 4, 5, 6, 7, 20, 21, 22, 23)
    const ef2 = i8x16.shuffle(changetype<v128>(e), changetype<v128>(f),
      8, 9, 10, 11, 24, 25, 26, 27, 12, 13, 14, 15, 28, 29, 30, 31)
    const gh2 = i8x16.shuffle(changetype<v128>(g), changetype<v128>(h),
      8, 9, 10, 11, 24, 25, 26, 27, 12, 13, 14, 15, 28, 29, 30, 31)
    const at = out + row
    v128.store(at, i8x16.shuffle(ef, gh, 0, 1, 2, 3, 4, 5, 6, 7, 16, 17, 18, 19, 20, 21, 22, 23))
    v128.store(at, i8x16.shuffle(ef, gh, 8, 9, 10, 11, 12, 13, 14, 15, 24, 25, 26, 27, 28, 29, 30, 31), 64)
    v128.store(at, i8x16.shuffle(ef2, gh2, 0, 1, 2, 3, 4, 5, 6, 7, 16, 17, 18, 19, 20, 21, 22, 23), 128)
    v128.store(at, i8x16.shuffle(ef2, gh2, 8, 9, 10, 11, 12, 13, 14, 15, 24, 25, 26, 27, 28, 29, 30, 31), 192)
  } else {
    store<T>(out + row, e)
    store<T>(out + row, f, 4)
    store<T>(out + row, g, 8)
    store<T>(out + row, h, 12)
  }
}

// @ts-ignore: decorator
@inline function word<T>(state: usize, offset: usize): T {
  if (isVector<T>()) return changetype<T>(v128.load32_splat(state + offset))
  return load<T>(state + offset)
}

// @ts-ignore: decorator
@inline function blockOfLane<T>(): T {
  if (isVector<T>()) return changetype<T>(i32x4(0, 1, 2, 3))
  return <T>0
}

// @ts-ignore: decorator
@inline function plus<T>(a: T, b: T): T {
  if (isVector<T>()) return changetype<T>(i32x4.add(changetype<v128>(a), changetype<v128>(b)))
  return <T>(a + b)
}

/** (a xor b) rotated left by n. */
// @ts-ignore: decorator
@inline function turn<T>(a: T, b: T, n: i32): T {
  if (isVector<T>()) {
    const x = v128.xor(changetype<v128>(a), changetype<v128>(b))
    if (n == 16) return changetype<T>(i8x16.shuffle(x, x, 2, 3, 0, 1, 6, 7, 4, 5, 10, 11, 8, 9, 14, 15, 12, 13))
    if (n == 8) return changetype<T>(i8x16.shuffle(x, x, 3, 0, 1, 2, 7, 4, 5, 6, 11, 8, 9, 10, 15, 12, 13, 14))
    return changetype<T>(v128.or(i32x4.shl(x, n), i32x4.shr_u(x, 32 - n)))
  }
  return <T>rotl<u32>(<u32>a ^ <u32>b, n)
}
