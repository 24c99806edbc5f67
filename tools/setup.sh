#!/usr/bin/env bash
# Make the environment that asdkit runs in: a .venv at the root of the tree,
# unless a virtual environment is active, and every package that setup.py names.
#
#   tools/setup.sh          the packages
#   tools/setup.sh --test   and what the tests need (ruff, mypy, shellcheck, shfmt)
#   tools/setup.sh --cpu    PyTorch's CPU wheels instead of 4.6 GB with CUDA, from
#                           download.pytorch.org, where that can be reached
#   tools/setup.sh --k2     and k2, if need be in an environment of its own; see
#                           tools/setup_k2.sh
#
# Safe to repeat: what is there stays, and a second run takes a second.

set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

extras=
index=()
k2=
for argument; do
  case $argument in
    --test) extras="[test]" ;;
    --cpu) index=(--extra-index-url https://download.pytorch.org/whl/cpu) ;;
    --k2) k2=yes ;;
    --help | -h)
      sed -n '2,/^$/ { s/^# \{0,1\}//p }' "$0"
      exit 0
      ;;
    *)
      echo "setup.sh: unknown option $argument; see --help" >&2
      exit 2
      ;;
  esac
done

python=python3
if [[ -z ${VIRTUAL_ENV:-} ]]; then
  for candidate in python3.11 python3.12 python3.10 python3; do
    if "$candidate" -c 'import sys, venv; assert sys.version_info >= (3, 10)' \
      2>/dev/null; then
      python=$candidate
      break
    fi
  done
  "$python" -c 'import sys; assert sys.version_info >= (3, 10)' 2>/dev/null || {
    echo "setup.sh: Python 3.10 or newer is needed; found $(python3 -V 2>&1)" >&2
    exit 1
  }
  [[ -x .venv/bin/python ]] || "$python" -m venv .venv
  # shellcheck source=/dev/null
  . .venv/bin/activate
fi

# What was installed, from which setup.py: so that a second run has nothing to do.
stamp=$VIRTUAL_ENV/.asdkit${extras//[][]/-}
wanted=$(cksum <setup.py)
if [[ $(cat "$stamp" 2>/dev/null) != "$wanted" ]]; then
  python -m pip install --quiet --disable-pip-version-check \
    "${index[@]}" --editable ".$extras"
  asdkit doctor
  echo "$wanted" >"$stamp"
fi

if [[ $k2 ]]; then
  tools/setup_k2.sh
fi
