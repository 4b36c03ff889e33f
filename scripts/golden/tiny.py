"""Writes the small random models of test/fixtures and their goldens: python scripts/golden/tiny.py

tiny-bert, tiny-bert-f16, tiny-bert-bf16, tiny-distilbert, tiny-roberta and the PEFT adapters beside them.
test/fixtures/README.md lists what is inside.
"""

import copy
import json
import shutil

import numpy as np
import torch
from peft import LoraConfig, get_peft_model
from safetensors.torch import save_file
from transformers import (BertConfig, BertModel, DistilBertConfig, DistilBertModel, PreTrainedTokenizerFast,
                          RobertaConfig, RobertaModel)

import tokenizers_tiny
from common import (ADAMW, FIXTURES, SGD, STEPS, Classifier, evaluate, is_adapter, normal, pad, randomise, round_f32,
                    store_adapter, ten_steps, versions, write, write_json)
from prefix import limit_rank

LABELS = [0, 2, 1, 1, 0]
LENGTHS = [7, 1, 12, 4, 23]
RANK, ALPHA, PREFIX = 4, 8, 2
NO_DROPOUT = {'hidden_dropout_prob': 0.0, 'attention_probs_dropout_prob': 0.0}


def batch_of(vocabulary, first, last, seed):
    """Sequences of different lengths, one of a single token; tokens repeat within and across sequences."""
    rng = np.random.Generator(np.random.PCG64(seed))
    return [[first] if length == 1 else [first, *rng.integers(5, vocabulary, length - 2).tolist(), last]
            for length in LENGTHS]


def head_of(width, seed):
    rng = np.random.Generator(np.random.PCG64(seed))
    return normal((3, width), 0.15, rng), normal((3,), 0.2, rng)


def with_lora(encoder, targets, seed, rank=RANK, alpha=ALPHA):
    """The encoder under real PEFT, with factors B that are not zero."""
    model = get_peft_model(copy.deepcopy(encoder), LoraConfig(r=rank, lora_alpha=alpha, target_modules=targets,
                                                              lora_dropout=0.0, bias='none'))
    rng = np.random.Generator(np.random.PCG64(seed))
    with torch.no_grad():
        for name, parameter in sorted(model.named_parameters()):
            if 'lora_' in name:
                parameter.copy_(normal(parameter.shape, 0.15, rng))
    return model


def is_everything(name):
    return 'pooler' not in name


def save_model(folder, model, prefix='', dtype=torch.float32, extra=None):
    folder.mkdir(parents=True, exist_ok=True)
    tensors = {prefix + name: tensor.to(dtype).contiguous() for name, tensor in model.state_dict().items()}
    tensors.update(extra or {})
    save_file(tensors, folder / 'model.safetensors', metadata={'format': 'pt'})
    config = {**model.config.to_diff_dict(), 'architectures': [type(model).__name__],
              'torch_dtype': str(dtype).removeprefix('torch.')}
    write_json(folder / 'config.json', dict(sorted(config.items())))


def save_tokenizer(folder, tokenizer, **special):
    PreTrainedTokenizerFast(tokenizer_object=tokenizer, model_max_length=64, **special).save_pretrained(folder)


def description(sequences, tokenizer, **more):
    return {'generator': 'scripts/golden/tiny.py', 'versions': versions(), 'sequences': sequences,
            'lengths': LENGTHS, 'labels': LABELS, 'pooling': 'mean', 'stepCount': STEPS, 'sgd': SGD, 'adamw': ADAMW,
            'lora': {'rank': RANK, 'alpha': ALPHA, 'prefix': PREFIX}, 'tokenizer': tokenizers_tiny.expected(tokenizer),
            **more}


def variant(folder, encoder, sequences, pad_id, targets, tokenizer, seed):
    """Hidden states, logits and LoRA gradients of an architecture, without optimiser steps."""
    head = head_of(encoder.config.hidden_size, seed + 1)
    batch = (*pad(sequences, pad_id), torch.tensor(LABELS))
    tensors = {'init/head.weight': head[0], 'init/head.bias': head[1]}
    cases = {'base': evaluate(tensors, 'base', Classifier(copy.deepcopy(encoder), *head), batch,
                              lambda name: name.startswith('head.'))}
    if targets:
        adapted = with_lora(encoder, targets, seed + 2)
        store_adapter(tensors, adapted)
        cases['lora'] = evaluate(tensors, 'lora', Classifier(adapted, *head), batch, is_adapter)
    write(folder, tensors, description(sequences, tokenizer, cases=cases))


def bert():
    folder = FIXTURES / 'tiny-bert'
    tokenizer = tokenizers_tiny.wordpiece()
    vocabulary = tokenizer.get_vocab_size()
    encoder = BertModel(BertConfig(vocab_size=vocabulary, hidden_size=48, num_hidden_layers=2, num_attention_heads=4,
                                   intermediate_size=72, max_position_embeddings=64, **NO_DROPOUT)).eval()
    randomise(encoder, 1)
    special = {'cls_token': '[CLS]', 'sep_token': '[SEP]', 'pad_token': '[PAD]', 'unk_token': '[UNK]',
               'mask_token': '[MASK]'}
    save_model(folder, encoder)
    save_tokenizer(folder, tokenizer, **special)

    sequences = batch_of(vocabulary, 2, 3, 2)
    head = head_of(48, 3)
    adapted = with_lora(encoder, ['query', 'value'], 4)
    batch = (*pad(sequences, 0), torch.tensor(LABELS))
    tensors = {'init/head.weight': head[0], 'init/head.bias': head[1]}
    store_adapter(tensors, adapted)

    def base(pooling='mean'):
        return Classifier(copy.deepcopy(encoder), *head, pooling)

    def lora(pooling='mean'):
        return Classifier(copy.deepcopy(adapted), *head, pooling)

    def prefix():
        return limit_rank(lora(), PREFIX, ALPHA)

    cases = {
        'base': evaluate(tensors, 'base', base(), batch, lambda name: name.startswith('head.')),
        'cls': evaluate(tensors, 'cls', lora('cls'), batch, is_adapter),
        'lora': evaluate(tensors, 'lora', lora(), batch, is_adapter),
        'prefix': evaluate(tensors, 'prefix', prefix(), batch, is_adapter),
        'full': evaluate(tensors, 'full', base(), batch, is_everything),
    }
    cases['lora']['steps'] = ten_steps(tensors, 'lora', lora, batch, is_adapter)
    cases['prefix']['steps'] = ten_steps(tensors, 'prefix', prefix, batch, is_adapter)
    cases['full']['steps'] = ten_steps(tensors, 'full', base, batch, is_everything)
    write(folder, tensors, description(sequences, tokenizer, cases=cases))

    adapter(FIXTURES / 'tiny-bert-peft', adapted, head, batch)
    everywhere = ['query', 'key', 'value', 'attention.output.dense', 'intermediate.dense', 'output.dense']
    adapter(FIXTURES / 'tiny-bert-peft-all', with_lora(encoder, everywhere, 5, rank=3, alpha=12), head, batch)

    for name, dtype in (('f16', torch.float16), ('bf16', torch.bfloat16)):
        rounded = copy.deepcopy(encoder).to(dtype)
        place = FIXTURES / f'tiny-bert-{name}'
        save_model(place, rounded, dtype=dtype)
        save_tokenizer(place, tokenizer, **special)
        variant(place, rounded.float(), sequences, 0, None, tokenizer, 2)


def adapter(folder, model, head, batch):
    """A real PEFT folder, with Sotto's linear head in head.safetensors beside it, and what they give."""
    model.create_or_update_model_card = lambda _: None
    model.save_pretrained(str(folder))
    config = json.loads((folder / 'adapter_config.json').read_text())
    config['base_model_name_or_path'] = 'tiny-bert'
    # PEFT keeps the modules as a set: sorted, so that the file is the same at every run.
    config['target_modules'] = sorted(config['target_modules'])
    write_json(folder / 'adapter_config.json', config)
    save_file(round_f32({'head.weight': head[0], 'head.bias': head[1]}), folder / 'head.safetensors')
    with torch.no_grad():
        hidden, logits = Classifier(copy.deepcopy(model), *head).double()(*batch[:2])
        _, merged = Classifier(copy.deepcopy(model).double().merge_and_unload(), *head).double()(*batch[:2])
    assert (logits - merged).abs().max() < 1e-12
    write(folder, {'hidden': hidden, 'logits': logits},
          {'generator': 'scripts/golden/tiny.py', 'versions': versions(), 'model': 'tiny-bert'})


def distilbert():
    folder = FIXTURES / 'tiny-distilbert'
    tokenizer = tokenizers_tiny.wordpiece()
    vocabulary = tokenizer.get_vocab_size()
    encoder = DistilBertModel(DistilBertConfig(vocab_size=vocabulary, dim=32, n_layers=2, n_heads=4, hidden_dim=64,
                                               max_position_embeddings=64, dropout=0.0, attention_dropout=0.0)).eval()
    randomise(encoder, 11)
    # Hub files of DistilBERT carry the prefix of the class they were saved from, and its other head.
    rng = np.random.Generator(np.random.PCG64(12))
    save_model(folder, encoder, 'distilbert.', extra={'vocab_layer_norm.bias': normal((32,), 0.1, rng)})
    save_tokenizer(folder, tokenizer, cls_token='[CLS]', sep_token='[SEP]', pad_token='[PAD]', unk_token='[UNK]',
                   mask_token='[MASK]')
    variant(folder, encoder, batch_of(vocabulary, 2, 3, 13), 0, ['q_lin', 'v_lin'], tokenizer, 14)


def roberta():
    folder = FIXTURES / 'tiny-roberta'
    tokenizer = tokenizers_tiny.byte_bpe()
    vocabulary = tokenizer.get_vocab_size()
    # Positions start after pad_token_id, hence the two more rows that every RoBERTa has.
    encoder = RobertaModel(RobertaConfig(vocab_size=vocabulary, hidden_size=32, num_hidden_layers=2,
                                         num_attention_heads=4, intermediate_size=64, max_position_embeddings=66,
                                         type_vocab_size=1, layer_norm_eps=1e-5, **NO_DROPOUT)).eval()
    randomise(encoder, 21)
    rng = np.random.Generator(np.random.PCG64(22))
    save_model(folder, encoder, 'roberta.', extra={'lm_head.bias': normal((vocabulary,), 0.1, rng)})
    save_tokenizer(folder, tokenizer, cls_token='<s>', sep_token='</s>', bos_token='<s>', eos_token='</s>',
                   pad_token='<pad>', unk_token='<unk>', mask_token='<mask>')
    variant(folder, encoder, batch_of(vocabulary, 0, 2, 23), 1, ['query', 'value'], tokenizer, 24)


if __name__ == '__main__':
    for old in FIXTURES.glob('tiny-*'):
        shutil.rmtree(old)
    bert()
    distilbert()
    roberta()
    print(sum(path.stat().st_size for path in FIXTURES.glob('tiny-*/*')), 'bytes')
