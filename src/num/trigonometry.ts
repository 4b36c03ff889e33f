/**
 * sin and cos in double precision from + - * / alone: the same bits in every engine, which Math.sin is not.
 *
 * The angle is brought into [-pi/4, pi/4] by subtracting a multiple of pi/2 in two parts (Cody and Waite), then Taylor's
 * series: error below 2^-52 relative to 1 for |x| <= 2^20.
 * @module
 */

// pi/2 = HIGH + LOW; HIGH has 30 bits, so k * HIGH is exact for |k| < 2^22
const HIGH = 1.570796325802803, LOW = 9.920935796805404e-10
const TWO_OVER_PI = 0.63661977236758134308

/** Sine of x radians, |x| <= 2^20. */
export function sin(x: number): number { return turn(x, 0) }

/** Cosine of x radians, |x| <= 2^20. */
export function cos(x: number): number { return turn(x, 1) }

function turn(x: number, quarter: number): number {
  if (!(Math.abs(x) <= 2 ** 20)) throw new RangeError(`"x" expected an angle of at most 2^20 radians, got ${x}`)
  const k = Math.floor(x * TWO_OVER_PI + 0.5)
  const r = (x - k * HIGH) - k * LOW
  const n = (((k + quarter) % 4) + 4) % 4
  const value = n % 2 === 0 ? series(r, r, 3) : series(1, r, 2)
  return n < 2 ? value : -value
}

/** first - first r^2 / ((n-1) n) + ...: sine from (r, 3), cosine from (1, 2). */
function series(first: number, r: number, n: number): number {
  const square = r * r
  let sum = 0, term = first
  const terms: number[] = []
  for (; terms.length < 10; n += 2) {
    terms.push(term)
    term = -term * square / ((n - 1) * n)
  }
  for (let i = terms.length - 1; i >= 0; i--) sum += terms[i]
  return sum
}
