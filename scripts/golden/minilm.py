"""Writes test/fixtures/minilm, goldens of the real all-MiniLM-L6-v2: python scripts/golden/minilm.py

The factors and the head are not stored: each comes from a small generator (`seeded` below) that a test repeats.
"""

import copy
import hashlib
import importlib

import numpy as np
import torch
from peft import LoraConfig, get_peft_model
from tokenizers import Tokenizer
from transformers import BertModel

from common import (ADAMW, FIXTURES, SGD, STEPS, Classifier, evaluate, is_adapter, pad, stored_name, ten_steps,
                    versions, write)

RANK, ALPHA, MAX_TOKENS = 8, 16, 128
LABELS = [1, 0, 0, 1, 0, 1, 0, 1]
SENTENCES = [
    'CONGRATULATIONS!!! You have been selected to receive $1,000,000. Click http://example.com/win now.',
    'The meeting has moved to Thursday at 10:30; the agenda is attached.',
    'Do you still have the patch for the scheduler that Jos\u00e9 posted last week?',
    'Lose 20 pounds in 30 days -- guaranteed or your money back',
    '',
    'free',
    'A man is playing a guitar. ' * 30,
    'Re: [ILUG] \u00dcber-cheap \u4f60\u597d caf\u00e9 na\u00efvet\u00e9 \u2014 \u201cunsubscribe\u201d',
]


def seeded(shape, seed, scale):
    """Uniform in [-scale, scale), exact in f32 as scale is a power of two: a 32-bit linear congruential generator."""
    state, values = seed, []
    for _ in range(int(np.prod(shape))):
        state = (state * 1664525 + 1013904223) & 0xffffffff
        values.append((state >> 8) / 2 ** 23 - 1)
    return torch.tensor(values, dtype=torch.float64).mul(scale).to(torch.float32).reshape(shape)


def adapt(encoder):
    model = get_peft_model(encoder, LoraConfig(r=RANK, lora_alpha=ALPHA, target_modules=['query', 'value'],
                                               lora_dropout=0.0, bias='none'))
    recipe = []
    with torch.no_grad():
        for name, parameter in sorted(model.named_parameters()):
            if 'lora_' in name:
                entry = {'name': stored_name(name), 'shape': list(parameter.shape), 'seed': len(recipe) + 1,
                         'scale': 2 ** -4 if 'lora_A' in name else 2 ** -5}
                parameter.copy_(seeded(parameter.shape, entry['seed'], entry['scale']))
                recipe.append(entry)
    return model, recipe


def main():
    folder = importlib.import_module('find-minilm').find_minilm()
    tokenizer = Tokenizer.from_file(str(folder / 'tokenizer.json'))
    tokenizer.no_padding()
    tokenizer.enable_truncation(MAX_TOKENS)
    sequences = [tokenizer.encode(sentence).ids for sentence in SENTENCES]

    encoder = BertModel.from_pretrained(folder, attn_implementation='eager', hidden_dropout_prob=0.0,
                                        attention_probs_dropout_prob=0.0).eval()
    adapted, recipe = adapt(copy.deepcopy(encoder))
    recipe += [{'name': 'head.weight', 'shape': [2, 384], 'seed': 101, 'scale': 2 ** -1},
               {'name': 'head.bias', 'shape': [2], 'seed': 102, 'scale': 2 ** -3}]
    head = [seeded(entry['shape'], entry['seed'], entry['scale']) for entry in recipe[-2:]]
    batch = (*pad(sequences, 0), torch.tensor(LABELS))

    tensors, cases = {}, {}
    cases['base'] = evaluate(tensors, 'base', Classifier(encoder, *head), batch,
                             lambda name: name.startswith('head.'))
    cases['lora'] = evaluate(tensors, 'lora', Classifier(copy.deepcopy(adapted), *head), batch, is_adapter)
    final = {}
    cases['lora']['steps'] = ten_steps(final, 'lora', lambda: Classifier(copy.deepcopy(adapted), *head), batch,
                                       is_adapter)

    lengths = [len(sequence) for sequence in sequences]
    ends = np.cumsum(lengths)
    edges = [position for length, end in zip(lengths, ends) for position in (end - length, end - 1)]
    for case in ('base', 'lora'):
        hidden = tensors.pop(f'{case}/hidden')
        tensors[f'{case}/hiddenEdges'] = hidden[edges]
        cases[case]['hiddenSums'] = [part.sum().item() for part in hidden.split(lengths)]
        cases[case]['hiddenNorms'] = [part.norm().item() for part in hidden.split(lengths)]
    # All trained tensors would be 0.6 MB: kept are the first rank of each pair, all of the head, and all norms.
    for name, tensor in final.items():
        tensors[name] = tensor[0] if 'lora_A' in name else tensor[:, 0] if 'lora_B' in name else tensor
    write(FIXTURES / 'minilm', tensors, {
        'generator': 'scripts/golden/minilm.py', 'versions': versions(),
        'modelSha256': hashlib.sha256((folder / 'model.safetensors').read_bytes()).hexdigest(),
        'sentences': SENTENCES, 'maxTokens': MAX_TOKENS, 'sequences': sequences, 'labels': LABELS, 'pooling': 'mean',
        'stepCount': STEPS, 'sgd': SGD, 'adamw': ADAMW, 'lora': {'rank': RANK, 'alpha': ALPHA}, 'init': recipe,
        'cases': cases, 'finalNorms': {name: tensor.norm().item() for name, tensor in final.items()}})


if __name__ == '__main__':
    main()
