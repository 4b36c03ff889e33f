// What each kernel call has to do, from its arguments: multiplications and additions of its products, and bytes that it must
// read and write once. A kernel without an entry has no limit of its own, and says so.

const product = (m, n, k) => 2 * m * n * k

/** f32 arrays of n elements. */
const arrays = (count, n) => ({ bytes: 4 * count * n })

/** Sums over the sequences of T and T^2, from the offsets in memory. */
function lengths(memory, offsets, S) {
  const at = new Int32Array(memory.buffer, offsets, S + 1)
  let rows = 0, squares = 0
  for (let s = 0; s < S; s++) {
    const T = at[s + 1] - at[s]
    rows += T
    squares += T * T
  }
  return { rows, squares }
}

/** By kernel: ({ floats, integers, bytes }) of one call. */
export const WORK = {
  linear_forward: ([, , , , , M, N, K]) => ({ floats: product(M, N, K), bytes: 4 * (M * K + N * K + M * N) }),
  linear_backward_input: ([, , , , M, N, K]) => ({ floats: product(M, N, K), bytes: 4 * (M * K + N * K + M * N) }),
  int8_product: ([, , , , , , , M, N, K]) => ({ integers: product(M, N, K), bytes: 2 * M * K + N * K + 4 * M * N }),
  // integers, and the low-rank product on the way
  int8_rows: ([, , , M, L, , , , , , n]) => ({ floats: product(M, n, L), bytes: 6 * M * L + 4 * M * n }),
  matmul: ([, , , , , , , , m, n, k]) => ({ floats: product(m, n, k), bytes: 4 * (m * k + k * n + m * n) }),
  attention_forward: ([, , , , offsets, S, H, D], memory) => {
    const { rows, squares } = lengths(memory, offsets, S)
    return { floats: 2 * product(squares, H, D), ...arrays(4, rows * H * D) }
  },
  attention_backward: ([, , , , , , , offsets, S, H, D], memory) => {
    const { rows, squares } = lengths(memory, offsets, S)
    return { floats: 5 * product(squares, H, D), ...arrays(7, rows * H * D) }
  },
  gelu_erf_forward: ([, , n]) => arrays(2, n),
  gelu_erf_slope: ([, , , n]) => arrays(3, n),
  multiply: ([, , , n]) => arrays(3, n),
  layer_norm_forward: ([, , , , , , M, C]) => arrays(2, M * C),
  add_layer_norm_forward: ([, , , , , , , , M, C]) => arrays(4, M * C),
  layer_norm_backward: ([, , , , , , M, C]) => arrays(3, M * C),
  embedding_forward: ([, , , M, C]) => arrays(2, M * C),
  embedding_add_forward: ([, , , M, C]) => arrays(3, M * C),
  mean_pool_forward: ([, , offsets, S, C], memory) => arrays(1, lengths(memory, offsets, S).rows * C),
  mean_pool_backward: ([, , offsets, S, C], memory) => arrays(1, lengths(memory, offsets, S).rows * C),
  add: ([, , , n]) => arrays(3, n),
  copy: ([, , n]) => arrays(2, n),
  scale: ([, , , n]) => arrays(2, n),
  zero: ([, n]) => arrays(1, n),
  first_nonfinite: ([, n]) => arrays(1, n),
  sum_squares: ([, n]) => arrays(1, n),
  adamw_step: ([, , , , n]) => arrays(7, n),
}

/** The least milliseconds that the machine's limits allow: rates in 10^9 a second. */
export function leastMs({ floats = 0, integers = 0, bytes = 0 }, { f32, int, copy }) {
  return Math.max(floats / f32, integers / int, bytes / copy) / 1e6
}
