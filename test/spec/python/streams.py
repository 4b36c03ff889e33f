"""Canonical JSON, hashes, generators and streams of docs/numerics/streams.md."""
import hashlib
import struct
import numpy as np

MASK = 0xffffffff


def number_text(x):
    """ECMAScript's Number::toString of an f64."""
    if isinstance(x, int):
        x = float(x)
    if x == 0:
        return '0'
    text = repr(abs(x))
    mantissa, _, e = text.partition('e')
    whole, _, fraction = mantissa.partition('.')
    if fraction == '0':
        fraction = ''
    digits = (whole + fraction).lstrip('0')
    # value = 0.DIGITS * 10^n
    n = int(e or 0) + (len(whole) if whole != '0' else -(len(fraction) - len(fraction.lstrip('0'))))
    digits = digits.rstrip('0')
    k = len(digits)
    sign = '-' if x < 0 else ''
    if k <= n <= 21:
        return sign + digits + '0' * (n - k)
    if 0 < n <= 21:
        return sign + digits[:n] + '.' + digits[n:]
    if -6 < n <= 0:
        return sign + '0.' + '0' * -n + digits
    e = n - 1
    return sign + digits[0] + ('.' + digits[1:] if k > 1 else '') + 'e' + ('+' if e > 0 else '-') + str(abs(e))


SHORT = {'"': '\\"', '\\': '\\\\', '\b': '\\b', '\t': '\\t', '\n': '\\n', '\f': '\\f', '\r': '\\r'}


def string_text(s):
    def one(c):
        if c in SHORT:
            return SHORT[c]
        return '\\u%04x' % ord(c) if ord(c) < 0x20 or 0xd800 <= ord(c) <= 0xdfff else c
    return '"' + ''.join(map(one, s)) + '"'


def canonical_json(value):
    if value is None:
        return 'null'
    if isinstance(value, bool):
        return 'true' if value else 'false'
    if isinstance(value, str):
        return string_text(value)
    if isinstance(value, (int, float)):
        return number_text(value)
    if isinstance(value, (list, tuple)):
        return '[' + ','.join(map(canonical_json, value)) + ']'
    keys = sorted(value, key=lambda key: key.encode('utf-16-be', 'surrogatepass'))
    return '{' + ','.join(string_text(key) + ':' + canonical_json(value[key]) for key in keys) + '}'


def hash_of(value):
    return hashlib.sha256(canonical_json(value).encode()).hexdigest()


def hash_array(a):
    return hashlib.sha256(np.ascontiguousarray(a).astype('<' + a.dtype.str[1:]).tobytes()).hexdigest()


def rotl(x, n):
    return ((x << n) | (x >> (32 - n))) & MASK


def mix(x):
    x = ((x ^ (x >> 16)) * 0x21f0aaad) & MASK
    x = ((x ^ (x >> 15)) * 0x735a2d97) & MASK
    return x ^ (x >> 15)


class Random:
    """The seeded generator."""
    def __init__(self, *labels):
        text = '\0'.join(('string:' if isinstance(label, str) else 'number:') + str(label) for label in labels)
        state = [0x9e3779b9, 0x243f6a88, 0xb7e15162, 0xdeadbeef]
        units = text.encode('utf-16-le')
        for i in range(0, len(units), 2):
            unit = units[i] | units[i + 1] << 8
            state = [mix(s ^ unit ^ (j << 17)) for j, s in enumerate(state)]
        state = [mix((s + j) & MASK) for j, s in enumerate(state)]
        self.state = state if any(state) else [1, 0, 0, 0]

    def u32(self):
        s = self.state
        result = rotl(s[1] * 5 & MASK, 7) * 9 & MASK
        t = s[1] << 9 & MASK
        s[2] ^= s[0]
        s[3] ^= s[1]
        s[1] ^= s[2]
        s[0] ^= s[3]
        s[2] ^= t
        s[3] = rotl(s[3], 11)
        return result

    def uniform(self):
        return self.u32() / 2.0 ** 32

    def below(self, n):
        while True:
            u = self.u32()
            if u < 2 ** 32 - 2 ** 32 % n:
                return u % n

    def shuffle(self, items):
        for i in range(len(items) - 1, 0, -1):
            j = self.below(i + 1)
            items[i], items[j] = items[j], items[i]
        return items


def rounds(x):
    """The 20 rounds of ChaCha20 on 16 words."""
    x = list(x)

    def quarter(a, b, c, d):
        x[a] = (x[a] + x[b]) & MASK; x[d] = rotl(x[d] ^ x[a], 16)
        x[c] = (x[c] + x[d]) & MASK; x[b] = rotl(x[b] ^ x[c], 12)
        x[a] = (x[a] + x[b]) & MASK; x[d] = rotl(x[d] ^ x[a], 8)
        x[c] = (x[c] + x[d]) & MASK; x[b] = rotl(x[b] ^ x[c], 7)
    for _ in range(10):
        quarter(0, 4, 8, 12); quarter(1, 5, 9, 13); quarter(2, 6, 10, 14); quarter(3, 7, 11, 15)
        quarter(0, 5, 10, 15); quarter(1, 6, 11, 12); quarter(2, 7, 8, 13); quarter(3, 4, 9, 14)
    return x


SIGMA = struct.unpack('<4I', b'expand 32-byte k')
CODES = {
    'noise': 0x5ec00000, 'correlated noise': 0x5ec00001, 'sampling': 0x5ec00002, 'mask': 0x5ec00003,
    'rotation': 0x0b1c0000, 'rounding': 0x0b1c0001, 'slice': 0x0b1c0002, 'order': 0x0b1c0003,
}


class Stream:
    """A ChaCha20 stream with its buffer of 1,024 bytes."""
    def __init__(self, root, code, index, round):
        label = (code, index, round % 2 ** 32, round // 2 ** 32)
        x = rounds((*SIGMA, *struct.unpack('<8I', root), *label))
        self.key = x[:4] + x[12:]
        self.counter = 0
        self.buffer, self.at = b'', 0

    def take(self, n):
        if self.at + n > len(self.buffer):
            blocks = []
            for _ in range(16):
                state = (*SIGMA, *self.key, self.counter, 0, 0, 0)
                blocks.append(struct.pack('<16I', *((a + b) & MASK for a, b in zip(rounds(state), state))))
                self.counter += 1
            self.buffer, self.at = b''.join(blocks), 0
        self.at += n
        return self.buffer[self.at - n:self.at]

    def byte(self):
        return self.take(1)[0]

    def word(self):
        return struct.unpack('<I', self.take(4))[0]


class DiscreteGaussian:
    """Draws of scale s from a stream."""
    def __init__(self, s, stream):
        self.s, self.byte, self.word = s, stream.byte, stream.word

    def below(self, s):
        p = self.word() * s
        while p % 2 ** 32 < 2 ** 32 % s:
            p = self.word() * s
        return p // 2 ** 32

    def zero(self, k):
        while True:
            b = self.byte()
            if (b + 1) * k <= 256:
                return True
            if b + k <= 256:
                return False
            if b < 256 - 256 % k:
                return False

    def less(self, a, b):
        f = self.below(self.s)
        return f < a if f != a else b != 0 and self.below(2 * self.s) < b

    def exp_minus(self, a, b):
        rung = 1
        while (rung == 1 or self.zero(rung)) and self.less(a, b) and rung < 255:
            rung += 1
        return rung % 2 == 1

    def one_over_e(self):
        rung = 2
        while self.zero(rung) and rung < 255:
            rung += 1
        return rung % 2 == 1

    def accept(self, n):
        s = self.s
        while n > 2 * s * s:
            if not self.one_over_e():
                return False
            n -= 2 * s * s
        a = n // (2 * s)
        return self.exp_minus(a, n - a * 2 * s)

    def sample(self):
        while True:
            u = self.below(self.s)
            if not self.exp_minus(u, 0):
                continue
            v = 0
            while v <= 40 and self.one_over_e():
                v += 1
            if v > 40:
                continue
            size = u + self.s * v
            negative = self.byte() % 2 == 1
            if negative and size == 0:
                continue
            if not self.accept((size - self.s) ** 2):
                continue
            return -size if negative else size
