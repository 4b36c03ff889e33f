/** Gradients of double-precision references against central differences. */
import * as assert from 'uvu/assert'

/**
 * Checks `gradient` of the scalar function `f` at x: every element against (f(x + h) - f(x - h)) / 2h. With h = 1e-5
 * the truncation error is about h^2 and that of rounding 1e-16 / h, both near 1e-10 of the size of f; 1e-7 leaves room
 * for third derivatives of some hundreds.
 */
export function checkGradient(
  f: (x: Float64Array) => number, x: ArrayLike<number>, gradient: ArrayLike<number>, title = '',
): void {
  assert.is(gradient.length, x.length, `${title}: lengths`)
  const h = 1e-5, at = Float64Array.from(x)
  for (let i = 0; i < at.length; i++) {
    const center = at[i]
    at[i] = center + h
    const above = f(at)
    at[i] = center - h
    const below = f(at)
    at[i] = center
    const slope = (above - below) / (2 * h)
    const size = Math.max(1, Math.abs(above), Math.abs(slope))
    if (!(Math.abs(slope - gradient[i]) <= 1e-7 * size)) {
      assert.unreachable(`${title}[${i}]: gradient ${gradient[i]}, difference quotient ${slope}`)
    }
  }
}

/** sum a[i] b[i]: turns an array-valued function into a scalar one whose gradient is the backward of `b`. */
export function dot(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let sum = 0
  for (let i = 0; i < a.length; i++) sum += a[i] * b[i]
  return sum
}
