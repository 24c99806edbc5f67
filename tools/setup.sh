#!/usr/bin/env bash
# Make the environment that asdkit runs in: a .venv at the root of the tree,
# unless a virtual environment is active, and every package that setup.py names,
# in the versions of tools/constraints/, which were tested together.
#
#   tools/setup.sh          the packages
#   tools/setup.sh --spoof  and the attacks of egs/spoof762 that are packages of Python
#                           (pyworld, piper); names the programs that others need
#   tools/setup.sh --test   and what the tests need (ruff, mypy, shellcheck, shfmt)
#   tools/setup.sh --runtime  only what users of a bundle need: verify, detect, enroll,
#                           identify; numpy, ONNX Runtime and soundfile, no torch
#   tools/setup.sh --cpu    PyTorch's CPU wheels instead of 4.6 GB with CUDA, from
#                           download.pytorch.org, where that can be reached
#   tools/setup.sh --k2     and k2, if need be in an environment of its own; see
#                           tools/setup_k2.sh
#
# Safe to repeat: what is there stays, and a second run takes a second.

set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
# shellcheck source=tools/find_python.sh
. tools/find_python.sh
# shellcheck source=tools/disk.sh
. tools/disk.sh

extras=
need_gb=7 # what is installed, and a wheel of 1 GB that is being unpacked
index=()
runtime=
k2=
missing=
for argument; do
  case $argument in
    --test) extras="[test]" ;;
    --runtime)
      runtime=yes
      extras="[runtime]"
      need_gb=1
      ;;
    --spoof)
      extras="[spoof,tts]"
      for program in espeak-ng flite text2wave; do
        command -v $program >/dev/null || missing+=" $program"
      done
      ;;
    --cpu)
      index=(--extra-index-url https://download.pytorch.org/whl/cpu)
      need_gb=3
      ;;
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

if [[ -z ${VIRTUAL_ENV:-} ]]; then
  python=$(find_python 3.11 3.12 3.13 3.10) || python=python3
  "$python" -c 'import sys; assert sys.version_info >= (3, 10)' 2>/dev/null || {
    echo "setup.sh: Python 3.10 or newer is needed; found $(python3 -V 2>&1)" >&2
    exit 1
  }
  [[ -x .venv/bin/python ]] || "$python" -m venv .venv
  # shellcheck source=/dev/null
  . .venv/bin/activate
fi

version=$(python -c 'import sys; print("{}.{}".format(*sys.version_info))')
constraints=tools/constraints/py$version.txt
if [[ ! -f $constraints ]]; then
  echo "setup.sh: no versions were tested with Python $version; taking the newest" >&2
  constraints=/dev/null
fi

# What was installed, from which files: so that a second run has nothing to do.
stamp=$VIRTUAL_ENV/.asdkit${extras//[][]/-}
wanted=$(cat setup.py "$constraints" | cksum)
# Another clone may have used this environment since.
installed=$(python -I -c 'import asdkit; print(asdkit.__file__)' 2>/dev/null) || installed=
if [[ $(cat "$stamp" 2>/dev/null) != "$wanted" || ! $installed -ef asdkit/__init__.py ]]; then
  need_disk setup.sh "$need_gb" "$VIRTUAL_ENV"
  install=(python -m pip install --quiet --disable-pip-version-check
    --constraint "$constraints" "${index[@]}")
  # What builds asdkit has its version, too; pip's own environment for builds would
  # have the newest.
  "${install[@]}" 'setuptools>=70.1'
  if [[ $runtime ]]; then
    # Without dependencies: asdkit's own are torch and others that a bundle does
    # without, and so are some of ONNX Runtime's.  Python compiles what it imports
    # itself; all compiled would be a fifth of the size.
    "${install[@]}" --no-deps --no-compile numpy onnxruntime flatbuffers protobuf packaging \
      soundfile cffi pycparser typing_extensions
    PIP_USE_PEP517=1 "${install[@]}" --no-deps --no-build-isolation --editable .
  else
    # axe-core looks for barriers in pages; what else its package asks for is a browser.
    if [[ $extras == "[test]" ]] && command -v chromium >/dev/null; then
      "${install[@]}" --no-deps axe-playwright-python
    fi
    PIP_USE_PEP517=1 "${install[@]}" --no-build-isolation --editable ".$extras"
    asdkit doctor
  fi
  echo "$wanted" >"$stamp"
fi

if [[ $missing ]]; then
  echo "setup.sh: without$missing, some attacks cannot be made: apt-get install" \
    "espeak-ng flite festival festvox-kallpc16k festvox-kdlpc16k festvox-us-slt-hts" >&2
fi

if [[ $k2 ]]; then
  tools/setup_k2.sh
fi
