/**
 * Sums over rows: out[j] = sum of x[m, j], x [M, C]; the gradient of a bias.
 *
 * Order: m ascending, from zero or, where `accumulate`, from out: a batch may come in pieces. `out` must not overlap x.
 */
import { add, lanes, splat } from '../lanes'

export function column_sums(out: usize, x: usize, M: i32, C: i32, accumulate: i32): void {
  let j = 0
  if (ASC_FEATURE_SIMD) j = run<v128>(out, x, M, C, accumulate, j)
  run<f32>(out, x, M, C, accumulate, j)
}

// @ts-ignore: decorator
@inline
function run<T>(out: usize, x: usize, M: i32, C: i32, accumulate: i32, j: i32): i32 {
  const down = <usize>C << 2
  for (; j <= C - lanes<T>(); j += lanes<T>()) {
    let sum = accumulate ? load<T>(out + (<usize>j << 2)) : splat<T>(0)
    let from = x + (<usize>j << 2)
    for (let m = 0; m < M; m++) {
      sum = add<T>(sum, load<T>(from))
      from += down
    }
    store<T>(out + (<usize>j << 2), sum)
  }
  return j
}
