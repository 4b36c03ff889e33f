"""Arithmetic, sums, elementary functions and stored formats of docs/numerics.md. Arrays of numpy, f32 but where said."""
import numpy as np

np.seterr(all='ignore')
F = np.float32


def f32(x):
    """Rounds f64 numbers or integers to f32."""
    return np.asarray(x, dtype=np.float64).astype(F)


def bits(x):
    return np.ascontiguousarray(x, dtype=F).view(np.uint32)


def of_bits(n):
    return np.asarray(n, dtype=np.uint32).view(F)


def lower(a, b):
    return np.where(b < a, b, a).astype(F)


def upper(a, b):
    return np.where(a < b, b, a).astype(F)


def with_sign(a, s):
    return of_bits((bits(a) & np.uint32(0x7fffffff)) | (bits(s) & np.uint32(0x80000000)))


def sum4(x, dtype=F):
    """Along the last axis: four partial sums."""
    s = np.zeros(x.shape[:-1] + (4,), dtype)
    for i in range(0, x.shape[-1], 4):
        part = x[..., i:i + 4]
        s[..., :part.shape[-1]] += part
    return (s[..., 0] + s[..., 1]) + (s[..., 2] + s[..., 3])


LN2_HIGH, LN2_LOW, LOG2E = F(0.693359375), F(-0.000212194442), F(1.44269502)
P = [F(x) for x in (0.49999997, 0.16666539, 0.0416677557, 0.00836711843, 0.0013835571)]


def rest(x, n):
    r = (x - n * LN2_HIGH) - n * LN2_LOW
    z = r * r
    p = (((P[4] * z) + ((P[3] * r) + P[2])) * z) + ((P[1] * r) + P[0])
    return (z * p) + r


def power_of_two(n):
    """2^n as f32, n whole numbers as f32 that give normal results; anything for NaN."""
    return np.ldexp(F(1), np.nan_to_num(n, nan=0).astype(np.int32)).astype(F)


def exp(x):
    x = upper(lower(x, F(89)), F(-104))
    t = (x * LOG2E) + F(12583166)
    n = t - F(12583166)
    e = F(1) + rest(x, n)
    i = np.floor(n / F(2))
    return (e * power_of_two(i)) * power_of_two(n - i)


def expm1_below(x):
    t = (x * LOG2E) + F(12583039)
    n = t - F(12583039)
    q = rest(x, n)
    return (power_of_two(n) * q) + (power_of_two(n) - F(1))


L = [F(x) for x in (0.666666627, 0.400009722, 0.284987956, 0.242786825)]


def log(x):
    least = F(2.0 ** -126)
    y = np.where(x < least, x * F(2.0 ** 23), x).astype(F)
    b = bits(y) + np.uint32(0x004afb0d)
    k = of_bits((b >> np.uint32(23)) + np.uint32(0x4b000000)) - np.where(x < least, F(8388758), F(8388735))
    f = of_bits((b & np.uint32(0x007fffff)) + np.uint32(0x3f3504f3)) - F(1)
    s = f / (F(2) + f)
    z = s * s
    R = z * (((L[3] * z + L[2]) * z + L[1]) * z + L[0])
    h = (F(0.5) * f) * f
    w = (k * LN2_LOW) + (s * (h + R))
    y = (k * LN2_HIGH) + ((w - h) + f)
    y = np.where(x == np.inf, x, y)
    y = np.where(x == 0, F(-np.inf), y)
    return np.where((x < 0) | (x != x), F(np.nan), y).astype(F)


def tanh(x):
    a = lower(np.abs(x), F(10))
    t = expm1_below(a * F(-2))
    return with_sign((-t) / (t + F(2)), x)


Q = [F(x) for x in (0.119627416, 0.120790929, 0.0996278077, 0.129697025, -0.0562043712, 0.2094993, -0.159259811, 0.0362217166)]


def density(x):
    return exp((F(-0.5) * x) * x)


def phi(x):
    g = density(x)
    a = np.abs(x)
    t = F(1) / (F(1) + (F(0.3) * a))
    z = t * t
    w = z * z
    low = (((Q[3] * t) + Q[2]) * z) + ((Q[1] * t) + Q[0])
    high = (((Q[7] * t) + Q[6]) * z) + ((Q[5] * t) + Q[4])
    tail = (((high * w) + low) * t) * g
    return np.where(x < 0, tail, F(1) - tail).astype(F)


def f16_of(x):
    """Bits of the nearest f16; numpy rounds as IEEE 754 does."""
    return x.astype(np.float16).view(np.uint16)


def f32_of_f16(h):
    return np.asarray(h, np.uint16).view(np.float16).astype(F)


def bf16_of(x):
    b = bits(x).astype(np.uint64)
    return ((b + np.uint64(0x7fff) + ((b >> np.uint64(16)) & np.uint64(1))) >> np.uint64(16)).astype(np.uint16)


def f32_of_bf16(h):
    return of_bits(np.asarray(h, np.uint32) << np.uint32(16))
