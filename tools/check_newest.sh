#!/usr/bin/env bash
# Try asdkit with the newest version of everything, as those get it who install it
# without tools/constraints/: asdkit doctor and the fast tests, in a new environment.
#
#   tools/check_newest.sh                       in a temporary folder: 6 GB
#   tools/check_newest.sh --venv DIR            in this one, which stays
#   tools/check_newest.sh --python python3.12   with this Python
#   tools/check_newest.sh torch==2.11.0         with this requirement, else the newest
#
# The last line is the verdict; the exit code is 1 if something is broken or fails.

set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
# shellcheck source=tools/find_python.sh
. tools/find_python.sh

venv=
python=
held=()
while (($#)); do
  case $1 in
    --venv | --python)
      [[ $# -ge 2 ]] || {
        echo "check_newest.sh: option $1 needs a value" >&2
        exit 2
      }
      declare "${1#--}=$2"
      shift
      ;;
    -*)
      sed -n '2,/^$/ { s/^# \{0,1\}//p }' "$0"
      exit 2
      ;;
    *) held+=("$1") ;;
  esac
  shift
done

work=$(mktemp -d)
doing="making the environment"
# Give the verdict, however this ends.
finish() {
  local status=$1
  trap - EXIT TERM INT
  jobs -p | xargs --no-run-if-empty kill 2>/dev/null || true
  wait
  awk 1 "$work"/*.log 2>/dev/null || true # also ends the last lines
  if ((status == 0)); then
    echo "check_newest.sh: passed: $said"
  else
    echo "check_newest.sh: FAILED after ${SECONDS} s: $doing${said:+: $said}"
  fi
  rm -rf "$work"
  exit "$status"
}
trap 'finish $?' EXIT
trap 'finish 143' TERM INT
# In the background, since bash heeds a signal only while it waits.
run() {
  "$@" &
  wait $!
}
said=

[[ $python ]] || python=$(find_python 3.11 3.12 3.13 3.10) || python=python3
venv=${venv:-$work/venv}
"$python" -m venv "$venv"
python=$venv/bin/python
export PATH=$venv/bin:$PATH VIRTUAL_ENV=$venv PYTHONPATH=$PWD
# Whatever this machine holds versions back with; everything else it says to pip stays.
export PIP_CONSTRAINT=/dev/null PIP_BUILD_CONSTRAINT=/dev/null
doing="installing"
run "$python" -m pip install --quiet --disable-pip-version-check --upgrade pip
run "$python" -m pip install --quiet --disable-pip-version-check \
  --editable '.[ssl,green,watch,spoof,test]' "${held[@]}"
said=$("$python" -c '
import platform
from importlib.metadata import version

names = ("torch", "torchaudio", "lhotse", "numpy", "scipy", "transformers")
print(f"Python {platform.python_version()}", *(f"{n} {version(n)}" for n in names), sep=", ")
')

doing="asdkit doctor"
run asdkit doctor >"$work/doctor.log" 2>&1
said="$(tail -n 1 "$work/doctor.log"); $said"

doing="the fast tests"
export OMP_NUM_THREADS=${OMP_NUM_THREADS:-1}
half=(tests/bin tests/data tests/recipes tests/training tests/ivector)
test=("$python" -m pytest -m "not slow" -p no:cacheprovider)
"${test[@]}" "${half[@]}" >"$work/tests1.log" 2>&1 &
first=$!
# Set-up's own tests are about the versions that are not taken here.
"${test[@]}" "${half[@]/#/--ignore=}" --ignore=tests/tools/test_setup.py >"$work/tests2.log" 2>&1 &
second=$!
failed=
wait $first || failed=yes
wait $second || failed=yes
# Print what pytest says at the end of both halves.
count_tests() {
  tail -qn 1 "$work"/tests?.log | sed -E 's/^=* *//; s/ *=*$/;/' | tr '\n' ' '
}
said="$(count_tests)$said"
if [[ $failed ]]; then
  names=$(sed -En 's/^(FAILED|ERROR) ([^ ]*).*/\2/p' "$work"/tests?.log)
  said="$(head -n 5 <<<"$names" | tr '\n' ' ')$said"
  exit 1
fi
