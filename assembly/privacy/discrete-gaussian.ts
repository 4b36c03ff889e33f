/**
 * The discrete Gaussian, exactly: P[y] proportional to exp(-y^2 / (2 sigma^2)) over the integers, for an integer
 * sigma from 1 to 2^24. Canonne, Kamath, Steinke, «The Discrete Gaussian for Differential Privacy»
 * (arXiv 2004.00010), algorithms 1 to 3 with t = sigma. No float, no table, no logarithm: u64 arithmetic on ChaCha20
 * bits, so every engine and both builds give the same integers.
 *
 * Postcondition: with uniform independent bits, y has the stated law, up to a total variation distance below 2^-1100
 * (two cuts: |y| >= 41 sigma, whose chance is below 2 exp(-41^2/2) < 2^-1210 before the acceptance step and so below
 * 2^-1100 after it; a ladder past its 255th rung, 1/255! < 2^-1675).
 *
 * Proof sketch, step by step:
 *   zero(k)         true with chance 1/k: a byte below the greatest multiple of k up to 256 decides, else again.
 *   below(s)        uniform in [0, s): the high half of (32 bits) * s, redrawn where the low half is below 2^32 mod s,
 *                   which leaves every value the same number of words (Lemire, arXiv 1805.10941).
 *   less(a, b)      true with chance a/s + b/(2 s^2) for a < s, b < 2s: the two digits of a uniform number below
 *                   s * 2s, the first in base s, the second in base 2s, compared with (a, b) in dictionary order.
 *   expMinus(x)     rungs K = 1, 2, ... hold with chance x/K each; P[first failure after rung j] = x^j / j!, so the
 *                   failing rung is odd with chance 1 - x + x^2/2 - ... = exp(-x), for 0 <= x <= 1 (algorithm 1).
 *                   A rung is zero(K) and less(x): chance (1/K) * x.
 *   laplace         u in [0, s) kept with chance exp(-u/s), v successes of chance 1/e before a failure: u + s*v is
 *                   geometric with ratio exp(-1/s); with a fair sign and no -0 it is the discrete Laplace of scale s
 *                   (algorithm 2).
 *   accept          y is kept with chance exp(-(|y| - s)^2 / (2 s^2)); times exp(-|y|/s) that is
 *                   exp(-1/2) exp(-y^2 / (2 s^2)) (algorithm 3).
 * Ranges: |y| < 41 * 2^24 < 2^30; (|y| - s)^2 < 1600 * 2^48 < 2^59; the word times s is below 2^56.
 *
 * The time taken depends on the value drawn: whoever can time single draws learns something about them.
 */
import { nextByte, nextWord } from './chacha20'

/** sum[i] += y_i modulo 2^32, y_i independent discrete Gaussians of scale `sigma`. `sigma` = 0 adds nothing. */
export function discrete_gaussian_add(sum: usize, n: i32, sigma: u32, stream: usize): void {
  if (sigma == 0) return
  const redraw = redrawBelow(sigma)
  for (let i = 0; i < n; i++) {
    const at = sum + (<usize>i << 2)
    store<i32>(at, load<i32>(at) + sample(sigma, redraw, stream))
  }
}

/** out[i] = y_i: the noise alone, for correlated noise and for tests. */
export function discrete_gaussian_fill(out: usize, n: i32, sigma: u32, stream: usize): void {
  memory.fill(out, 0, <usize>n << 2)
  discrete_gaussian_add(out, n, sigma, stream)
}

const LONGEST: u32 = 40

/** One draw; `redraw` is redrawBelow(s). */
export function sample(s: u32, redraw: u32, stream: usize): i32 {
  while (true) {
    const u = below(s, redraw, stream)
    if (!expMinus(u, 0, s, redraw, stream)) continue
    let v: u32 = 0
    while (v <= LONGEST && oneOverE(stream)) v++
    if (v > LONGEST) continue
    const size = u + s * v
    const negative = (nextByte(stream) & 1) != 0
    if (negative && size == 0) continue
    const off = size > s ? size - s : s - size
    if (!accept(<u64>off * off, s, redraw, stream)) continue
    return negative ? -(<i32>size) : <i32>size
  }
}

/** True with chance exp(-n / (2 s^2)). */
// @ts-ignore: decorator
@inline function accept(n: u64, s: u32, redraw: u32, stream: usize): bool {
  const base = <u64>s << 1, whole = base * s
  while (n > whole) {
    if (!oneOverE(stream)) return false
    n -= whole
  }
  const a = n / base
  return expMinus(<u32>a, <u32>(n - a * base), s, redraw, stream)
}

/** True with chance exp(-x), x = a/s + b/(2 s^2) <= 1. */
// @ts-ignore: decorator
@inline function expMinus(a: u32, b: u32, s: u32, redraw: u32, stream: usize): bool {
  let rung: u32 = 1
  while ((rung == 1 || zero(rung, stream)) && less(a, b, s, redraw, stream) && rung < 255) rung++
  return (rung & 1) != 0
}

/** True with chance 1/e: the ladder of exp(-1), whose rungs hold with chance 1/k. */
// @ts-ignore: decorator
@inline function oneOverE(stream: usize): bool {
  let rung: u32 = 2
  while (zero(rung, stream) && rung < 255) rung++
  return (rung & 1) != 0
}

// @ts-ignore: decorator
@inline function less(a: u32, b: u32, s: u32, redraw: u32, stream: usize): bool {
  const first = below(s, redraw, stream)
  if (first != a) return first < a
  return b != 0 && lessSecond(b, s, stream)
}

/** Once in s times. */
function lessSecond(b: u32, s: u32, stream: usize): bool {
  const base = s << 1
  return below(base, redrawBelow(base), stream) < b
}

// @ts-ignore: decorator
@inline function zero(k: u32, stream: usize): bool {
  while (true) {
    const byte = nextByte(stream)
    if ((byte + 1) * k <= 256) return true
    if (byte + k <= 256) return false
    if (byte < 256 - 256 % k) return false
  }
}

// @ts-ignore: decorator
@inline function below(s: u32, redraw: u32, stream: usize): u32 {
  let product = <u64>nextWord(stream) * s
  while (<u32>product < redraw) product = <u64>nextWord(stream) * s
  return <u32>(product >> 32)
}

/** 2^32 mod s. */
// @ts-ignore: decorator
@inline export function redrawBelow(s: u32): u32 { return (0 - s) % s }
