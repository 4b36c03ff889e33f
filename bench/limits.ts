/**
 * What the machine can do at most in WebAssembly, one thread: a multiplication and an addition of four f32 (rounded
 * twice: WebAssembly has no portable fused form), and `dot_i16x8_s` with an addition of four i32. No product can be
 * faster than these loops: their operands come from registers and the first cache, nothing is stored.
 *
 * `count` independent sums hide the latency of the addition; more than the engine can hold in registers spill. Which
 * count is best depends on engine and processor, so all are measured and the best is the limit.
 *
 * Memory: `fill` writes ones (f32) to bytes 0 .. 2048, threes (i16) to bytes 2048 .. 4096, then the factors. Factors are
 * loaded before the loop: engines build a constant anew wherever it is used.
 */

/** Writes what the loops read. */
export function fill(): void {
  for (let p = 0; p < 2048; p += 4) store<f32>(p, 1)
  for (let p = 2048; p < 4096; p += 2) store<i16>(p, 3)
  v128.store(4096, f32x4.splat(0.5))
  v128.store(4112, f32x4.splat(0.25))
  v128.store(4128, i16x8.splat(1))
  v128.store(4144, i16x8.splat(2))
}

/** `times` rounds of `count` f32x4 multiplications and additions; gives times * (0.5 + 0.25) * count / 2. */
// @ts-ignore: decorator
@inline
function floats(count: i32, times: i32): f32 {
  const s = v128.load(4096), t = v128.load(4112)
  let a0 = f32x4.splat(0), a1 = a0, a2 = a0, a3 = a0, a4 = a0, a5 = a0, a6 = a0, a7 = a0, a8 = a0, a9 = a0, a10 = a0, a11 = a0
  for (let i = 0; i < times; i++) {
    const p = <usize>((i & 63) << 4)
    let u = v128.load(p)
    a0 = f32x4.add(a0, f32x4.mul(u, s)); a1 = f32x4.add(a1, f32x4.mul(u, t))
    u = v128.load(p, 16)
    a2 = f32x4.add(a2, f32x4.mul(u, s)); a3 = f32x4.add(a3, f32x4.mul(u, t))
    u = v128.load(p, 32)
    a4 = f32x4.add(a4, f32x4.mul(u, s)); a5 = f32x4.add(a5, f32x4.mul(u, t))
    u = v128.load(p, 48)
    a6 = f32x4.add(a6, f32x4.mul(u, s)); a7 = f32x4.add(a7, f32x4.mul(u, t))
    if (count > 8) {
      u = v128.load(p, 64)
      a8 = f32x4.add(a8, f32x4.mul(u, s)); a9 = f32x4.add(a9, f32x4.mul(u, t))
    }
    if (count > 10) {
      u = v128.load(p, 80)
      a10 = f32x4.add(a10, f32x4.mul(u, s)); a11 = f32x4.add(a11, f32x4.mul(u, t))
    }
  }
  let sum = f32x4.add(f32x4.add(f32x4.add(a0, a1), f32x4.add(a2, a3)), f32x4.add(f32x4.add(a4, a5), f32x4.add(a6, a7)))
  sum = f32x4.add(sum, f32x4.add(f32x4.add(a8, a9), f32x4.add(a10, a11)))
  return f32x4.extract_lane(sum, 0)
}

/** The same with registers alone: c = c * s + t. Its latency is that of both operations. */
// @ts-ignore: decorator
@inline
function chained(count: i32, times: i32): f32 {
  const s = v128.load(4096), t = v128.load(0)
  let a0 = f32x4.splat(0), a1 = a0, a2 = a0, a3 = a0, a4 = a0, a5 = a0, a6 = a0, a7 = a0, a8 = a0, a9 = a0, a10 = a0, a11 = a0
  for (let i = 0; i < times; i++) {
    a0 = f32x4.add(f32x4.mul(a0, s), t); a1 = f32x4.add(f32x4.mul(a1, s), t)
    a2 = f32x4.add(f32x4.mul(a2, s), t); a3 = f32x4.add(f32x4.mul(a3, s), t)
    a4 = f32x4.add(f32x4.mul(a4, s), t); a5 = f32x4.add(f32x4.mul(a5, s), t)
    a6 = f32x4.add(f32x4.mul(a6, s), t); a7 = f32x4.add(f32x4.mul(a7, s), t)
    if (count > 8) { a8 = f32x4.add(f32x4.mul(a8, s), t); a9 = f32x4.add(f32x4.mul(a9, s), t) }
    if (count > 10) { a10 = f32x4.add(f32x4.mul(a10, s), t); a11 = f32x4.add(f32x4.mul(a11, s), t) }
  }
  let sum = f32x4.add(f32x4.add(f32x4.add(a0, a1), f32x4.add(a2, a3)), f32x4.add(f32x4.add(a4, a5), f32x4.add(a6, a7)))
  sum = f32x4.add(sum, f32x4.add(f32x4.add(a8, a9), f32x4.add(a10, a11)))
  return f32x4.extract_lane(sum, 0)
}

/** `times` rounds of `count` dot products of eight i16 and additions; gives times * (6 + 12) * count / 2 modulo 2^32. */
// @ts-ignore: decorator
@inline
function integers(count: i32, times: i32): i32 {
  const s = v128.load(4128), t = v128.load(4144)
  let a0 = i32x4.splat(0), a1 = a0, a2 = a0, a3 = a0, a4 = a0, a5 = a0, a6 = a0, a7 = a0, a8 = a0, a9 = a0, a10 = a0, a11 = a0
  for (let i = 0; i < times; i++) {
    const p = <usize>(2048 + ((i & 63) << 4))
    let u = v128.load(p)
    a0 = i32x4.add(a0, i32x4.dot_i16x8_s(u, s)); a1 = i32x4.add(a1, i32x4.dot_i16x8_s(u, t))
    u = v128.load(p, 16)
    a2 = i32x4.add(a2, i32x4.dot_i16x8_s(u, s)); a3 = i32x4.add(a3, i32x4.dot_i16x8_s(u, t))
    u = v128.load(p, 32)
    a4 = i32x4.add(a4, i32x4.dot_i16x8_s(u, s)); a5 = i32x4.add(a5, i32x4.dot_i16x8_s(u, t))
    u = v128.load(p, 48)
    a6 = i32x4.add(a6, i32x4.dot_i16x8_s(u, s)); a7 = i32x4.add(a7, i32x4.dot_i16x8_s(u, t))
    if (count > 8) {
      u = v128.load(p, 64)
      a8 = i32x4.add(a8, i32x4.dot_i16x8_s(u, s)); a9 = i32x4.add(a9, i32x4.dot_i16x8_s(u, t))
    }
    if (count > 10) {
      u = v128.load(p, 80)
      a10 = i32x4.add(a10, i32x4.dot_i16x8_s(u, s)); a11 = i32x4.add(a11, i32x4.dot_i16x8_s(u, t))
    }
  }
  let sum = i32x4.add(i32x4.add(i32x4.add(a0, a1), i32x4.add(a2, a3)), i32x4.add(i32x4.add(a4, a5), i32x4.add(a6, a7)))
  sum = i32x4.add(sum, i32x4.add(i32x4.add(a8, a9), i32x4.add(a10, a11)))
  return i32x4.extract_lane(sum, 0)
}

export function floats_8(times: i32): f32 { return floats(8, times) }
export function floats_10(times: i32): f32 { return floats(10, times) }
export function floats_12(times: i32): f32 { return floats(12, times) }
export function chained_8(times: i32): f32 { return chained(8, times) }
export function chained_10(times: i32): f32 { return chained(10, times) }
export function chained_12(times: i32): f32 { return chained(12, times) }
export function integers_8(times: i32): i32 { return integers(8, times) }
export function integers_10(times: i32): i32 { return integers(10, times) }
export function integers_12(times: i32): i32 { return integers(12, times) }
