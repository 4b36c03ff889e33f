/** Comparisons of arrays: same bits, or within a bound that the caller derives. */
import * as assert from 'uvu/assert'

const bits = new Int32Array(1)
const value = new Float32Array(bits.buffer)
const bitsOf = (x: number) => { value[0] = x; return bits[0] }

/** Same bits, element by element. */
export function sameBits(got: ArrayLike<number>, expected: ArrayLike<number>, title = ''): void {
  assert.is(got.length, expected.length, `${title}: lengths`)
  for (let i = 0; i < got.length; i++) {
    if (bitsOf(got[i]) !== bitsOf(expected[i])) assert.unreachable(`${title}[${i}]: got ${got[i]}, expected the bits of ${expected[i]}`)
  }
}

/** |got - expected| <= bound, or bound(i), element by element; NaN equals NaN alone. */
export function close(
  got: ArrayLike<number>, expected: ArrayLike<number>, bound: number | ((i: number) => number), title = '',
): void {
  assert.is(got.length, expected.length, `${title}: lengths`)
  for (let i = 0; i < got.length; i++) {
    const limit = typeof bound === 'number' ? bound : bound(i)
    const same = got[i] === expected[i] || (Number.isNaN(got[i]) && Number.isNaN(expected[i]))
    if (!same && !(Math.abs(got[i] - expected[i]) <= limit)) {
      assert.unreachable(`${title}[${i}]: got ${got[i]}, expected ${expected[i]} within ${limit}`)
    }
  }
}

/** Half a unit in the last place of f32, relative. */
export const EPS = 2 ** -24

/** Bound for a sum of `terms` products of f32, each at most `size` in absolute value, added one after another. */
export function sumBound(terms: number, size: number): number {
  return (terms + 2) * EPS * size * 1.01 * terms
}
