/**
 * The random rotation of a vector: signs from a public stream, then the Walsh-Hadamard transform H, not normalised
 * (H H = n). It spreads any one vector evenly over the coordinates, so that a sum needs fewer bits each (Kairouz,
 * Liu, Steinke, arXiv 2102.06387, section 4).
 *
 * random_rotate:   x = H (s * x)
 * random_unrotate: x = s * (H x)
 *
 * In place; n is a power of two. Coordinate i takes bit i of the stream (from the lowest bit of the first word).
 * Order: passes of distance 1, 2, 4, ..., n/2, each (a, b) -> (a + b, a - b); blocks and lanes change no bit of it.
 */
import { nextWord } from './chacha20'
import { add, lanes, sub } from '../lanes'

export function random_rotate(x: usize, n: i32, stream: usize): void {
  flip(x, n, stream)
  hadamard(x, n)
}

export function random_unrotate(x: usize, n: i32, stream: usize): void {
  hadamard(x, n)
  flip(x, n, stream)
}

function flip(x: usize, n: i32, stream: usize): void {
  let bits: u32 = 0
  for (let i = 0; i < n; i++) {
    if ((i & 31) == 0) bits = nextWord(stream)
    const at = x + (<usize>i << 2)
    store<u32>(at, load<u32>(at) ^ (bits << 31))
    bits >>= 1
  }
}

/** Elements of a block that stays in the first cache: 32 KiB. */
const BLOCK: i32 = 8192

function hadamard(x: usize, n: i32): void {
  const block = min(n, BLOCK)
  for (let i = 0; i < n; i += block) passes(x + (<usize>i << 2), block, 1)
  passes(x, n, block)
}

/** The passes of distance from, 2 from, ..., n/2. */
function passes(x: usize, n: i32, from: i32): void {
  let h = from
  for (; h <= n >> 2; h <<= 2) {
    if (ASC_FEATURE_SIMD && h >= 4) twoPasses<v128>(x, n, h)
    else twoPasses<f32>(x, n, h)
  }
  if (h < n) {
    if (ASC_FEATURE_SIMD && h >= 4) onePass<v128>(x, n, h)
    else onePass<f32>(x, n, h)
  }
}

// @ts-ignore: decorator
@inline function onePass<T>(x: usize, n: i32, h: i32): void {
  const far = <usize>h << 2
  for (let i = 0; i < n; i += h << 1) {
    for (let j = i; j < i + h; j += lanes<T>()) {
      const at = x + (<usize>j << 2)
      const a = load<T>(at), b = load<T>(at + far)
      store<T>(at, add<T>(a, b))
      store<T>(at + far, sub<T>(a, b))
    }
  }
}

/** Passes h and 2h with one load and one store for each element. */
// @ts-ignore: decorator
@inline function twoPasses<T>(x: usize, n: i32, h: i32): void {
  const far = <usize>h << 2
  for (let i = 0; i < n; i += h << 2) {
    for (let j = i; j < i + h; j += lanes<T>()) {
      const at = x + (<usize>j << 2)
      const a = load<T>(at), b = load<T>(at + far), c = load<T>(at + 2 * far), d = load<T>(at + 3 * far)
      const e = add<T>(a, b), f = sub<T>(a, b), g = add<T>(c, d), k = sub<T>(c, d)
      store<T>(at, add<T>(e, g))
      store<T>(at + far, add<T>(f, k))
      store<T>(at + 2 * far, sub<T>(e, g))
      store<T>(at + 3 * far, sub<T>(f, k))
    }
  }
}
