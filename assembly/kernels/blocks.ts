/**
 * The loops around the tile: a block of columns of C over all rows, A packed MC rows at a time.
 */
import { packA, widthOf } from './pack'
import { FROM_BIAS, FROM_C, panelWidth, tile, tileRows } from './tile'

/** Blocks: KC rows of a panel of B stay in the first cache, MC x KC of A, whole tiles of 4 or 5 rows, in the second. */
// @ts-ignore: decorator
@inline export const KC: i32 = 384
// @ts-ignore: decorator
@inline export const MC: i32 = 140
// @ts-ignore: decorator
@inline export const NC: i32 = 768

/** Bytes of scratch: packed A, packed B, one tile. */
// @ts-ignore: decorator
@inline export const SCRATCH: i32 = (MC * KC + KC * NC + 64) * 4

// @ts-ignore: decorator
@inline export function scratchB(scratch: usize): usize { return scratch + <usize>(MC * KC * 4) }
// @ts-ignore: decorator
@inline export function scratchTile(scratch: usize): usize { return scratch + <usize>((MC * KC + KC * NC) * 4) }

/**
 * One block of columns over all rows. The panel of B that starts with column j has panelRows rows and lies j * panelRows
 * floats from the start; its rows first .. first + kc are used.
 */
// @ts-ignore: decorator
@inline
export function rowBlocks<T>(
  c: usize, ldc: i32, a: usize, aRow: i32, aColumn: i32, panels: usize, panelRows: i32, first: i32,
  m: i32, n: i32, kc: i32, alpha: f32, from: i32, bias: usize, scratch: usize,
): void {
  // blocks of about the same size: a small last one would read all of B again for a few rows
  const blocks = (m + MC - 1) / MC, full = blocks > 0 ? ((m + blocks - 1) / blocks + tileRows() - 1) / tileRows() * tileRows() : MC
  for (let i = 0; i < m; i += full) {
    const mc = min(full, m - i)
    packA<T>(scratch, a + (<usize>(i * aRow) << 2), aRow, aColumn, mc, kc, alpha)
    block<T>(c + (<usize>(i * ldc) << 2), ldc, scratch, <usize>kc << 2, 0, panels, panelRows, first, mc, n, kc, from, bias, scratchTile(scratch))
  }
}

/**
 * One block of C. A: row i starts at a + i * down bytes, its rows lie side by side, `step` bytes from one k to the next; step 0:
 * packed tiles, [k][rows] each.
 */
export function block<T>(
  c: usize, ldc: i32, a: usize, down: usize, step: usize, panels: usize, panelRows: i32, first: i32,
  m: i32, n: i32, kc: i32, from: i32, bias: usize, spare: usize,
): void {
  const across = panelWidth<T>()
  const stride = <usize>ldc << 2, most = tileRows()
  for (let j = 0; j < n; j += across) {
    const width = widthOf<T>(n - j), columns = min(width, n - j)
    const b = panels + (<usize>(j * panelRows + first * width) << 2)
    const at = c + (<usize>j << 2), offset = bias + (<usize>j << 2)
    for (let i = 0; i < m; i += most) {
      const rows = min(most, m - i)
      const here = at + <usize>i * stride, tile = a + <usize>i * down, by = step ? step : <usize>rows << 2
      if (columns == width) {
        oneTile<T>(rows, width == across, here, stride, tile, by, b, kc, from, offset)
      } else {
        // a partial panel goes through a spare tile, so that nothing beyond the row is read or written
        for (let r = 0; r < rows; r++) {
          for (let q = 0; q < columns; q++) {
            const one = <usize>r * stride + (<usize>q << 2)
            store<f32>(spare + (<usize>(r * across + q) << 2), from == FROM_C ? load<f32>(here + one)
              : from == FROM_BIAS ? load<f32>(offset + (<usize>q << 2)) : 0)
          }
        }
        oneTile<T>(rows, width == across, spare, <usize>across << 2, tile, by, b, kc, FROM_C, 0)
        for (let r = 0; r < rows; r++) {
          for (let q = 0; q < columns; q++) {
            store<f32>(here + <usize>r * stride + (<usize>q << 2), load<f32>(spare + (<usize>(r * across + q) << 2)))
          }
        }
      }
    }
  }
}

function oneTile<T>(
  rows: i32, wide: bool, c: usize, ldc: usize, a: usize, step: usize, b: usize, k: i32, from: i32, bias: usize,
): void {
  if (wide) {
    if (rows == 5) tile<T>(5, true, c, ldc, a, step, b, k, from, bias)
    else if (rows == 4) tile<T>(4, true, c, ldc, a, step, b, k, from, bias)
    else if (rows == 3) tile<T>(3, true, c, ldc, a, step, b, k, from, bias)
    else if (rows == 2) tile<T>(2, true, c, ldc, a, step, b, k, from, bias)
    else tile<T>(1, true, c, ldc, a, step, b, k, from, bias)
  } else {
    if (rows == 5) tile<T>(5, false, c, ldc, a, step, b, k, from, bias)
    else if (rows == 4) tile<T>(4, false, c, ldc, a, step, b, k, from, bias)
    else if (rows == 3) tile<T>(3, false, c, ldc, a, step, b, k, from, bias)
    else if (rows == 2) tile<T>(2, false, c, ldc, a, step, b, k, from, bias)
    else tile<T>(1, false, c, ldc, a, step, b, k, from, bias)
  }
}
