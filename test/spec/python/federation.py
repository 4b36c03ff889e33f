"""Lattice, contribution, release and clip norms of docs/numerics/federation.md."""
import hashlib
import math
from fractions import Fraction
import numpy as np
from arithmetic import F, f32
from operations import sum_squares
from streams import CODES, DiscreteGaussian, Stream


def bits_of(x):
    b = 0
    while 2 ** b < x:
        b += 1
    return b


def ceil_root(x):
    r = math.ceil(math.sqrt(x))
    while r * r < x:
        r += 1
    return r


def quotient_below(a, b):
    q = a / b
    return math.nextafter(q, -math.inf) if Fraction(q) * Fraction(b) > Fraction(a) else q


def ceil_divide(z, b):
    k = math.ceil(z * b)
    while quotient_below(k, b) < z:
        k += 1
    return k


def choose_lattice(clip, cohort, dimension, z, capacity=None, rounding='stochastic', rotate=False, noise_spread=1, quantile=None):
    capacity = cohort if capacity is None else capacity
    padded = 2 ** bits_of(dimension) if rotate else dimension
    step = 1.0
    while step < clip:
        step *= 2
    while step > clip:
        step /= 2
    while True:
        scaled = clip / step
        update_clip = ceil_root(scaled * scaled + padded / 4 + 6 * (scaled + math.sqrt(padded) / 2))
        ratio = z / (2 * quantile) if quantile is not None else 0
        widening = 1 / math.sqrt(1 - ratio * ratio)
        quantile_int = max(1, math.floor(ratio * widening * update_clip + 0.5)) if quantile is not None else 0
        clip_int = ceil_root(update_clip * update_clip + quantile_int * quantile_int)
        sigma = 0 if z == 0 else ceil_divide(z, clip_int)
        rounded = (capacity if rounding == 'stochastic' else capacity * capacity) / 4
        spread = (2.0 ** -14 * math.sqrt(capacity) if z == 0 else z) * widening * scaled
        ideal = spread * spread
        share = ((0 if z == 0 else sigma * sigma - ideal) + rounded) / ideal
        if max(clip_int, sigma) > 2 ** 24:
            raise ValueError('no lattice')
        if not (share >= 0.01 or (z > 0 and sigma < 256)):
            break
        step /= 2
    tail = math.sqrt(2 * 0.6931471805599454 * (1 + bits_of(padded + 1) + 66))
    largest = capacity * update_clip
    if rotate:
        largest = min(largest, capacity * (tail * (clip / step) / math.sqrt(padded) + 1 + clip_int * 2.0 ** -18))
    modulus_bits = 1 + bits_of(max(largest, capacity * quantile_int) + tail * noise_spread * sigma + 1)
    return {
        'clip': clip, 'cohort': cohort, 'capacity': capacity, 'dimension': dimension, 'noiseMultiplier': z, 'rounding': rounding,
        'rotate': rotate, 'noiseSpread': noise_spread, 'step': step, 'length': padded + (0 if quantile is None else 1),
        'updateClipInt': update_clip, 'quantileInt': quantile_int, 'clipInt': clip_int, 'sigmaInt': sigma,
        'achievedNoiseMultiplier': quotient_below(sigma, clip_int), 'modulusBits': modulus_bits, 'wrapProbability': 2.0 ** -64,
        'roundingVarianceShare': share if z > 0 else None,
    }


def hadamard(y):
    y = y.copy()
    d = 1
    while d < len(y):
        for i in range(len(y)):
            if i & d == 0:
                y[i], y[i + d] = y[i] + y[i + d], y[i] - y[i + d]
        d *= 2
    return y


def flip(y, stream):
    y = y.copy()
    for i in range(len(y)):
        if i % 32 == 0:
            word = stream.word()
        if word >> i % 32 & 1:
            y[i] = -y[i]
    return y


def size_of(lattice):
    return lattice['length'] - (1 if lattice['quantileInt'] > 0 else 0)


def encode(lattice, x, seed, round, client):
    """Norm and integers of a contribution."""
    size, clip, limit = size_of(lattice), lattice['clip'], lattice['updateClipInt']
    norm = math.sqrt(sum_squares(x))
    factor = (clip / norm if norm > clip else 1) / lattice['step'] / (math.sqrt(size) if lattice['rotate'] else 1)
    y = np.zeros(size, F)
    y[:len(x)] = f32(x.astype(np.float64) * factor)
    if lattice['rotate']:
        y = hadamard(flip(y, Stream(seed, CODES['rotation'], 0, round)))
    if lattice['rounding'] == 'nearest':
        v = [int(n) for n in np.rint(y)]
    else:
        stream = Stream(seed, CODES['rounding'], client, round)
        v = []
        for value in y:
            f = np.floor(value)
            v.append(int(f + F(1) if F(stream.word() >> 8) < (value - f) * F(2 ** 24) else f))
    most = 2 ** (lattice['modulusBits'] - 1) - 1
    v = [max(-most, min(most, n)) for n in v]
    total = sum(n * n for n in v)
    if total > limit * limit:
        s = math.isqrt(total - 1) + 1
        v = [(abs(n) * limit // s) * (1 if n > 0 else -1) for n in v]
    if lattice['quantileInt'] > 0:
        v.append(lattice['quantileInt'] if norm <= clip else -lattice['quantileInt'])
    return norm, v


def release(lattice, total, seed, round, noise_root):
    """Noised total, mean, and the share within the clip norm, from a sum of contributions."""
    size, half = size_of(lattice), 2 ** (lattice['modulusBits'] - 1)
    noise = [0] * lattice['length']
    if lattice['sigmaInt'] > 0:
        draw = DiscreteGaussian(lattice['sigmaInt'], Stream(noise_root, CODES['noise'], 0, round))
        noise = [draw.sample() for _ in noise]
    total = [(n + t + half) % (2 * half) - half for n, t in zip(noise, total)]
    factor = lattice['step'] / (math.sqrt(size) if lattice['rotate'] else 1) / lattice['cohort']
    mean = f32(np.array(total[:size], np.float64) * factor)
    if lattice['rotate']:
        mean = flip(hadamard(mean), Stream(seed, CODES['rotation'], 0, round))
    q = lattice['quantileInt']
    return total, mean[:lattice['dimension']], (1 + total[-1] / (q * lattice['cohort'])) / 2 if q > 0 else None


def commitment(root):
    return hashlib.sha256(b'sotto noise key 1\0' + root).digest()


class Banded:
    """Noise that takes back c_1, c_2, ... of the noise before."""
    def __init__(self, coefficients):
        self.c = coefficients

    def on_grid(self, unit):
        return Banded([math.floor(c * unit + 0.5) / unit for c in self.c])

    def sensitivity(self, lattice, unit, rounds):
        return lattice['clipInt'] * unit

    def inverse(self, rounds):
        past = []
        for t in range(rounds):
            value = 1.0 if t == 0 else 0.0
            for j in range(len(self.c) - 1, 0, -1):
                value = value - self.c[j] * (past[-j] if j <= len(past) else 0.0)
            past.append(value)
        return past

    def start(self):
        return []

    def noise(self, y, past, unit):
        for j in range(1, min(len(self.c) - 1, len(past)) + 1):
            y -= int(self.c[j] * unit) * past[-j]
        u = (2 * y + unit) // (2 * unit)
        past.append(u)
        return u


class Blt:
    """The same by buffers."""
    def __init__(self, scales, decays):
        self.scales, self.decays = scales, decays

    def on_grid(self, unit):
        return self

    def sensitivity(self, lattice, unit, rounds):
        largest = sum_of(map(abs, self.inverse(rounds))) * (41 * 1.1 * (lattice['sigmaInt'] + 1) + 2) + lattice['clipInt']
        error = 0.0
        for scale, decay in zip(self.scales, self.decays):
            size = abs(scale) * largest / (1 - decay)
            error = error + (2.0 ** -52 * size / (1 - decay) + 2.0 ** -52 * (len(self.scales) + 1) * size)
        return lattice['clipInt'] * unit + math.ceil(1.01 * 2 * (0.5 + unit * error) * math.sqrt(rounds * lattice['length']))

    def inverse(self, rounds):
        buffers, values = self.start(), []
        for t in range(rounds):
            value = 1.0 if t == 0 else 0.0
            for scale, b in zip(self.scales, buffers):
                value = value - scale * b
            buffers[:] = [decay * b + value for decay, b in zip(self.decays, buffers)]
            values.append(value)
        return values

    def start(self):
        return [0.0] * len(self.scales)

    def noise(self, y, buffers, unit):
        past = 0.0
        for scale, b in zip(self.scales, buffers):
            past = past + scale * b
        u = (2 * (y - round(past * unit)) + unit) // (2 * unit)
        buffers[:] = [decay * b + u for decay, b in zip(self.decays, buffers)]
        return u


class Tree:
    """Binary tree aggregation."""
    def start(self):
        return [0, {}]

    def noise(self, y, state, _):
        state[0] += 1
        height = (state[0] & -state[0]).bit_length() - 1
        u = y - sum(state[1][h] for h in range(height))
        state[1][height] = y
        return u


def sum_of(values):
    total = 0.0
    for value in values:
        total = total + value
    return total


def noise_spread(strategy, rounds):
    if isinstance(strategy, Tree):
        h = 1
        while 2 ** h <= rounds:
            h += 1
        return 1.05 * math.sqrt(h)
    e = strategy.inverse(rounds)
    return 1.05 * (math.sqrt(sum_of(x * x for x in e)) + sum_of(map(abs, e)) / 5120)


def correlated(strategy, clip, cohort, dimension, z, rounds, root):
    """Spread, and the noise of all coordinates in each round."""
    spread = noise_spread(strategy, rounds)
    lattice = choose_lattice(clip, cohort, dimension, z, noise_spread=spread)
    sigma, unit = lattice['sigmaInt'], 1
    if not isinstance(strategy, Tree):
        for bits in range(11, 5, -1):
            unit, whole = 2 ** bits, strategy.on_grid(2 ** bits)
            sensitivity = whole.sensitivity(lattice, unit, rounds)
            sigma = ceil_divide(z, sensitivity)
            if sigma <= 2 ** 24 and sensitivity <= min(2 ** 26, 1.1 * lattice['clipInt'] * unit):
                break
        else:
            raise ValueError('no grid')
        strategy = whole
    states = [strategy.start() for _ in range(dimension)]
    u = []
    for t in range(1, rounds + 1):
        draw = DiscreteGaussian(sigma, Stream(root, CODES['correlated noise'], 0, t))
        u.append([strategy.noise(draw.sample(), state, unit) for state in states])
    return spread, u


def exp64(x):
    k = math.floor(1.44269504088896338700 * x + 0.5)
    high, low = x - k * 6.93147180369123816490e-1, k * 1.90821492927058770002e-10
    r = high - low
    t = r * r
    c = r - t * (1.66666666666666019037e-1 + t * (-2.77777777770155933842e-3 + t * (6.61375632143793436117e-5 +
                 t * (-1.65339022054652515390e-6 + t * 4.13813679705723846039e-8))))
    if k == 0:
        return 1 - ((r * c) / (c - 2) - r)
    return (1 - ((low - (r * c) / (2 - c)) - high)) * 2.0 ** k


def next_clip(clip, rate, quantile, within, smallest=2.0 ** -40, largest=2.0 ** 40):
    share = min(2, max(-1, within))
    return min(largest, max(smallest, clip * exp64(-rate * (share - quantile))))
