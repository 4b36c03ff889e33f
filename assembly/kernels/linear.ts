/**
 * Products with a frozen weight W [N, K], packed once when it is loaded.
 *
 *   linear_forward         y[M, N]  = bias + x[M, K] * W^T
 *   linear_backward_input  dx[M, K] = start + dy[M, N] * W        start = 0 or dx
 *
 * Packed weight: panels of 8 outputs (2 in the scalar build), [N/8][K][8]; the last panel is [K][4] if at most four
 * outputs are left. Elements are f32, f16 or bf16; the narrow ones are widened, exactly, one block at a time. One
 * packed copy serves both products: the second transposes 8x8 blocks on its way to the tile.
 *
 * Order: as in gemm.ts: y = bias, then over k ascending; dx = start, then over n ascending.
 * y, dx must not overlap the inputs. `scratch` holds `gemm_scratch()` bytes.
 */
import { KC, NC, rowBlocks, scratchB } from './blocks'
import { bf16_to_f32, f16_to_f32, f32_to_bf16, f32_to_f16 } from './convert'
import { packB, transpose4, widthOf } from './pack'
import { FROM_BIAS, FROM_C, FROM_ZERO, panelWidth } from './tile'

// @ts-ignore: decorator
@inline const F32: i32 = 0
// @ts-ignore: decorator
@inline const F16: i32 = 1
// @ts-ignore: decorator
@inline const BF16: i32 = 2

/** Elements of a packed weight, padding included. */
export function packed_weight_length(N: i32, K: i32): i32 {
  return ASC_FEATURE_SIMD ? ((N + 3) & ~3) * K : N * K
}

/**
 * W[N, K] f32, row-major, packed in the format. Narrow formats round to nearest even: exact where W came from them.
 * N x K at most 2^29.
 */
export function pack_weight(out: usize, w: usize, format: i32, N: i32, K: i32, scratch: usize): void {
  if (ASC_FEATURE_SIMD) pack<v128>(out, w, format, N, K, scratch)
  else pack<f32>(out, w, format, N, K, scratch)
}

function pack<T>(out: usize, w: usize, format: i32, N: i32, K: i32, scratch: usize): void {
  if (format == F32) {
    packB<T>(out, w, 1, K, N, K)
    return
  }
  // panel by panel, KC rows at a time, through scratch
  for (let j = 0; j < N; j += panelWidth<T>()) {
    const width = widthOf<T>(N - j), columns = min(width, N - j)
    for (let p = 0; p < K; p += KC) {
      const kc = min(KC, K - p)
      packB<T>(scratch, w + (<usize>(j * K + p) << 2), 1, K, columns, kc)
      const to = out + (<usize>(j * K + p * width) << 1)
      if (format == F16) f32_to_f16(to, scratch, kc * width)
      else f32_to_bf16(to, scratch, kc * width)
    }
  }
}

// @ts-ignore: decorator
@inline
function widen(out: usize, from: usize, format: i32, n: i32): void {
  if (format == F16) f16_to_f32(out, from, n)
  else bf16_to_f32(out, from, n)
}

/** y[M, N] = bias[N] + x[M, K] * W^T; bias 0: none. */
export function linear_forward(
  y: usize, x: usize, w: usize, format: i32, bias: usize, M: i32, N: i32, K: i32, scratch: usize,
): void {
  if (ASC_FEATURE_SIMD) forward<v128>(y, x, w, format, bias, M, N, K, scratch)
  else forward<f32>(y, x, w, format, bias, M, N, K, scratch)
}

function forward<T>(
  y: usize, x: usize, w: usize, format: i32, bias: usize, M: i32, N: i32, K: i32, scratch: usize,
): void {
  const start = bias ? FROM_BIAS : FROM_ZERO
  for (let p = 0; p < K; p += KC) {
    const kc = min(KC, K - p), from = p == 0 ? start : FROM_C
    const a = x + (<usize>p << 2)
    if (format == F32) {
      rowBlocks<T>(y, N, a, K, 1, w, K, p, M, N, kc, 1, from, bias, scratch)
      continue
    }
    for (let j = 0; j < N; j += NC) {
      const nc = min(NC, N - j)
      for (let q = 0; q < nc; q += panelWidth<T>()) {
        const width = widthOf<T>(N - j - q)
        widen(scratchB(scratch) + (<usize>(q * kc) << 2), w + (<usize>((j + q) * K + p * width) << 1), format, kc * width)
      }
      rowBlocks<T>(y + (<usize>j << 2), N, a, K, 1, scratchB(scratch), kc, 0, M, nc, kc, 1, from, bias + (<usize>j << 2), scratch)
    }
  }
}

/** dx[M, K] = start + dy[M, N] * W; start is dx where `accumulate`, else 0. */
export function linear_backward_input(
  dx: usize, dy: usize, w: usize, format: i32, M: i32, N: i32, K: i32, accumulate: i32, scratch: usize,
): void {
  if (ASC_FEATURE_SIMD) backward<v128>(dx, dy, w, format, M, N, K, accumulate, scratch)
  else backward<f32>(dx, dy, w, format, M, N, K, accumulate, scratch)
}

function backward<T>(
  dx: usize, dy: usize, w: usize, format: i32, M: i32, N: i32, K: i32, accumulate: i32, scratch: usize,
): void {
  for (let p = 0; p < N; p += KC) {
    const kc = min(KC, N - p)
    const from = p == 0 && !accumulate ? FROM_ZERO : FROM_C
    for (let j = 0; j < K; j += NC) {
      const nc = min(NC, K - j)
      transposePanels<T>(scratchB(scratch), w, format, N, K, p, kc, j, nc, scratch)
      rowBlocks<T>(dx + (<usize>j << 2), K, dy + (<usize>p << 2), N, 1, scratchB(scratch), kc, 0, M, nc, kc, 1, from, 0, scratch)
    }
  }
}

/**
 * From panels over outputs to panels over inputs: rows n of p .. p+kc, columns k of j .. j+nc. Widens into `spare` on the
 * way (at most NC x 8 floats: packed A's place, which is free at this time).
 */
function transposePanels<T>(
  out: usize, w: usize, format: i32, N: i32, K: i32, p: i32, kc: i32, j: i32, nc: i32, spare: usize,
): void {
  const across = panelWidth<T>()
  for (let n = 0; n < kc; n += across) {
    const width = widthOf<T>(N - p - n), rows = min(width, N - p - n)
    let from = w
    if (format == F32) {
      from += <usize>((p + n) * K + j * width) << 2
    } else {
      widen(spare, w + (<usize>((p + n) * K + j * width) << 1), format, nc * width)
      from = spare
    }
    for (let k = 0; k < nc; k += across) {
      const wide = widthOf<T>(nc - k), columns = min(wide, nc - k)
      const to = out + (<usize>(k * kc + n * wide) << 2)
      const at = from + (<usize>(k * width) << 2)
      if (isVector<T>() && rows == 8 && columns == 8) {
        transpose4(to, 32, at, 32)
        transpose4(to + 16, 32, at + 128, 32)
        transpose4(to + 128, 32, at + 16, 32)
        transpose4(to + 144, 32, at + 144, 32)
      } else {
        for (let r = 0; r < rows; r++) {
          for (let c = 0; c < wide; c++) {
            store<f32>(to + (<usize>(r * wide + c) << 2), c < columns ? load<f32>(at + (<usize>(c * width + r) << 2)) : 0)
          }
        }
      }
    }
  }
}
