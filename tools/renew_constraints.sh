#!/usr/bin/env bash
# Renew tools/constraints/: the versions that tools/setup.sh installs.
#
#   tools/renew_constraints.sh                        the newest of everything
#   tools/renew_constraints.sh torch==2.11.0 torchaudio==2.11.0
#                                                     these, and the newest of the rest
#   tools/renew_constraints.sh --only 3.11 ...        for this Python only, or for k2
#
# For each Python from 3.10 to 3.13 that is here, and for k2's environment: a new
# environment, asdkit doctor, the fast tests.  Its file is written if everything works,
# and stays as it was if not; the exit code is 1 then.  A quarter of an hour each, 6 GB.

set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
# shellcheck source=tools/find_python.sh
. tools/find_python.sh

names=(3.10 3.11 3.12 3.13 k2)
if [[ ${1:-} == --only && $# -ge 2 ]]; then
  names=("$2")
  shift 2
fi
if [[ ${1:-} == -* ]]; then
  sed -n '2,/^$/ { s/^# \{0,1\}//p }' "$0"
  exit 2
fi

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failed=

# Write the versions in an environment, without what belongs to one machine only.
write_versions() {
  local venv=$1 file=$2
  {
    echo "# Tested together with $("$venv/bin/python" -V); tools/renew_constraints.sh renews it."
    "$venv/bin/python" -m pip list --format freeze --disable-pip-version-check \
      | sed -E '/^(asdkit|pip|wheel)==/d; s/\+.*//' | LC_ALL=C sort --ignore-case
  } >"$work/versions"
  mv "$work/versions" "$file"
  echo "renew_constraints.sh: wrote $file"
}

# Make an environment for a Python and test it.
try_python() {
  tools/check_newest.sh --venv "$work/venv" --python "$python" "$@" \
    && "$work/venv/bin/asdkit" doctor | grep -q 'all that is installed works'
}

# Make k2's and test it.
try_k2() {
  local tests
  mapfile -t tests < <(git grep -l 'pytest.mark.k2' tests)
  tools/setup_k2.sh --venv "$work/venv" --newest \
    && "$work/venv/bin/python" -m pytest -m "k2 and not gpu" "${tests[@]}"
}

for name in "${names[@]}"; do
  try=try_python file=tools/constraints/py$name.txt
  [[ $name != k2 ]] || try=try_k2 file=tools/constraints/k2.txt
  if ! python=$(find_python "${name/k2/3.10}"); then
    echo "renew_constraints.sh: not renewed, since that Python is not here: $file"
  elif $try "$@"; then
    write_versions "$work/venv" "$file"
  else
    failed+=" $file"
  fi
  rm -rf "$work/venv"
done

if [[ $failed ]]; then
  echo "renew_constraints.sh: FAILED, and left as they were:$failed"
  exit 1
fi
