"""The operations of docs/numerics/operations.md. Matrices [rows, columns] of f32."""
import numpy as np
from arithmetic import *


def product(start, alpha, A, B):
    """start + (alpha A) B, terms in ascending order; start: a matrix, a row (a bias) or 0."""
    m, k = A.shape
    c = np.zeros((m, B.shape[1]), F)
    if start is not None:
        c[:] = start
    for p in range(k):
        c = c + (alpha * A[:, p])[:, None] * B[p][None, :]
    return c


ONE = F(1)


class Float:
    """A frozen weight [N, K] in f32, f16 or bf16."""
    def __init__(self, W, format):
        self.W = {'f32': lambda: W, 'f16': lambda: f32_of_f16(f16_of(W)), 'bf16': lambda: f32_of_bf16(bf16_of(W))}[format]()

    def forward(self, x, bias):
        return product(bias, ONE, x, self.W.T)

    def back(self, dy, start):
        return product(start, ONE, dy, self.W)


class Int8:
    """A frozen weight in int8, one scale an output."""
    def __init__(self, W):
        top = tops(W)
        some = top >= F(2.0 ** -110)
        self.scale = np.where(some, top / F(127), F(0)).astype(F)
        factor = np.where(some, F(127) / top, F(0)).astype(F)
        self.w = np.where(some[:, None], np.rint(W * factor[:, None]), F(0)).astype(np.int64)

    def forward(self, x, bias):
        q, r = rows_of_integers(x)
        y = (f32(q @ self.w.T) * self.scale) * r
        return y if bias is None else y + bias

    def back(self, dy, start):
        q, r = rows_of_integers(dy * self.scale)
        dx = f32(q @ self.w) * r
        return dx if start is None else dx + start


def tops(z):
    return np.max(np.abs(z), axis=1)


def rows_of_integers(z):
    limit = F(min(32767, (2 ** 31 - 1) // (127 * z.shape[1])))
    top = tops(z)
    some = top >= F(2.0 ** -110)
    factor = np.where(some, limit / top, F(0)).astype(F)
    q = np.where(some[:, None], np.rint(z * factor[:, None]), F(0)).astype(np.int64)
    return q, np.where(some, top / limit, F(0)).astype(F)[:, None]


def weight(W, format):
    return Int8(W) if format == 'int8' else Float(W, format)


def column_sums(x, start=None):
    out = np.zeros(x.shape[1], F) if start is None else start.copy()
    for row in x:
        out = out + row
    return out


def embedding(lookups):
    """Pairs of ids and tables."""
    y = None
    for ids, table in lookups:
        y = table[ids] if y is None else y + table[ids]
    return y


def embedding_back(dy, ids, rows):
    d = np.zeros((rows, dy.shape[1]), F)
    for m, id in enumerate(ids):
        d[id] = d[id] + dy[m]
    return d


def layer_norm(x, weight, bias, eps):
    """y, and what going back needs."""
    n = F(x.shape[1])
    mean = (sum4(x) / n)[:, None]
    d = x - mean
    rstd = (ONE / np.sqrt((sum4(d * d) / n) + F(eps)))[:, None]
    h = d * rstd
    return (h * weight) + bias, (d, rstd, h)


def layer_norm_back(dy, weight, saved):
    d, rstd, h = saved
    n = F(dy.shape[1])
    g = dy * weight
    a = (sum4(g) / n)[:, None]
    b = (sum4(g * d)[:, None] * rstd) / n
    dx = ((g - a) - (h * b)) * rstd
    return dx, column_sums(dy * h), column_sums(dy)


def heads(offsets, H, D):
    """Rows and columns of each sequence and head."""
    for s in range(len(offsets) - 1):
        for h in range(H):
            yield slice(offsets[s], offsets[s + 1]), slice(h * D, h * D + D)


def probabilities(Q, K, scale, causal):
    S = product(None, scale, Q, K.T)
    P = np.zeros_like(S)
    for i in range(len(S)):
        row = S[i, :i + 1] if causal else S[i]
        e = exp(row - np.max(row))
        P[i, :len(row)] = e * (ONE / sum4(e))
    return P


def attention(q, k, v, offsets, H, scale, causal=False):
    out = np.zeros_like(q)
    for at in heads(offsets, H, q.shape[1] // H):
        out[at] = product(None, ONE, probabilities(q[at], k[at], scale, causal), v[at])
    return out


def attention_back(dout, q, k, v, offsets, H, scale, causal=False):
    dq, dk, dv = np.zeros_like(q), np.zeros_like(q), np.zeros_like(q)
    for at in heads(offsets, H, q.shape[1] // H):
        P = probabilities(q[at], k[at], scale, causal)
        dv[at] = product(None, ONE, P.T, dout[at])
        dP = product(None, ONE, dout[at], v[at].T)
        dS = np.zeros_like(P)
        for i in range(len(P)):
            n = i + 1 if causal else len(P)
            w = sum4(P[i, :n] * dP[i, :n])
            dS[i, :n] = P[i, :n] * (dP[i, :n] - w)
        dq[at] = product(None, scale, dS, k[at])
        dk[at] = product(None, scale, dS.T, q[at])
    return dq, dk, dv


def gelu_erf(x):
    return x * phi(x)


def gelu_erf_back(x, dy):
    return dy * (phi(x) + (x * (density(x) * F(0.398942292))))


def gelu_tanh(x):
    t = tanh(x * (((F(0.0356774069) * x) * x) + F(0.797884583)))
    return (F(0.5) * x) * (ONE + t)


def gelu_tanh_back(x, dy):
    t = tanh(x * (((F(0.0356774069) * x) * x) + F(0.797884583)))
    d = ((F(0.107032224) * x) * x) + F(0.797884583)
    return dy * (((F(0.5) * t) + F(0.5)) + (((F(0.5) * x) * (ONE - t * t)) * d))


def relu(x):
    return np.where(x < 0, F(0), x).astype(F)


def relu_back(x, dy):
    return np.where(0 < x, dy, F(0)).astype(F)


def silu_parts(x):
    e = exp(-np.abs(x))
    return (np.where(x < 0, e, ONE) / (ONE + e)).astype(F), (np.where(x < 0, ONE, e) / (ONE + e)).astype(F)


def silu(x):
    return x * silu_parts(x)[0]


def silu_back(x, dy):
    s, other = silu_parts(x)
    return dy * (((x * s) * other) + s)


def tanh_back(y, dy):
    return dy * (ONE - y * y)


def philox(counter, key):
    """Counter and key: arrays of uint64 below 2^32, or numbers; the four words."""
    a, b, c, d = (np.asarray(x, np.uint64) for x in counter)
    low, top = np.uint64(0xffffffff), np.uint64(32)
    for i in range(10):
        k0, k1 = ((key[j] + i * w) % 2 ** 32 for j, w in enumerate((0x9e3779b9, 0xbb67ae85)))
        x, y = np.uint64(0xcd9e8d57) * c, np.uint64(0xd2511f53) * a
        a, b, c, d = (x >> top) ^ b ^ np.uint64(k0), x & low, (y >> top) ^ d ^ np.uint64(k1), y & low
    return a, b, c, d


def dropout(x, rate, key, stream, first=0):
    M, C = x.shape
    threshold, factor = int(np.floor(rate * 2.0 ** 32)), f32(1 / (1 - rate))
    c, m = np.meshgrid(np.arange(C, dtype=np.uint64), np.arange(first, first + M, dtype=np.uint64))
    three = np.uint64(3)
    words = philox(((c >> np.uint64(4)) * np.uint64(4) + (c & three), m, stream, 0), key)
    word = np.choose(((c >> np.uint64(2)) & three).astype(np.int64), words)
    return np.where(word >= np.uint64(threshold), x * factor, F(0)).astype(F)


def mean_pool(x, offsets):
    out = []
    for first, end in zip(offsets, offsets[1:]):
        sum = x[first]
        for row in x[first + 1:end]:
            sum = sum + row
        out.append(sum / F(end - first))
    return np.array(out, F)


def mean_pool_back(dy, offsets):
    return np.concatenate([np.tile(dy[s] / F(end - first), (end - first, 1)) for s, (first, end) in enumerate(zip(offsets, offsets[1:]))])


def cls_pool(x, offsets):
    return x[list(offsets[:-1])]


def cls_pool_back(dy, offsets):
    dx = np.zeros((offsets[-1], dy.shape[1]), F)
    dx[list(offsets[:-1])] = dy
    return dx


def l2_normalize(x, eps):
    length = np.sqrt(sum4(x * x))
    return x / np.where(length < F(eps), F(eps), length).astype(F)[:, None]


def l2_normalize_back(x, dy, eps):
    length = np.sqrt(sum4(x * x))[:, None]
    y = l2_normalize(x, eps)
    return np.where(length < F(eps), dy / F(eps), (dy - (y * sum4(dy * y)[:, None])) / length).astype(F)


def cross_entropy(logits, targets):
    rows = np.arange(len(targets))
    m = np.max(logits, axis=1)
    e = exp(logits - m[:, None])
    s = sum4(e)
    return log(s) - (logits[rows, targets] - m), e / s[:, None]


def cross_entropy_back(probabilities, targets, weight):
    rows = np.arange(len(targets))
    d = probabilities * weight
    d[rows, targets] = (probabilities[rows, targets] - ONE) * weight
    return d


def sum_squares(x):
    x = x.astype(np.float64).ravel()
    return sum4(x * x, np.float64)


def power(beta, t):
    result, base = 1.0, beta
    while t > 0:
        if t % 2 == 1:
            result = result * base
        base, t = base * base, t // 2
    return result


def sgd(p, v, g, lr, momentum, decay):
    g = g + (f32(decay) * p)
    if f32(momentum) != 0:
        v = (f32(momentum) * v) + g
        g = v
    return p - (f32(lr) * g), v


def adamw(p, m, v, g, lr, beta1, beta2, eps, decay, t):
    m = (f32(beta1) * m) + (f32(1 - beta1) * g)
    v = (f32(beta2) * v) + ((f32(1 - beta2) * g) * g)
    p = p * f32(1 - lr * decay)
    p = p - ((f32(lr / (1 - power(beta1, t))) * m) / ((np.sqrt(v) / f32(np.sqrt(1 - power(beta2, t)))) + f32(eps)))
    return p, m, v
