/**
 * Matrix products: C[m, n] = start + (alpha * A)[m, k] * B[k, n], start = 0, C or a bias per column.
 *
 * One driver serves the three products of training, told apart by strides: x * W^T (forward), dy * W (to the input)
 * and dy^T * x (to the weight). B comes by strides and is packed here, or was packed whole by `pack_weight`.
 *
 * Order: c = start; then for p = 0 .. k-1: c = c + (alpha * a[i,p]) * b[p,j], each product and sum rounded to f32.
 *
 * Overwrites C (start 0 or bias) or accumulates (start C). C must not overlap A or B. `scratch` holds
 * `gemm_scratch()` bytes.
 */
import { block, KC, NC, rowBlocks, SCRATCH, scratchB, scratchTile } from './blocks'
import { packB } from './pack'
import { FROM_C, setTileRows, tileRows } from './tile'

/** Rows of a full tile of f32 products in this instance: takes 4 or 5, or leaves them; gives what they are now. */
export function gemm_tile(rows: i32): i32 {
  if (rows == 4 || rows == 5) setTileRows(rows)
  return tileRows()
}

/** Bytes of scratch that every matrix product needs. */
export function gemm_scratch(): i32 { return SCRATCH }

/** C = start + (alpha * A) * B, both operands by strides (in floats). */
export function matmul(
  c: usize, ldc: i32, a: usize, aRow: i32, aColumn: i32, b: usize, bRow: i32, bColumn: i32,
  m: i32, n: i32, k: i32, alpha: f32, from: i32, bias: usize, scratch: usize,
): void {
  if (ASC_FEATURE_SIMD) run<v128>(c, ldc, a, aRow, aColumn, b, bRow, bColumn, m, n, k, alpha, from, bias, scratch)
  else run<f32>(c, ldc, a, aRow, aColumn, b, bRow, bColumn, m, n, k, alpha, from, bias, scratch)
}

function run<T>(
  c: usize, ldc: i32, a: usize, aRow: i32, aColumn: i32, b: usize, bRow: i32, bColumn: i32,
  m: i32, n: i32, k: i32, alpha: f32, from: i32, bias: usize, scratch: usize,
): void {
  const panels = scratchB(scratch)
  if (k <= 0) block<T>(c, ldc, scratch, 0, 0, panels, 0, 0, m, n, 0, from, bias, scratchTile(scratch))
  for (let p = 0; p < k; p += KC) {
    const kc = min(KC, k - p)
    for (let j = 0; j < n; j += NC) {
      const nc = min(NC, n - j)
      packB<T>(panels, b + (<usize>(p * bRow + j * bColumn) << 2), bRow, bColumn, nc, kc)
      rowBlocks<T>(c + (<usize>j << 2), ldc, a + (<usize>(p * aColumn) << 2), aRow, aColumn, panels, kc, 0,
        m, nc, kc, alpha, p == 0 ? from : FROM_C, bias + (<usize>j << 2), scratch)
    }
  }
}
