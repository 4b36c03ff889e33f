/**
 * One vector per sequence of a packed batch.
 *
 * mean_pool:        out[s] = mean of the rows offsets[s] .. offsets[s+1] - 1;  dx[row] = dy[s] / length
 * first_token_pool: out[s] = x[offsets[s]];  dx of that row = dy[s], of the others 0
 *
 * x, dx: [T, C]; out, dy: [S, C]; offsets: i32[S + 1], ascending, no sequence empty; rows before offsets[0] and from
 * offsets[S] on are neither read nor written. Nothing is saved but offsets. Overwrites (`=`); no overlap.
 *
 * Order of operations, each with one rounding to f32: from x of the first row, rows ascending, out + x; then
 * out / length. Backward: dy / length.
 */
import { add, div, lanes, splat } from '../lanes'

export function mean_pool_forward(out: usize, x: usize, offsets: usize, S: i32, C: i32): void {
  for (let s = 0; s < S; s++) {
    const first = start(offsets, s), end = start(offsets, s + 1)
    const to = row(out, s, C)
    memory.copy(to, row(x, first, C), <usize>C << 2)
    for (let m = first + 1; m < end; m++) {
      let i = 0
      if (ASC_FEATURE_SIMD) i = addRun<v128>(to, row(x, m, C), i, C)
      addRun<f32>(to, row(x, m, C), i, C)
    }
    divide(to, to, <f32>(end - first), C)
  }
}

export function mean_pool_backward(dx: usize, dy: usize, offsets: usize, S: i32, C: i32): void {
  for (let s = 0; s < S; s++) {
    const first = start(offsets, s), end = start(offsets, s + 1)
    divide(row(dx, first, C), row(dy, s, C), <f32>(end - first), C)
    for (let m = first + 1; m < end; m++) memory.copy(row(dx, m, C), row(dx, first, C), <usize>C << 2)
  }
}

export function first_token_pool_forward(out: usize, x: usize, offsets: usize, S: i32, C: i32): void {
  for (let s = 0; s < S; s++) memory.copy(row(out, s, C), row(x, start(offsets, s), C), <usize>C << 2)
}

export function first_token_pool_backward(dx: usize, dy: usize, offsets: usize, S: i32, C: i32): void {
  for (let s = 0; s < S; s++) {
    const first = start(offsets, s), end = start(offsets, s + 1)
    memory.copy(row(dx, first, C), row(dy, s, C), <usize>C << 2)
    memory.fill(row(dx, first + 1, C), 0, <usize>(end - first - 1) * <usize>C << 2)
  }
}

// @ts-ignore: decorator
@inline function start(offsets: usize, s: i32): i32 { return load<i32>(offsets + (<usize>s << 2)) }

// @ts-ignore: decorator
@inline function row(x: usize, m: i32, C: i32): usize { return x + (<usize>m * <usize>C << 2) }

function divide(out: usize, x: usize, by: f32, n: i32): void {
  let i = 0
  if (ASC_FEATURE_SIMD) i = divideRun<v128>(out, x, by, i, n)
  divideRun<f32>(out, x, by, i, n)
}

// @ts-ignore: decorator
@inline function divideRun<T>(out: usize, x: usize, by: f32, i: i32, n: i32): i32 {
  for (; i <= n - lanes<T>(); i += lanes<T>()) {
    store<T>(out + (<usize>i << 2), div<T>(load<T>(x + (<usize>i << 2)), splat<T>(by)))
  }
  return i
}

// @ts-ignore: decorator
@inline function addRun<T>(out: usize, x: usize, i: i32, n: i32): i32 {
  for (; i <= n - lanes<T>(); i += lanes<T>()) {
    const at = <usize>i << 2
    store<T>(out + at, add<T>(load<T>(out + at), load<T>(x + at)))
  }
  return i
}
