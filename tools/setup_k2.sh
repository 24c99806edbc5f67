#!/usr/bin/env bash
# Install k2, or make an environment that has it; `tools/setup.sh --k2` calls this.
#
#   tools/setup_k2.sh                       as follows
#   tools/setup_k2.sh --venv DIR            make the environment, and make it there
#   tools/setup_k2.sh --venv DIR --newest   without tools/constraints/k2.txt
#
# A wheel of k2 fits one version of torch.  The one for the torch that is installed is
# taken from k2's own pages, if they can be reached and have it.  Otherwise .venv-k2 is
# made, 3.6 GB, with the newest k2 that the package index has and the torch that it was
# made for, for the programs that need k2 and no others.  That needs Python 3.10, the
# system's or pyenv's; without, exit status 3.

set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
# shellcheck source=tools/find_python.sh
. tools/find_python.sh
# shellcheck source=tools/disk.sh
. tools/disk.sh

venv=
constraints=tools/constraints/k2.txt
while (($#)); do
  case $1 in
    --venv)
      venv=$2
      shift
      ;;
    --newest) constraints=/dev/null ;;
    *)
      sed -n '2,/^$/ { s/^# \{0,1\}//p }' "$0"
      exit 2
      ;;
  esac
  shift
done

# Print the newest version for this Python and this torch, and the page it is on.
find_k2() {
  python - <<'EOF'
import re
import sys
import urllib.parse
import urllib.request

import torch

kind = "cuda" if torch.version.cuda else "cpu"
page = f"https://k2-fsa.github.io/k2/{kind}.html"
with urllib.request.urlopen(page, timeout=10) as stream:
    text = urllib.parse.unquote(stream.read().decode())
python = f"cp{sys.version_info.major}{sys.version_info.minor}"
torch_version = re.escape(torch.__version__.partition("+")[0])
print(max(re.findall(rf"k2-([\w.+]+torch{torch_version})-{python}-", text)), page)
EOF
}

if [[ -z $venv ]]; then
  if python -c 'import k2' 2>/dev/null; then
    exit 0
  fi
  if found=$(find_k2 2>/dev/null); then
    read -r version page <<<"$found"
    python -m pip install --disable-pip-version-check --find-links "$page" "k2==$version"
    exit 0
  fi
  echo "setup_k2.sh: k2's pages have none for this torch, or cannot be reached" >&2
fi

venv=${venv:-.venv-k2}
k2_hash=1404589732fdb7f6f5bf62297a20dd73318b7b4f2e10dd52dc3d5b6669688a4c
wanted=$(cat tools/setup_k2.sh "$constraints" | cksum)
if [[ $(cat "$venv/.asdkit" 2>/dev/null) != "$wanted" ]]; then
  python=$(find_python 3.10) || {
    echo "setup_k2.sh: k2 1.23.4 needs Python 3.10, e.g. from pyenv install 3.10" >&2
    exit 3
  }
  echo "setup_k2.sh: making $venv: $("$python" -V), torch 1.13.1, k2 1.23.4" >&2
  [[ -x $venv/bin/python ]] || "$python" -m venv "$venv"
  need_disk setup_k2.sh 6 "$venv"
  install=("$venv/bin/python" -m pip install --quiet --disable-pip-version-check)
  "${install[@]}" --constraint "$constraints" \
    torch==1.13.1 torchaudio==0.13.1 'numpy<2' graphviz \
    lhotse urllib3 scipy kaldiio soundfile pytest hypothesis 'setuptools>=70.1'
  # To pip the wheels of all Pythons look alike ("py3.10-none-any" is any Python 3),
  # and it takes whichever the index lists last; the hash is the right one's.
  echo "k2==1.23.4 --hash=sha256:$k2_hash" >"$venv/k2.txt"
  "${install[@]}" --no-deps --requirement "$venv/k2.txt"
  PIP_USE_PEP517=1 "${install[@]}" --no-deps --no-build-isolation --editable .
  "$venv/bin/python" -c 'import k2'
  echo "$wanted" >"$venv/.asdkit"
fi
echo "setup_k2.sh: k2 is in $venv: $venv/bin/asdkit vad-compute --method gmm_fsa" >&2
