/**
 * Rows of a table by number.
 *
 * embedding_forward:     out[m] = table[ids[m]]       overwrites (`=`)
 * embedding_add_forward: out[m] += table[ids[m]]      accumulates
 * embedding_backward:    dtable[ids[m]] += dy[m]      accumulates, m ascending; the caller zeroes dtable
 *
 * table, dtable: [V, C]; out, dy: [M, C]; ids: i32[M] in [0, V). Saved for backward: ids. No overlap. One rounding
 * per sum.
 */
import { add, lanes } from '../lanes'

export function embedding_forward(out: usize, ids: usize, table: usize, M: i32, C: i32): void {
  const size = <usize>C << 2
  for (let m = 0; m < M; m++) memory.copy(out + <usize>m * size, table + id(ids, m) * size, size)
}

export function embedding_add_forward(out: usize, ids: usize, table: usize, M: i32, C: i32): void {
  const size = <usize>C << 2
  for (let m = 0; m < M; m++) addRow(out + <usize>m * size, table + id(ids, m) * size, C)
}

export function embedding_backward(dtable: usize, dy: usize, ids: usize, M: i32, C: i32): void {
  const size = <usize>C << 2
  for (let m = 0; m < M; m++) addRow(dtable + id(ids, m) * size, dy + <usize>m * size, C)
}

// @ts-ignore: decorator
@inline function id(ids: usize, m: i32): usize { return <usize>load<i32>(ids + (<usize>m << 2)) }

function addRow(out: usize, x: usize, n: i32): void {
  let i = 0
  if (ASC_FEATURE_SIMD) i = addRun<v128>(out, x, i, n)
  addRun<f32>(out, x, i, n)
}

// @ts-ignore: decorator
@inline function addRun<T>(out: usize, x: usize, i: i32, n: i32): i32 {
  for (; i <= n - lanes<T>(); i += lanes<T>()) {
    const at = <usize>i << 2
    store<T>(out + at, add<T>(load<T>(out + at), load<T>(x + at)))
  }
  return i
}
