"""Loads an adapter with the real PEFT and prints what it gives:

    python scripts/golden/check_peft.py MODEL_DIR ADAPTER_DIR INPUT.json [--pooling mean|cls] [--dtype float32|float64]

INPUT.json is a list of texts (tokenised by the model's own tokenizer.json) or of lists of token ids.
MODEL_DIR and ADAPTER_DIR are folders as transformers and PEFT save them. If ADAPTER_DIR has head.safetensors
(`head.weight` [labels, width], `head.bias` [labels]) the logits of a linear head on the pooled tokens are printed too.

Prints one JSON object: {"versions", "missing", "ids", "hidden": per input [tokens][width], "pooled", "logits"}.
Exit code 1 if PEFT does not find every tensor it expects, or finds one that it does not expect.
"""

import argparse
import json
import sys
from pathlib import Path

import peft
import torch
import transformers
from peft.utils import load_peft_weights, set_peft_model_state_dict
from safetensors.torch import load_file


def encode(inputs, model_dir):
    if all(isinstance(item, str) for item in inputs):
        tokenizer = transformers.PreTrainedTokenizerFast(tokenizer_file=str(Path(model_dir) / 'tokenizer.json'))
        return [tokenizer(text).input_ids for text in inputs]
    return inputs


def load(model_dir, adapter_dir):
    base = transformers.AutoModel.from_pretrained(model_dir)
    config = peft.PeftConfig.from_pretrained(adapter_dir)
    config.inference_mode = True
    model = peft.get_peft_model(base, config)
    found = set_peft_model_state_dict(model, load_peft_weights(adapter_dir, device='cpu'))
    # The base weights are "missing" from an adapter by nature; a missing factor is a fault.
    missing = [name for name in found.missing_keys if 'lora_' in name]
    return model.eval(), missing, list(found.unexpected_keys)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument('model_dir')
    parser.add_argument('adapter_dir')
    parser.add_argument('input')
    parser.add_argument('--pooling', choices=['mean', 'cls'], default='mean')
    parser.add_argument('--dtype', choices=['float32', 'float64'], default='float64')
    options = parser.parse_args()
    torch.set_num_threads(1)

    sequences = encode(json.loads(Path(options.input).read_text()), options.model_dir)
    model, missing, unexpected = load(options.model_dir, options.adapter_dir)
    if missing or unexpected:
        print(f'check_peft: PEFT misses {missing} and does not expect {unexpected}', file=sys.stderr)
        return 1
    dtype = getattr(torch, options.dtype)
    model = model.to(dtype)
    head_path = Path(options.adapter_dir) / 'head.safetensors'
    head = {name: tensor.to(dtype) for name, tensor in load_file(head_path).items()} if head_path.exists() else None

    result = {'versions': {module.__name__: module.__version__ for module in (torch, transformers, peft)},
              'ids': sequences, 'hidden': [], 'pooled': []}
    if head:
        result['logits'] = []
    with torch.no_grad():
        for ids in sequences:
            hidden = model(input_ids=torch.tensor([ids])).last_hidden_state[0]
            pooled = hidden[0] if options.pooling == 'cls' else hidden.mean(0)
            result['hidden'].append(hidden.tolist())
            result['pooled'].append(pooled.tolist())
            if head:
                result['logits'].append((head['head.weight'] @ pooled + head['head.bias']).tolist())
    json.dump(result, sys.stdout)
    return 0


if __name__ == '__main__':
    sys.exit(main())
