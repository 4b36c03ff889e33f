"""Fits the polynomials of assembly/math: minimax in the weighted sense, coefficients rounded to f32 one by one.

Needs mpmath. `python scripts/golden/minimax.py` prints, for every polynomial, its f32 coefficients (lowest power
first, nine digits: enough to name one f32) and the relative error that they leave in the function, before the
rounding errors of evaluation, which the tests measure.

Method: Remez exchange on a dense grid for `p(x) = sum c[j] x^j` with `max |w(x) (p(x) - f(x))|` least; then c[0] is
rounded to f32 and the rest fitted again, then c[1], and so on, so that later coefficients absorb earlier roundings.
"""
import struct

from mpmath import mp, mpf

mp.dps = 40
GRID = 500


def f32(x):
    return mpf(struct.unpack('f', struct.pack('f', float(x)))[0])


def remez(values, weights, powers, grid):
    """Coefficients of the given powers, least max |weight * (sum c x^power - value)| over the grid."""
    n = len(powers)
    at = [round((len(grid) - 1) * (1 - mp.cos(mp.pi * k / n)) / 2) for k in range(n + 1)]
    for _ in range(40):
        rows = mp.matrix(n + 1, n + 1)
        right = mp.matrix(n + 1, 1)
        for i, k in enumerate(at):
            for j, power in enumerate(powers):
                rows[i, j] = grid[k] ** power
            rows[i, n] = (-1) ** i / weights[k]
            right[i] = values[k]
        solution = mp.lu_solve(rows, right)
        c = [solution[j] for j in range(n)]
        error = [weights[k] * (sum(a * x ** p for a, p in zip(c, powers)) - values[k]) for k, x in enumerate(grid)]
        # the largest error of each run of one sign
        runs = []
        for k, e in enumerate(error):
            if runs and (error[runs[-1]] > 0) == (e > 0):
                if abs(e) > abs(error[runs[-1]]):
                    runs[-1] = k
            else:
                runs.append(k)
        while len(runs) > n + 1:
            runs.pop(0 if abs(error[runs[0]]) < abs(error[runs[-1]]) else -1)
        if len(runs) < n + 1:
            break
        if runs == at:
            break
        at = runs
    return c


def fit(name, f, w, low, high, degree):
    """Fits, rounds, prints."""
    grid = [low + (high - low) * (1 - mp.cos(mp.pi * k / (GRID - 1))) / 2 for k in range(GRID)]
    grid = [x if x != 0 else mpf('1e-12') for x in grid]
    values = [f(x) for x in grid]
    weights = [w(x) for x in grid]
    fixed = []
    while len(fixed) <= degree:
        powers = list(range(len(fixed), degree + 1))
        rest = [v - sum(c * x ** j for j, c in enumerate(fixed)) for v, x in zip(values, grid)]
        fixed.append(f32(remez(rest, weights, powers, grid)[0]))
    worst = max(abs(w * (sum(c * x ** j for j, c in enumerate(fixed)) - v)) for v, w, x in zip(values, weights, grid))
    print(f'{name}: degree {degree} on [{mp.nstr(low, 8)}, {mp.nstr(high, 8)}], '
          f'relative error 2^{mp.nstr(mp.log(worst, 2), 4)}')
    print('  ' + ', '.join('%.9g' % float(c) for c in fixed))


def main():
    half = mp.log(2) / 2 * mpf('1.0001')
    # expm1(r) = r + r^2 p(r); exp(r) = 1 + expm1(r) asks less
    fit('expm1', lambda r: (mp.expm1(r) - r) / r ** 2, lambda r: r ** 2 / abs(mp.expm1(r)), -half, half, 4)
    # log((1+s)/(1-s)) = 2s + s z p(z), z = s^2, s = f/(2+f), 1+f in [sqrt 1/2, sqrt 2]
    most = (mp.sqrt(2) - 1) / (mp.sqrt(2) + 1)
    fit('log', lambda z: (2 * mp.atanh(mp.sqrt(z)) / mp.sqrt(z) - 2) / z, lambda z: z / 2, mpf(0), most ** 2, 3)
    # Phi(-a) = e^(-a^2 / 2) t Q(t), t = 1 / (1 + 0.3 a); a share below 0.05 may have ten times the relative error
    near = f32(0.3)
    at = lambda t: (1 / t - 1) / near
    ratio = lambda t: mp.erfc(at(t) / mp.sqrt(2)) / 2 * mp.exp(at(t) ** 2 / 2) / t
    fit('Q', ratio, lambda t: max(mp.erfc(at(t) / mp.sqrt(2)), mpf('0.1')) / ratio(t), 1 / (1 + near * 14), mpf(1), 7)


main()
