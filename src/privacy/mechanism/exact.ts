/**
 * Roundings of quotients and roots in a known direction: what the privacy promise rests on must not be off by a bit.
 * Operands are integers up to 2^26 unless said otherwise.
 * @module
 */

/** The greatest f64 that is at most a / b. */
export function quotientBelow(a: number, b: number): number {
  const q = a / b
  return compareProduct(q, b, a) > 0 ? below(q) : q
}

/** The least integer k with k >= z * b and, in f64 rounded down, k / b >= z; z any positive f64. */
export function ceilDivide(z: number, b: number): number {
  let k = Math.ceil(z * b)
  while (quotientBelow(k, b) < z) k++
  return k
}

/** The least integer r with r^2 >= x, for 0 <= x <= 2^52. */
export function ceilRoot(x: number): number {
  let r = Math.ceil(Math.sqrt(x))
  while (r * r < x) r++
  return r
}

/** Sign of q * b - a, exactly: q is split so that both partial products are exact. */
function compareProduct(q: number, b: number, a: number): number {
  const split = q * 134217729 // 2^27 + 1 (Dekker)
  const high = split - (split - q), low = q - high
  return Math.sign((high * b - a) + low * b)
}

const word = new DataView(new ArrayBuffer(8))

/** The next f64 below a positive one. */
function below(x: number): number {
  word.setFloat64(0, x)
  word.setBigInt64(0, word.getBigInt64(0) - 1n)
  return word.getFloat64(0)
}
