/**
 * Questions to the machine that this thread runs on, whose answers it can be refused for.
 *
 * arithmetic_probe: the sum of
 *   1  denormals: 2^-126 * 0.5 is not 2^-127, or 2^-127 + 2^-127 is not 2^-126 (f32; f64 the same at 2^-1022)
 *   2  the sign of zero: max(+0, -0) or max(-0, +0) is not +0, or (a < b ? b : a), which kernels use, is not a
 *   4  vectors: lanes are mixed up, or a sum of products of 16-bit integers is wrong
 *   8  rounding: a * b + c is fused, a tie does not go to even, or a quotient or root is not the nearest number
 *
 * 0: all is as IEEE 754 and WebAssembly want it. The questions come as arguments, so that no compiler answers them:
 * tiny = 2^-126, half = 0.5, near = 1 + 2^-12, none = +0, tiniest = 2^-1022. The scalar build has no bit 4.
 */
export function arithmetic_probe(tiny: f32, half: f32, near: f32, none: f32, tiniest: f64): i32 {
  let wrong = 0
  if (!keepsDenormals(tiny, half, tiniest)) wrong |= 1
  if (!keepsZeros(none)) wrong |= 2
  if (ASC_FEATURE_SIMD) if (!keepsLanes(near, half)) wrong |= 4
  if (!roundsOnce(near, half, tiny)) wrong |= 8
  return wrong
}

function keepsDenormals(tiny: f32, half: f32, tiniest: f64): bool {
  const small = tiny * half, smaller = tiniest * <f64>half
  if (reinterpret<u32>(small) != 0x00400000 || small + small != tiny) return false
  if (reinterpret<u64>(smaller) != 0x0008000000000000 || smaller + smaller != tiniest) return false
  if (ASC_FEATURE_SIMD) {
    const x = f32x4.splat(tiny), d = f32x4.mul(x, f32x4.splat(half))
    if (!i32x4.all_true(i32x4.eq(d, i32x4.splat(0x00400000)))) return false
    if (!i32x4.all_true(i32x4.eq(f32x4.add(d, d), x))) return false
    const y = f64x2.mul(f64x2.splat(tiniest), f64x2.splat(<f64>half))
    return i64x2.all_true(i64x2.eq(y, i64x2.splat(0x0008000000000000)))
  }
  return true
}

function keepsZeros(none: f32): bool {
  const minus = -none
  if (reinterpret<u32>(minus) != 0x80000000) return false
  if (reinterpret<u32>(max<f32>(none, minus)) != 0 || reinterpret<u32>(max<f32>(minus, none)) != 0) return false
  if (ASC_FEATURE_SIMD) {
    const p = f32x4.splat(none), m = f32x4.splat(minus)
    if (v128.any_true(v128.or(f32x4.max(p, m), f32x4.max(m, p)))) return false
    if (v128.any_true(f32x4.pmax(p, m)) || v128.any_true(f32x4.pmin(p, m))) return false
    return i32x4.all_true(i32x4.eq(f32x4.pmax(m, p), m)) && i32x4.all_true(i32x4.eq(f32x4.pmin(m, p), m))
  }
  return true
}

/** Four lanes in order; 16-bit products to 32767 * 32767 * 2. */
function keepsLanes(near: f32, half: f32): bool {
  let x = f32x4.splat(near)
  x = f32x4.replace_lane(x, 1, half)
  x = f32x4.replace_lane(x, 3, -half)
  const turned = v128.shuffle<i32>(x, f32x4.mul(x, f32x4.splat(2)), 3, 5, 0, 6)
  if (f32x4.extract_lane(turned, 0) != -half || f32x4.extract_lane(turned, 1) != half * 2) return false
  if (f32x4.extract_lane(turned, 2) != near || f32x4.extract_lane(turned, 3) != near * 2) return false
  const most = <i32>(half * 65534), pair = i32x4.splat(most << 16 | most)
  const sums = i32x4.dot_i16x8_s(pair, pair)
  const signed = i32x4.dot_i16x8_s(pair, i32x4.splat(-most << 16 | (most & 0xffff)))
  return i32x4.all_true(i32x4.eq(sums, i32x4.splat(2 * most * most))) && !v128.any_true(signed)
}

function roundsOnce(near: f32, half: f32, tiny: f32): bool {
  // (1 + 2^-12)^2 = 1 + 2^-11 + 2^-24: the product rounds to even, 1 + 2^-11
  const rounded = near + (near - 1), one = half + half, three = one + one + one
  if (near * near - rounded != 0) return false
  // the smallest step above 1 is 2^-23: half of it is a tie
  const step = (near * near - one) * half * half * half * half * half * half * half * half * half * half * half * half
  if (one + step * half != one || one + step + step * half != one + step + step) return false
  if (reinterpret<u32>(one / three) != 0x3eaaaaab || reinterpret<u32>(sqrt<f32>(one + one)) != 0x3fb504f3) return false
  if (tiny / three * three == 0) return false
  if (ASC_FEATURE_SIMD) {
    const v = f32x4.splat(near), units = f32x4.splat(one)
    if (v128.any_true(f32x4.sub(f32x4.mul(v, v), f32x4.splat(rounded)))) return false
    if (!i32x4.all_true(i32x4.eq(f32x4.add(units, f32x4.splat(step * half)), units))) return false
    const third = f32x4.div(units, f32x4.splat(three)), root = f32x4.sqrt(f32x4.add(units, units))
    return i32x4.all_true(i32x4.eq(third, i32x4.splat(0x3eaaaaab))) && i32x4.all_true(i32x4.eq(root, i32x4.splat(0x3fb504f3)))
  }
  return true
}
