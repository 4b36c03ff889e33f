"""One LoRA training step of a BERT encoder in PyTorch, as its users write it: transformers, PEFT, a padded batch.

    python bench/peers/torch_step.py INPUTS [--batch FILE.json] [--steps 7] [--warmup 2] [--threads 1]

INPUTS is a folder written by inputs.mjs. FILE.json has {"sequences": lists of token ids, "labels": [...]}, by default
INPUTS/batch.json; it is padded to its longest sequence with an attention mask.

A step is: forward, mean of the real tokens, linear head, cross-entropy, backward to factors and head, AdamW. Prints one
JSON object; loss and grad_norm are those of the first step, so that peers can be compared before they are timed.

PyTorch chooses the widest vectors of the CPU. To see it with 256-bit ones, set ATEN_CPU_CAPABILITY=avx2,
ONEDNN_MAX_CPU_ISA=AVX2, DNNL_MAX_CPU_ISA=AVX2, MKL_ENABLE_INSTRUCTIONS=AVX2 and OPENBLAS_CORETYPE=Haswell.
"""

import argparse
import json
import os
import platform
import re
import resource
import statistics
import sys
import time
from pathlib import Path


def peak_mb():
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (2 ** 20 if sys.platform == 'darwin' else 2 ** 10)


def arguments():
    parser = argparse.ArgumentParser()
    parser.add_argument('inputs', type=Path)
    parser.add_argument('--batch', type=Path)
    parser.add_argument('--steps', type=int, default=7)
    parser.add_argument('--warmup', type=int, default=2)
    parser.add_argument('--threads', type=int, default=1)
    parser.add_argument('--on-demand', action='store_true', help='a step for each line of the standard input')
    return parser.parse_args()


options = arguments()
os.environ.setdefault('OMP_NUM_THREADS', str(options.threads))
os.environ.setdefault('OPENBLAS_NUM_THREADS', str(options.threads))

import peft  # noqa: E402
import torch  # noqa: E402
import transformers  # noqa: E402
from safetensors.torch import load_file  # noqa: E402

RANK, ALPHA = 8, 16


def capability():
    if hasattr(torch.backends, 'cpu') and hasattr(torch.backends.cpu, 'get_cpu_capability'):
        return torch.backends.cpu.get_cpu_capability()
    return re.search(r'CPU capability usage: (\S+)', torch.__config__.show()).group(1)


def build():
    encoder = transformers.BertModel.from_pretrained(options.inputs, add_pooling_layer=False,
                                                     hidden_dropout_prob=0.0, attention_probs_dropout_prob=0.0)
    config = peft.LoraConfig(r=RANK, lora_alpha=ALPHA, target_modules=['query', 'value'], lora_dropout=0.0)
    model = peft.get_peft_model(encoder, config)
    stored = load_file(options.inputs / 'adapter.safetensors')
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if 'lora_' in name:
                parameter.copy_(stored[name.replace('.default.', '.')])
    head = torch.nn.Linear(stored['head.weight'].shape[1], stored['head.weight'].shape[0])
    head.load_state_dict({'weight': stored['head.weight'], 'bias': stored['head.bias']})
    return model.train(), head


def padded():
    batch = json.loads((options.batch or options.inputs / 'batch.json').read_text())
    sequences = batch['sequences']
    longest = max(map(len, sequences))
    ids = torch.zeros((len(sequences), longest), dtype=torch.long)
    mask = torch.zeros((len(sequences), longest), dtype=torch.long)
    for row, sequence in enumerate(sequences):
        ids[row, :len(sequence)] = torch.tensor(sequence)
        mask[row, :len(sequence)] = 1
    return ids, mask, torch.tensor(batch['labels'])


def asked():
    """Numbers of steps, one for each line that comes, until "end"."""
    print(json.dumps({'ready': True}), flush=True)
    for step, line in enumerate(iter(sys.stdin.readline, '')):
        if line.strip() == 'end':
            return
        yield step


def main():
    torch.set_num_threads(options.threads)
    imported_mb = peak_mb()
    model, head = build()
    ids, mask, labels = padded()
    parameters = [parameter for module in (model, head) for parameter in module.parameters() if parameter.requires_grad]
    optimiser = torch.optim.AdamW(parameters, lr=1e-3)
    times, cpu_times, loss_of_first, norm_of_first = [], [], None, None
    for step in asked() if options.on_demand else range(options.warmup + options.steps):
        start, cpu = time.perf_counter(), time.process_time()
        optimiser.zero_grad()
        hidden = model(input_ids=ids, attention_mask=mask).last_hidden_state
        weight = mask.unsqueeze(-1).to(hidden.dtype)
        logits = head((hidden * weight).sum(1) / weight.sum(1))
        loss = torch.nn.functional.cross_entropy(logits, labels)
        loss.backward()
        if step == 0:
            loss_of_first = loss.item()
            norm_of_first = torch.sqrt(sum((parameter.grad.double() ** 2).sum() for parameter in parameters)).item()
        optimiser.step()
        loss.item()
        wall_ms, cpu_ms = (time.perf_counter() - start) * 1000, (time.process_time() - cpu) * 1000
        if step >= options.warmup:
            times.append(wall_ms)
            cpu_times.append(cpu_ms)
        if options.on_demand:
            print(json.dumps({'ms': wall_ms, 'cpu_ms': cpu_ms}), flush=True)
    print(json.dumps({
        'peer': 'PyTorch', 'median_ms': statistics.median(times), 'min_ms': min(times),
        'cpu_median_ms': statistics.median(cpu_times), 'times_ms': times,
        'peak_rss_mb': peak_mb(), 'imported_rss_mb': imported_mb, 'loss': loss_of_first, 'grad_norm': norm_of_first,
        'tokens': int(mask.sum()), 'padded_tokens': mask.numel(), 'threads': torch.get_num_threads(),
        'version': torch.__version__, 'isa': capability(),
        'versions': {'python': platform.python_version(), 'torch': torch.__version__,
                     'transformers': transformers.__version__, 'peft': peft.__version__}}))


if __name__ == '__main__':
    main()
