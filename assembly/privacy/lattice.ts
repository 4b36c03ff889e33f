/**
 * Exact arithmetic on integer vectors (i32): the norm that bounds the sensitivity, and sums modulo 2^bits.
 *
 * lattice_norm_squared: sum of v_i^2, exact below 2^53; 2^53 for anything from there on.
 * lattice_shorten:      makes sum v_i^2 <= clip^2 by v_i = sign(v_i) floor(|v_i| clip / s), s = ceil(sqrt(sum v_i^2)):
 *                       then sum floor(..)^2 <= clip^2 (sum v_i^2) / s^2 <= clip^2. Vectors that fit are not touched.
 * lattice_clamp:        v_i into [-limit, limit].
 * lattice_largest:      max |v_i|, unsigned.
 * add_mod:              sum_i = (sum_i + v_i) modulo 2^bits, in [-2^(bits-1), 2^(bits-1)).
 * lift_mod:             the same of sum_i alone.
 *
 * In place. clip <= 2^26, 1 <= bits <= 32.
 */

const FULL: f64 = 9007199254740992 // 2^53
const LARGEST: u32 = 1 << 26
/** Squares of at most 2^52 that a u64 can add without a look at the sum. */
const RUN: i32 = 1024

export function lattice_norm_squared(v: usize, n: i32): f64 {
  let total: u64 = 0
  for (let from = 0; from < n; from += RUN) {
    let largest: u32 = 0
    const end = v + (<usize>min(n, from + RUN) << 2)
    let at = v + (<usize>from << 2)
    if (ASC_FEATURE_SIMD) {
      let most = i32x4.splat(0), low = i64x2.splat(0), high = i64x2.splat(0)
      for (; at + 16 <= end; at += 16) {
        const size = i32x4.abs(v128.load(at))
        most = i32x4.max_u(most, size)
        low = i64x2.add(low, i64x2.extmul_low_i32x4_u(size, size))
        high = i64x2.add(high, i64x2.extmul_high_i32x4_u(size, size))
      }
      const sum = i64x2.add(low, high)
      total += <u64>i64x2.extract_lane(sum, 0) + <u64>i64x2.extract_lane(sum, 1)
      largest = largestLane(most)
    }
    for (; at < end; at += 4) {
      const size = magnitude(load<i32>(at))
      largest = max(largest, size)
      total += <u64>size * size
    }
    if (largest > LARGEST || total >= <u64>FULL) return FULL
  }
  return <f64>total
}

/** 1 where the vector now fits, 0 (and nothing done) where its squared norm is 2^53 or more. */
export function lattice_shorten(v: usize, n: i32, clip: i32): i32 {
  const squared = lattice_norm_squared(v, n)
  if (squared <= <f64>clip * clip) return 1
  if (squared >= FULL) return 0
  const size = rootAbove(<u64>squared)
  for (let i: usize = 0; i < <usize>n << 2; i += 4) {
    const x = load<i32>(v + i)
    const shorter = <i32>(<u64>magnitude(x) * clip / size)
    store<i32>(v + i, x < 0 ? -shorter : shorter)
  }
  return 1
}

export function lattice_clamp(v: usize, n: i32, limit: i32): void {
  let i: usize = 0
  const bytes = <usize>n << 2
  if (ASC_FEATURE_SIMD) {
    const most = i32x4.splat(limit), least = i32x4.splat(-limit)
    for (; i + 16 <= bytes; i += 16) v128.store(v + i, i32x4.max_s(least, i32x4.min_s(most, v128.load(v + i))))
  }
  for (; i < bytes; i += 4) store<i32>(v + i, max(-limit, min(limit, load<i32>(v + i))))
}

export function lattice_largest(v: usize, n: i32): u32 {
  let largest: u32 = 0
  let i: usize = 0
  const bytes = <usize>n << 2
  if (ASC_FEATURE_SIMD) {
    let most = i32x4.splat(0)
    for (; i + 16 <= bytes; i += 16) most = i32x4.max_u(most, i32x4.abs(v128.load(v + i)))
    largest = largestLane(most)
  }
  for (; i < bytes; i += 4) largest = max(largest, magnitude(load<i32>(v + i)))
  return largest
}

export function add_mod(sum: usize, v: usize, n: i32, bits: i32): void {
  const spare = 32 - bits
  let i: usize = 0
  const bytes = <usize>n << 2
  if (ASC_FEATURE_SIMD) {
    for (; i + 16 <= bytes; i += 16) {
      const total = i32x4.add(v128.load(sum + i), v128.load(v + i))
      v128.store(sum + i, i32x4.shr_s(i32x4.shl(total, spare), spare))
    }
  }
  for (; i < bytes; i += 4) store<i32>(sum + i, (load<i32>(sum + i) + load<i32>(v + i)) << spare >> spare)
}

export function lift_mod(sum: usize, n: i32, bits: i32): void {
  const spare = 32 - bits
  for (let i: usize = 0; i < <usize>n << 2; i += 4) store<i32>(sum + i, load<i32>(sum + i) << spare >> spare)
}

// @ts-ignore: decorator
@inline function largestLane(v: v128): u32 {
  return max(max(<u32>i32x4.extract_lane(v, 0), <u32>i32x4.extract_lane(v, 1)), max(<u32>i32x4.extract_lane(v, 2), <u32>i32x4.extract_lane(v, 3)))
}

// @ts-ignore: decorator
@inline function magnitude(x: i32): u32 { return x < 0 ? 0 - <u32>x : <u32>x }

/** The least r with r^2 >= x, for x < 2^53. */
function rootAbove(x: u64): u64 {
  let r = <u64>sqrt<f64>(<f64>x)
  while (r * r < x) r++
  while (r > 0 && (r - 1) * (r - 1) >= x) r--
  return r
}
