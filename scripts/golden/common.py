"""What every generator of golden data shares: seeded weights, the text classifier, cases, and how results are stored.

All goldens are computed by PyTorch in double precision from weights that are exact in their stored type, and rounded
once to f32 when stored. So a golden value carries no rounding error of its own, and a test's tolerance speaks of Sotto
alone. `f32Deviation` in golden.json says how far PyTorch's own f32 run of the same case is from these values.
"""

import json
import platform
from pathlib import Path

import numpy as np
import peft
import tokenizers
import torch
import transformers
from safetensors.torch import save_file

FIXTURES = Path(__file__).resolve().parents[2] / 'test' / 'fixtures'
SGD = {'lr': 0.05, 'momentum': 0.9}
ADAMW = {'lr': 1e-3, 'betas': [0.9, 0.999], 'eps': 1e-8, 'weight_decay': 0.01}
STEPS = 10

torch.set_num_threads(1)


def versions():
    modules = (torch, transformers, peft, tokenizers, np)
    return {'python': platform.python_version(), **{module.__name__: module.__version__ for module in modules}}


def normal(shape, std, rng):
    """Values exact in f32, from numpy's PCG64 so that no PyTorch version changes them."""
    return torch.from_numpy((rng.standard_normal(tuple(shape)) * std).astype(np.float32))


def randomise(model, seed):
    """Weights large enough that every term of the network matters; layer norms are neither 1 nor 0."""
    rng = np.random.Generator(np.random.PCG64(seed))
    with torch.no_grad():
        for name, parameter in sorted(model.named_parameters()):
            if 'LayerNorm.weight' in name or 'layer_norm.weight' in name:
                parameter.copy_(1 + normal(parameter.shape, 0.2, rng))
            elif parameter.dim() == 1:
                parameter.copy_(normal(parameter.shape, 0.1, rng))
            elif 'embeddings' in name:
                parameter.copy_(normal(parameter.shape, 0.5, rng))
            else:
                parameter.copy_(normal(parameter.shape, 0.8 / parameter.shape[1] ** 0.5, rng))


def pad(sequences, pad_id):
    """A padded batch and its attention mask, as users of transformers make them."""
    longest = max(len(sequence) for sequence in sequences)
    ids = torch.full((len(sequences), longest), pad_id, dtype=torch.long)
    mask = torch.zeros((len(sequences), longest), dtype=torch.long)
    for row, sequence in enumerate(sequences):
        ids[row, :len(sequence)] = torch.tensor(sequence)
        mask[row, :len(sequence)] = 1
    return ids, mask


class Classifier(torch.nn.Module):
    """Encoder, mean of the real tokens (or the first token), linear head."""

    def __init__(self, encoder, head_weight, head_bias, pooling='mean'):
        super().__init__()
        self.encoder = encoder
        self.head = torch.nn.Linear(head_weight.shape[1], head_weight.shape[0])
        with torch.no_grad():
            self.head.weight.copy_(head_weight)
            self.head.bias.copy_(head_bias)
        self.pooling = pooling

    def forward(self, ids, mask):
        hidden = self.encoder(input_ids=ids, attention_mask=mask).last_hidden_state
        if self.pooling == 'cls':
            pooled = hidden[:, 0]
        else:
            weight = mask.unsqueeze(-1).to(hidden.dtype)
            pooled = (hidden * weight).sum(1) / weight.sum(1)
        return hidden[mask.bool()], self.head(pooled)


def run(model, ids, mask, labels):
    """A forward and a backward pass. Returns hidden states of the real tokens, logits, loss; gradients are in .grad."""
    model.zero_grad(set_to_none=True)
    hidden, logits = model(ids, mask)
    loss = torch.nn.functional.cross_entropy(logits, labels)
    loss.backward()
    return hidden.detach(), logits.detach(), loss.item()


def optimise(model, parameters, kind, batch, steps=STEPS):
    """Losses before each of the steps and after the last one: steps + 1 numbers."""
    values = list(parameters.values())
    if kind == 'sgd':
        optimiser = torch.optim.SGD(values, **SGD)
    else:
        optimiser = torch.optim.AdamW(values, **ADAMW)
    losses = []
    for _ in range(steps):
        losses.append(run(model, *batch)[2])
        optimiser.step()
    losses.append(run(model, *batch)[2])
    return losses


def trained(model, trainable):
    """The trained tensors by the names under which they are stored: PEFT's for the adapter, head.* for the head.

    Freezes all others. `trainable` is a predicate on the name.
    """
    named = {}
    for name, parameter in model.named_parameters():
        stored = stored_name(name)
        parameter.requires_grad_(trainable(stored))
        if parameter.requires_grad:
            named[stored] = parameter
    return named


def stored_name(name):
    return name.removeprefix('encoder.').replace('.default.', '.')


def worst(f64, f32):
    """Largest difference between the runs over all tensors, relative to the largest value in any of them.

    Not relative to each tensor: the gradient of a key bias is zero in exact arithmetic, so rounding is all it has.
    """
    scale = max(tensor.detach().abs().max().item() for tensor in f64.values())
    return max((tensor.detach() - f32[name].detach()).abs().max().item() for name, tensor in f64.items()) / scale


def is_adapter(name):
    return 'lora_' in name or name.startswith('head.')


def store_adapter(tensors, model):
    for name, parameter in model.named_parameters():
        if 'lora_' in name:
            tensors[f'init/{stored_name(name)}'] = parameter.detach().clone()


def evaluate(tensors, prefix, model, batch, trainable):
    """Stores hidden, logits and gradients of one case; returns loss and how far PyTorch's f32 run is from them."""
    named = trained(model, trainable)
    hidden, logits, loss = run(model.double(), *batch)
    found = {'hidden': hidden, 'logits': logits}
    found.update({f'grad/{name}': parameter.grad.clone() for name, parameter in named.items()})
    hidden32, logits32, loss32 = run(model.float(), *batch)
    found32 = {'hidden': hidden32, 'logits': logits32}
    found32.update({f'grad/{name}': parameter.grad for name, parameter in named.items()})
    tensors.update({f'{prefix}/{name}': tensor for name, tensor in found.items()})
    return {'loss': loss, 'f32Deviation': {
        'loss': abs(loss32 - loss),
        **{key: worst({name: tensor for name, tensor in found.items() if key in name}, found32)
           for key in ('hidden', 'logits', 'grad')}}}


def ten_steps(tensors, prefix, make, batch, trainable):
    result = {}
    for kind in ('sgd', 'adamw'):
        model, model32 = make().double(), make()
        named, named32 = trained(model, trainable), trained(model32, trainable)
        losses, losses32 = (optimise(*each, kind, batch) for each in ((model, named), (model32, named32)))
        result[kind] = {'losses': losses, 'f32Deviation': {
            'losses': max(abs(a - b) for a, b in zip(losses, losses32)), 'final': worst(named, named32)}}
        tensors.update({f'{prefix}/{kind}/{name}': parameter for name, parameter in named.items()})
    return result


def round_f32(tensors):
    return {name: tensor.detach().to(torch.float32).contiguous().clone() for name, tensor in tensors.items()}


def write(folder, tensors, description):
    folder.mkdir(parents=True, exist_ok=True)
    save_file(round_f32(tensors), folder / 'golden.safetensors')
    write_json(folder / 'golden.json', description)


def write_json(path, value):
    path.write_text(json.dumps(value, indent=1, ensure_ascii=False) + '\n')
