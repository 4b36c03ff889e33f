"""Universal Sentence Encoder Lite of docs/numerics/training.md."""
import math
import numpy as np
import operations as O
from arithmetic import F, f32, tanh
from streams import Random
from training import Model, Pass, both

MAX_TOKENS, NARROW, WIDE, INNER = 128, 16, 24, 40


def made_up():
    """Small tensors of this architecture from the seeded generator: the golden trainings' own."""
    shapes = {'embeddings': (61, NARROW), 'timing.rates': (1, NARROW // 2)}
    for i, inputs in enumerate((NARROW, WIDE)):
        layer = 'layer.%d.' % i
        shapes.update({layer + 'norm.weight': (inputs,), layer + 'norm.bias': (inputs,)})
        for site, N, K in (('qkv', 3 * inputs, inputs), ('output', WIDE, inputs), ('residual', WIDE, inputs), ('up', INNER, WIDE), ('down', WIDE, INNER)):
            if site != 'residual' or N != K:
                shapes.update({layer + site + '.weight': (N, K), layer + site + '.bias': (N,)})
        shapes.update({layer + 'inner_norm.weight': (WIDE,), layer + 'inner_norm.bias': (WIDE,)})
    shapes.update({'tanh.weight': (WIDE, WIDE), 'tanh.bias': (WIDE,)})
    tensors = {}
    for name, shape in shapes.items():
        source = Random('weights', name)
        tensors[name] = f32([(2 * source.uniform() - 1) * 0.5 for _ in range(math.prod(shape))]).reshape(shape)
    return tensors


def wave(angle, quarter):
    """Sine (quarter 0) or cosine (1) of an f64."""
    k = math.floor(angle * 0.63661977236758134308 + 0.5)
    r = (angle - k * 1.570796325802803) - k * 9.920935796805404e-10
    n = (k + quarter) % 4
    term, d = (r, 3) if n % 2 == 0 else (1.0, 2)
    terms = []
    for _ in range(10):
        terms.append(term)
        term = -term * (r * r) / ((d - 1) * d)
        d += 2
    total = 0.0
    for term in reversed(terms):
        total += term
    return total if n < 2 else -total


def timing(rates):
    rows = []
    for i in range(MAX_TOKENS):
        angles = [float(f32(i * float(rate))) for rate in rates]
        rows.append([wave(angle, 0) for angle in angles] + [wave(angle, 1) for angle in angles])
    return f32(rows)


class UseLite(Model):
    def __init__(self, tensors, labels, lora=None, format='stored'):
        self.layers, self.H, self.eps, self.run = ['layer.0.', 'layer.1.'], 4, 1e-6, UseLitePass
        self.signal = timing(tensors['timing.rates'][0])
        sites = [layer + site for layer in self.layers for site in ('qkv', 'output', 'residual', 'up', 'down') if layer + site + '.weight' in tensors]
        super().__init__(tensors, sites + ['tanh'], ['embeddings'], len(tensors['tanh.bias']), labels, lora, format)

    def names(self):
        """Every tensor of full fine-tuning, in order, without the head."""
        yield 'embeddings'
        for layer in self.layers:
            for part in ('norm', 'qkv', 'output', 'residual', 'inner_norm', 'up', 'down'):
                if layer + part + '.weight' in self.tensors:
                    yield from both(layer + part)
        yield from both('tanh')


class UseLitePass(Pass):
    def embed(self):
        m = self.model
        x = O.embedding([(self.ids, m.table('embeddings')), (self.positions, m.signal)])
        for layer in m.layers:
            qkv = self.linear(layer + 'qkv', self.norm(layer + 'norm', x))
            mixed = self.attention(layer, *np.split(qkv, 3, axis=1))
            kept = self.linear(layer + 'residual', x) if layer + 'residual' in m.sites else x
            x = kept + self.drop(layer + 'a', self.linear(layer + 'output', mixed))
            inner = self.saved[layer + 'inner'] = self.linear(layer + 'up', self.norm(layer + 'inner_norm', x))
            x = x + self.drop(layer + 'f', self.linear(layer + 'down', O.relu(inner)))
        self.top = tanh(self.linear('tanh', O.mean_pool(x, self.offsets)))
        return O.l2_normalize(self.top, m.eps)

    def embed_back(self, g):
        m = self.model
        d = O.tanh_back(self.top, O.l2_normalize_back(self.top, g, m.eps))
        g = O.mean_pool_back(self.linear_back('tanh', d, None), self.offsets)
        for layer in reversed(m.layers):
            d = self.linear_back(layer + 'down', self.dropped(layer + 'f', g), None)
            d = self.linear_back(layer + 'up', O.relu_back(self.saved[layer + 'inner'], d), None)
            g = g + self.norm_back(layer + 'inner_norm', d)
            d = self.linear_back(layer + 'output', self.dropped(layer + 'a', g), None)
            kept = self.linear_back(layer + 'residual', g, None) if layer + 'residual' in m.sites else g
            d = np.concatenate(O.attention_back(d, *self.saved[layer]), axis=1)
            g = kept + self.norm_back(layer + 'norm', self.linear_back(layer + 'qkv', d, None))
        if not m.lora:
            self.gradient('embeddings', O.embedding_back(g, self.ids, len(m.parameters['embeddings'])))
