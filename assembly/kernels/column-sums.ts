/**
 * Sums over rows: out[j] = sum of x[m, j], x [M, C]; the gradient of a bias.
 *
 * Order: m ascending, from zero. Overwrites `out`, which must not overlap x.
 */
import { add, lanes, splat } from '../lanes'

export function column_sums(out: usize, x: usize, M: i32, C: i32): void {
  let j = 0
  if (ASC_FEATURE_SIMD) j = run<v128>(out, x, M, C, j)
  run<f32>(out, x, M, C, j)
}

// @ts-ignore: decorator
@inline
function run<T>(out: usize, x: usize, M: i32, C: i32, j: i32): i32 {
  const down = <usize>C << 2
  for (; j <= C - lanes<T>(); j += lanes<T>()) {
    let sum = splat<T>(0)
    let from = x + (<usize>j << 2)
    for (let m = 0; m < M; m++) {
      sum = add<T>(sum, load<T>(from))
      from += down
    }
    store<T>(out + (<usize>j << 2), sum)
  }
  return j
}
