"""Models of the BERT family, gradients, optimisers and slices of docs/numerics/training.md."""
import json
import math
import re
import struct
import numpy as np
import operations as O
from arithmetic import F, f32
from streams import Random


def read_safetensors(path):
    """f32 tensors by name."""
    with open(path, 'rb') as file:
        data = file.read()
    size, = struct.unpack('<Q', data[:8])
    header = json.loads(data[8:8 + size])
    tensors = {}
    for name, info in header.items():
        if name != '__metadata__':
            assert info['dtype'] == 'F32'
            start, end = info['data_offsets']
            tensors[re.sub(r'^(bert|roberta|distilbert)\.', '', name)] = np.frombuffer(data[8 + size + start:8 + size + end], '<f4').astype(F).reshape(info['shape'])
    return tensors


def initial_a(site, rank, inputs, seed):
    source = Random('lora_A', seed, site)
    bound = 1 / math.sqrt(inputs)
    return f32([(2 * source.uniform() - 1) * bound for _ in range(rank * inputs)]).reshape(rank, inputs)


# names within a layer: q, k, v, out of attention, up, down; then the norms after attention and after the layer
BERT = ('encoder.layer.%d.', ('attention.self.query', 'attention.self.key', 'attention.self.value', 'attention.output.dense', 'intermediate.dense',
                              'output.dense'), ('attention.output.LayerNorm', 'output.LayerNorm'))
DISTILBERT = ('transformer.layer.%d.', ('attention.q_lin', 'attention.k_lin', 'attention.v_lin', 'attention.out_lin', 'ffn.lin1', 'ffn.lin2'),
              ('sa_layer_norm', 'output_layer_norm'))
ACTIVATIONS = {
    'gelu': (O.gelu_erf, O.gelu_erf_back), 'gelu_new': (O.gelu_tanh, O.gelu_tanh_back), 'relu': (O.relu, O.relu_back), 'silu': (O.silu, O.silu_back),
}


class Model:
    """A classifier with an adapter on some sites, or with all of it trained (no lora)."""
    def __init__(self, tensors, sites, tables, width, labels, lora, format):
        self.tensors, self.sites, self.lora, self.width = tensors, sites, lora, width
        format = 'f32' if format == 'stored' or not lora else format
        self.weights = {site: O.weight(tensors[site + '.weight'], format) for site in sites} if lora else None
        self.parameters, self.tables = {}, {}
        self.pairs = [site for site in sites if lora and any(site == word or site.endswith('.' + word) for word in lora['sites'])]
        for site in self.pairs:
            N, K = tensors[site + '.weight'].shape
            self.parameters[site + '.lora_A'] = initial_a(site, lora['rank'], K, lora.get('seed', 0))
            self.parameters[site + '.lora_B'] = np.zeros((lora['rank'], N), F)
        if not lora:
            for name in self.names():
                self.parameters[name] = tensors[name].copy()
        for name in tables:
            w = O.Int8(tensors[name]) if format == 'int8' else O.Float(tensors[name], 'f16' if format == 'f16' else 'f32')
            self.tables[name] = f32(w.w) * w.scale[:, None] if format == 'int8' else w.W
        self.parameters['head.weight'] = np.zeros((labels, width), F)
        self.parameters['head.bias'] = np.zeros(labels, F)

    def table(self, name):
        return self.parameters[name] if name in self.parameters else self.tables[name]

    def value(self, name):
        return self.parameters[name] if name in self.parameters else self.tensors[name]

    def slice(self, rank=None, variant='prefix', factors='both'):
        """Parts of (tensor, from, to), and the rank."""
        head = [('head.weight', 0, len(self.parameters['head.weight'])), ('head.bias', 0, len(self.parameters['head.bias']))]
        if not self.lora:
            return [(name, 0, len(self.parameters[name])) for name in self.names()] + head, None
        rank = rank or self.lora['rank']
        first = rank - 1 if variant == 'row' else 0
        kinds = {'both': 'AB', 'A': 'A', 'B': 'B'}[factors]
        return [('%s.lora_%s' % (site, kind), first, rank) for site in self.pairs for kind in kinds] + head, rank

    def read(self, parts):
        return np.concatenate([self.parameters[name][a:b].ravel() for name, a, b in parts])

    def write(self, parts, values):
        at = 0
        for name, a, b in parts:
            part = self.parameters[name][a:b]
            part[:] = values[at:at + part.size].reshape(part.shape)
            at += part.size

    def pass_of(self, parts, rank, dropout=None):
        return self.run(self, {name: (a, b) for name, a, b in parts}, rank, dropout)


def both(name):
    return name + '.weight', name + '.bias'


class Bert(Model):
    """BERT, RoBERTa or DistilBERT of a folder."""
    def __init__(self, folder, labels, lora=None, format='stored', pooling='mean'):
        with open(folder + '/config.json') as file:
            c = json.load(file)
        distil = c['model_type'] == 'distilbert'
        prefix, self.inner, self.norms = DISTILBERT if distil else BERT
        self.layers = [prefix % i for i in range(c['n_layers' if distil else 'num_hidden_layers'])]
        self.H, self.eps = c['n_heads' if distil else 'num_attention_heads'], 1e-12 if distil else c.get('layer_norm_eps', 1e-12)
        self.activation = ACTIVATIONS[c['activation' if distil else 'hidden_act']]
        self.offset = c.get('pad_token_id', 1) + 1 if c['model_type'] == 'roberta' else 0
        kinds = ('word', 'position') if distil else ('word', 'position', 'token_type')
        self.lookups = ['embeddings.%s_embeddings.weight' % kind for kind in kinds]
        self.pooling, self.run = pooling, BertPass
        super().__init__(read_safetensors(folder + '/model.safetensors'), [layer + site for layer in self.layers for site in self.inner], self.lookups,
                         c['dim' if distil else 'hidden_size'], labels, lora, format)

    def names(self):
        """Every tensor of full fine-tuning, in order, without the head."""
        yield from self.lookups
        yield from both('embeddings.LayerNorm')
        for layer in self.layers:
            for site in self.inner[:4] + self.norms[:1] + self.inner[4:] + self.norms[1:]:
                yield from both(layer + site)


class Pass:
    """One way forward and back."""
    def __init__(self, model, trained, rank, dropout):
        self.model, self.trained, self.rank, self.dropout = model, trained, rank, dropout
        self.streams, self.saved, self.grads = 0, {}, {}

    def scale_of(self):
        lora = self.model.lora
        return f32(lora['alpha'] / (math.sqrt(self.rank) if lora.get('scaling') == 'alpha/sqrt(r)' else self.rank))

    def gradient(self, name, values):
        self.grads[name] = values

    def drop(self, name, x):
        if not self.dropout:
            return x
        self.saved[name] = self.streams
        self.streams += 1
        return self.dropped(name, x)

    def dropped(self, name, x):
        return O.dropout(x, self.dropout[0], self.dropout[1], self.saved[name]) if self.dropout else x

    def linear(self, site, x):
        m = self.model
        bias = m.value(site + '.bias')
        y = m.weights[site].forward(x, bias) if m.weights else O.product(bias, O.ONE, x, m.value(site + '.weight').T)
        u = None
        if site in m.pairs:
            A, Bt = (m.parameters[site + kind][:self.rank] for kind in ('.lora_A', '.lora_B'))
            u = O.product(None, O.ONE, x, A.T)
            y = O.product(y, self.scale_of(), u, Bt)
        self.saved[site] = x, u
        return y

    def linear_back(self, site, dy, dx):
        m = self.model
        x, u = self.saved[site]
        dx = m.weights[site].back(dy, dx) if m.weights else O.product(dx, O.ONE, dy, m.value(site + '.weight'))
        if site in m.pairs:
            A, Bt = (m.parameters[site + kind][:self.rank] for kind in ('.lora_A', '.lora_B'))
            rows = lambda kind, left, right: self.gradient(site + kind, O.product(None, self.scale_of(), left[:, slice(*self.trained[site + kind])].T, right))
            if site + '.lora_B' in self.trained:
                rows('.lora_B', u, dy)
            t = O.product(None, O.ONE, dy, Bt.T)
            if site + '.lora_A' in self.trained:
                rows('.lora_A', t, x)
            dx = O.product(dx, self.scale_of(), t, A)
        if site + '.weight' in self.trained:
            self.gradient(site + '.weight', O.product(None, O.ONE, dy.T, x))
            self.gradient(site + '.bias', O.column_sums(dy))
        return dx

    def norm(self, name, x):
        y, self.saved[name] = O.layer_norm(x, self.model.value(name + '.weight'), self.model.value(name + '.bias'), self.model.eps)
        return y

    def norm_back(self, name, dy):
        dx, dweight, dbias = O.layer_norm_back(dy, self.model.value(name + '.weight'), self.saved[name])
        if name + '.weight' in self.trained:
            self.gradient(name + '.weight', dweight)
            self.gradient(name + '.bias', dbias)
        return dx

    def attention(self, name, q, k, v):
        scale = f32(1 / math.sqrt(q.shape[1] / self.model.H))
        self.saved[name] = q, k, v, self.offsets, self.model.H, scale
        return O.attention(*self.saved[name])

    def pack(self, sequences):
        self.offsets = [0]
        for sequence in sequences:
            self.offsets.append(self.offsets[-1] + len(sequence))
        self.ids = [id for sequence in sequences for id in sequence]
        self.positions = [i for sequence in sequences for i in range(len(sequence))]

    def forward(self, sequences):
        self.pack(sequences)
        self.pooled = self.embed()
        return O.product(self.model.parameters['head.bias'], O.ONE, self.pooled, self.model.parameters['head.weight'].T)

    def back(self, dlogits):
        self.gradient('head.weight', O.product(None, O.ONE, dlogits.T, self.pooled))
        self.gradient('head.bias', O.column_sums(dlogits))
        self.embed_back(O.product(None, O.ONE, dlogits, self.model.parameters['head.weight']))


class BertPass(Pass):
    def embed(self):
        m = self.model
        kinds = [self.ids, [i + m.offset for i in self.positions], [0] * len(self.ids)]
        self.lookups = list(zip(m.lookups, kinds))
        x = O.embedding([(ids, m.table(name)) for name, ids in self.lookups])
        x = self.drop('embeddings', self.norm('embeddings.LayerNorm', x))
        for layer in m.layers:
            q, k, v, out, up, down = (layer + site for site in m.inner)
            a = self.attention(layer, *(self.linear(site, x) for site in (q, k, v)))
            a = self.drop(layer + 'a', self.linear(out, a))
            h = self.norm(layer + m.norms[0], a + x)
            inner = self.saved[layer + 'inner'] = self.linear(up, h)
            f = self.drop(layer + 'f', self.linear(down, m.activation[0](inner)))
            x = self.norm(layer + m.norms[1], f + h)
        return O.mean_pool(x, self.offsets) if m.pooling == 'mean' else O.cls_pool(x, self.offsets)

    def embed_back(self, g):
        m = self.model
        g = O.mean_pool_back(g, self.offsets) if m.pooling == 'mean' else O.cls_pool_back(g, self.offsets)
        for layer in reversed(m.layers):
            q, k, v, out, up, down = (layer + site for site in m.inner)
            df = dh = self.norm_back(layer + m.norms[1], g)
            di = self.linear_back(down, self.dropped(layer + 'f', df), None)
            di = m.activation[1](self.saved[layer + 'inner'], di)
            dh = self.linear_back(up, di, dh)
            da = dx = self.norm_back(layer + m.norms[0], dh)
            dout = self.linear_back(out, self.dropped(layer + 'a', da), None)
            dq, dk, dv = O.attention_back(dout, *self.saved[layer])
            for site, dy in ((v, dv), (k, dk), (q, dq)):
                dx = self.linear_back(site, dy, dx)
            g = dx
        if not m.lora:
            g = self.norm_back('embeddings.LayerNorm', self.dropped('embeddings', g))
            for name, ids in self.lookups:
                self.gradient(name, O.embedding_back(g, ids, len(m.parameters[name])))


class Sgd:
    def __init__(self, learningRate, momentum=0, weightDecay=0):
        self.settings, self.state = (learningRate, momentum, weightDecay), {}

    def step(self, parameters, name, a, b, g):
        v = self.state.setdefault(name, np.zeros_like(parameters[name]))
        parameters[name][a:b], v[a:b] = O.sgd(parameters[name][a:b], v[a:b], g, *self.settings)


class AdamW:
    def __init__(self, learningRate, beta1=0.9, beta2=0.999, eps=1e-8, weightDecay=0.01):
        self.settings, self.state = (learningRate, beta1, beta2, eps, weightDecay), {}

    def step(self, parameters, name, a, b, g):
        p = parameters[name]
        m, v, counts = self.state.setdefault(name, (np.zeros_like(p), np.zeros_like(p), [0] * len(p)))
        for i in range(a, b):
            counts[i] += 1
            p[i:i + 1], m[i:i + 1], v[i:i + 1] = O.adamw(p[i:i + 1], m[i:i + 1], v[i:i + 1], g[i - a:i - a + 1], *self.settings, counts[i])


def step(model, parts, rank, optimizer, sequences, targets, maximum=None, dropout=None):
    """One step; losses and the norm of the gradient."""
    run = model.pass_of(parts, rank, dropout)
    losses, probabilities = O.cross_entropy(run.forward(sequences), np.array(targets))
    run.back(O.cross_entropy_back(probabilities, np.array(targets), f32(1 / len(targets))))
    grads = {}
    squares = 0.0
    for name, a, b in parts:
        # pairs give the rows that train, all others every row
        grads[name] = run.grads[name] if '.lora_' in name else run.grads[name][a:b]
        squares = squares + O.sum_squares(grads[name])
    norm = math.sqrt(squares)
    for name, a, b in parts:
        if maximum is not None and norm > maximum:
            grads[name] = grads[name] * f32(maximum / norm)
        optimizer.step(model.parameters, name, a, b, grads[name])
    return losses, norm
