/**
 * The whole local training of a linear classifier on vectors that stay as they are: softmax regression by plain SGD.
 *
 *   linear_classifier_train: for each epoch, for each batch (the last may be smaller) of rows x[m] = table[ids[m]]:
 *     logits = bias + x W^T;  loss, probs = cross-entropy;  dlogits = (probs - [v == target]) / M
 *     dW = dlogits^T x;  db = column sums;  W, b by sgd_step without momentum and decay
 *
 * The same operations in the same order as the kernels that it takes the place of (gemm.ts, cross-entropy.ts,
 * column-sums.ts, optimizer.ts), hence the same bits: they are called, or their loops run over weights that stay packed
 * from one step to the next. Nothing is computed that is not: a step costs its products.
 *
 * weight: [V, K], bias: [V], both overwritten at the end; table: [.., K]; ids, targets: i32[epochs * count]; batches start
 * anew with each epoch. loss: f64, the sum over the steps of the mean loss of each. Gives 1; or 0 where some number is not
 * finite or a gradient is 2^40 or more: then weight, bias and loss are as they were, and the steps, one by one, will tell.
 * `scratch` holds linear_classifier_scratch(batch, V, K) bytes.
 */
import { absolute, lanes, mul, splat, sub, upper } from '../lanes'
import { block, KC, SCRATCH, scratchTile } from './blocks'
import { column_sums } from './column-sums'
import { cross_entropy_backward, cross_entropy_forward } from './cross-entropy'
import { packA, packB, transpose4, widthOf } from './pack'
import { FROM_BIAS, FROM_C, FROM_ZERO, panelWidth } from './tile'
import { first_nonfinite, max_abs } from './reduce'

/** From here on a gradient is the business of the steps one by one. */
const LARGE: f32 = 1099511627776

/** Outputs with the padding of the last panel. */
// @ts-ignore: decorator
@inline function padded(V: i32): i32 { return ASC_FEATURE_SIMD ? (V + 3) & ~3 : V }

// @ts-ignore: decorator
@inline function bytes(floats: i32): i32 { return (floats * 4 + 63) & ~63 }

/** Bytes of scratch. */
export function linear_classifier_scratch(batch: i32, V: i32, K: i32): i32 {
  const wide = padded(V)
  return SCRATCH + 2 * bytes(wide * K) + bytes(batch * K) + 2 * bytes(batch * wide) + 2 * bytes(batch * V) + 3 * bytes(wide) + bytes(batch)
}

export function linear_classifier_train(
  weight: usize, bias: usize, table: usize, ids: usize, targets: usize, epochs: i32, count: i32, batch: i32,
  V: i32, K: i32, lr: f64, loss: usize, scratch: usize,
): i32 {
  if (ASC_FEATURE_SIMD) return train<v128>(weight, bias, table, ids, targets, epochs, count, batch, V, K, lr, loss, scratch)
  return train<f32>(weight, bias, table, ids, targets, epochs, count, batch, V, K, lr, loss, scratch)
}

function train<T>(
  weight: usize, bias: usize, table: usize, ids: usize, targets: usize, epochs: i32, count: i32, batch: i32,
  V: i32, K: i32, lr: f64, loss: usize, scratch: usize,
): i32 {
  const wide = padded(V), row = <usize>K << 2
  const w = scratch + SCRATCH, dw = w + bytes(wide * K), x = dw + bytes(wide * K), y = x + bytes(batch * K)
  const panels = y + bytes(batch * wide), probs = panels + bytes(batch * wide), dlogits = probs + bytes(batch * V)
  const b = dlogits + bytes(batch * V), db = b + bytes(wide), losses = b + 3 * bytes(wide)
  packB<T>(w, weight, 1, K, V, K)
  memory.fill(b, 0, bytes(wide))
  memory.copy(b, bias, <usize>V << 2)
  let total: f64 = 0
  for (let epoch = 0; epoch < epochs; epoch++) {
    for (let from = 0; from < count; from += batch) {
      const M = min(batch, count - from), at = <usize>(epoch * count + from) << 2
      for (let m = 0; m < M; m++) {
        memory.copy(x + <usize>m * row, table + <usize>load<i32>(ids + at + (<usize>m << 2)) * row, row)
      }
      forward<T>(y, x, w, b, M, wide, K, scratch)
      for (let m = 0; m < M; m++) memory.copy(probs + (<usize>(m * V) << 2), y + (<usize>(m * wide) << 2), <usize>V << 2)
      if (first_nonfinite(probs, M * V) >= 0) return 0
      cross_entropy_forward(losses, probs, probs, targets + at, M, V)
      if (first_nonfinite(losses, M) >= 0) return 0
      cross_entropy_backward(dlogits, probs, targets + at, <f32>(1 / <f64>M), M, V)
      packB<T>(panels, dlogits, V, 1, V, M)
      let large = splat<T>(0)
      for (let j = 0; j < wide; j += panelWidth<T>()) {
        // rows of a tile are numbers of x that lie side by side: nothing to pack
        const width = widthOf<T>(wide - j), start = <usize>(j * K) << 2
        block<T>(dw + start, width, x, 4, row, panels + (<usize>(j * M) << 2), M, 0, K, width, M, FROM_ZERO, 0, scratchTile(scratch))
        large = step<T>(w + start, dw + start, <f32>lr, width * K, large)
      }
      column_sums(db, dlogits, M, V, 0)
      if (!(largestOf<T>(large) < LARGE && max_abs(db, V) < LARGE)) return 0
      for (let v: usize = 0; v < <usize>V << 2; v += 4) step<f32>(b + v, db + v, <f32>lr, 1, 0)
      let sum: f64 = 0
      for (let m = 0; m < M; m++) sum += <f64>load<f32>(losses + (<usize>m << 2))
      total += sum / <f64>M
    }
  }
  // a gradient that is no number has made its weight none, for good
  if (first_nonfinite(w, wide * K) >= 0 || first_nonfinite(b, V) >= 0) return 0
  unpack<T>(weight, w, V, K)
  memory.copy(bias, b, <usize>V << 2)
  store<f64>(loss, total)
  return 1
}

function forward<T>(y: usize, x: usize, w: usize, bias: usize, M: i32, wide: i32, K: i32, scratch: usize): void {
  for (let p = 0; p < K; p += KC) {
    const kc = min(KC, K - p)
    packA<T>(scratch, x + (<usize>p << 2), K, 1, M, kc, 1)
    block<T>(y, wide, scratch, <usize>kc << 2, 0, w, K, p, M, wide, kc, p == 0 ? FROM_BIAS : FROM_C, bias, scratchTile(scratch))
  }
}

/**
 * sgd_step on n weights, with the largest |gradient|. Its term 0 * p is left out: a p that is finite stays the same, sign of a
 * zero included, whichever zero is taken from it, but for p = -0, and there 0 * p changes no gradient.
 */
function step<T>(w: usize, g: usize, rate: f32, n: i32, large: T): T {
  for (let i = 0; i < n; i += lanes<T>()) {
    const at = <usize>i << 2
    const d = load<T>(g + at)
    large = upper<T>(large, absolute<T>(d))
    store<T>(w + at, sub<T>(load<T>(w + at), mul<T>(splat<T>(rate), d)))
  }
  return large
}

// @ts-ignore: decorator
@inline function largestOf<T>(x: T): f32 {
  if (!isVector<T>()) return <f32>x
  const v = changetype<v128>(x)
  return upper<f32>(upper<f32>(f32x4.extract_lane(v, 0), f32x4.extract_lane(v, 1)), upper<f32>(f32x4.extract_lane(v, 2), f32x4.extract_lane(v, 3)))
}

/** From panels back to rows. */
function unpack<T>(out: usize, w: usize, V: i32, K: i32): void {
  const down = <usize>K << 2
  for (let j = 0; j < V; j += panelWidth<T>()) {
    const width = widthOf<T>(V - j), by = <usize>width << 2
    for (let q = 0; q < width && j + q < V; q += lanes<T>()) {
      const from = w + (<usize>(j * K + q) << 2), to = out + (<usize>((j + q) * K) << 2)
      const columns = min(lanes<T>(), V - j - q)
      let k = 0
      if (isVector<T>() && columns == 4) for (; k <= K - 4; k += 4) transpose4(to + (<usize>k << 2), down, from + <usize>k * by, by)
      for (; k < K; k++) {
        for (let c = 0; c < columns; c++) {
          store<f32>(to + <usize>c * down + (<usize>k << 2), load<f32>(from + <usize>k * by + (<usize>c << 2)))
        }
      }
    }
  }
}
