/**
 * The class of each row of logits.
 * @module
 */

/** Index of the largest of each row; the first of equals. */
export function argmaxRows(values: Float32Array, columns: number): Int32Array {
  const out = new Int32Array(values.length / columns)
  for (let row = 0; row < out.length; row++) {
    for (let j = 1; j < columns; j++) {
      if (values[row * columns + j] > values[row * columns + out[row]]) out[row] = j
    }
  }
  return out
}
