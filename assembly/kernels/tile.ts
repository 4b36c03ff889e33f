/**
 * The innermost loop of every matrix product: a tile of `rows` x 2 lane vectors of C in registers.
 *
 * Order: each element of C is one sum over p in ascending order, c = c + a[i,p] * b[p,j], two roundings a term. No
 * tile size, blocking over k (C is loaded again) or build changes it.
 *
 * 5 rows x 8 columns take 10 registers for C, 2 for B and one for A: what x86 engines hold without spilling. Some spill all
 * the same, and are faster with 4 rows: a full tile has the one or the other, as the engine is found to like.
 */
import { lanes, mulAdd, splat, splatLoad } from '../lanes'

/** Rows of a full tile: 5 or 4. */
let fullRows: i32 = 5

// @ts-ignore: decorator
@inline export function tileRows(): i32 { return fullRows }

export function setTileRows(rows: i32): void { fullRows = rows }

/** Columns of a full panel of B: two lane vectors. */
// @ts-ignore: decorator
@inline export function panelWidth<T>(): i32 { return 2 * lanes<T>() }

/** What a tile starts from. */
// @ts-ignore: decorator
@inline export const FROM_ZERO: i32 = 0
// @ts-ignore: decorator
@inline export const FROM_C: i32 = 1
// @ts-ignore: decorator
@inline export const FROM_BIAS: i32 = 2

/**
 * C[rows, 2 lanes] (leading dimension ldc, in bytes) from A, rows side by side, `step` bytes from one k to the next, and B
 * packed [k][2 lanes]. `wide` false: one lane vector of columns, B packed [k][lanes].
 */
// @ts-ignore: decorator
@inline
export function tile<T>(
  rows: i32, wide: bool, c: usize, ldc: usize, a: usize, step: usize, b: usize, k: i32, from: i32, bias: usize,
): void {
  const vec: usize = lanes<T>() << 2
  const c1 = c + ldc, c2 = c1 + ldc, c3 = c2 + ldc, c4 = c3 + ldc
  let x0 = start<T>(from, c, bias, 0), y0 = x0
  let x1 = x0, y1 = x0, x2 = x0, y2 = x0, x3 = x0, y3 = x0, x4 = x0, y4 = x0
  if (wide) y0 = start<T>(from, c, bias, vec)
  if (rows > 1) { x1 = start<T>(from, c1, bias, 0); if (wide) y1 = start<T>(from, c1, bias, vec) }
  if (rows > 2) { x2 = start<T>(from, c2, bias, 0); if (wide) y2 = start<T>(from, c2, bias, vec) }
  if (rows > 3) { x3 = start<T>(from, c3, bias, 0); if (wide) y3 = start<T>(from, c3, bias, vec) }
  if (rows > 4) { x4 = start<T>(from, c4, bias, 0); if (wide) y4 = start<T>(from, c4, bias, vec) }
  const end = b + <usize>k * (wide ? 2 * vec : vec)
  while (b < end) {
    const u = load<T>(b)
    let v = u
    if (wide) v = load<T>(b + vec)
    const s0 = splatLoad<T>(a)
    x0 = mulAdd<T>(s0, u, x0); if (wide) y0 = mulAdd<T>(s0, v, y0)
    if (rows > 1) { const s = splatLoad<T>(a + 4); x1 = mulAdd<T>(s, u, x1); if (wide) y1 = mulAdd<T>(s, v, y1) }
    if (rows > 2) { const s = splatLoad<T>(a + 8); x2 = mulAdd<T>(s, u, x2); if (wide) y2 = mulAdd<T>(s, v, y2) }
    if (rows > 3) { const s = splatLoad<T>(a + 12); x3 = mulAdd<T>(s, u, x3); if (wide) y3 = mulAdd<T>(s, v, y3) }
    if (rows > 4) { const s = splatLoad<T>(a + 16); x4 = mulAdd<T>(s, u, x4); if (wide) y4 = mulAdd<T>(s, v, y4) }
    a += step
    b += wide ? 2 * vec : vec
  }
  store<T>(c, x0); if (wide) store<T>(c + vec, y0)
  if (rows > 1) { store<T>(c1, x1); if (wide) store<T>(c1 + vec, y1) }
  if (rows > 2) { store<T>(c2, x2); if (wide) store<T>(c2 + vec, y2) }
  if (rows > 3) { store<T>(c3, x3); if (wide) store<T>(c3 + vec, y3) }
  if (rows > 4) { store<T>(c4, x4); if (wide) store<T>(c4 + vec, y4) }
}

// @ts-ignore: decorator
@inline
function start<T>(from: i32, c: usize, bias: usize, offset: usize): T {
  if (from == FROM_C) return load<T>(c + offset)
  if (from == FROM_BIAS) return load<T>(bias + offset)
  return splat<T>(0)
}
