#!/usr/bin/env bash
# Every check there is; CI runs this and nothing else.
#
#   tools/check.sh            all: set-up, style, types, unit and golden tests, recipes
#                             and, where there is Python 3.10, what needs k2
#   tools/check.sh --fast     without the tests that take longer than five seconds

set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

select=()
case ${1:-} in
  "") ;;
  --fast) select=(-m "not slow") ;;
  *)
    sed -n '2,/^$/ { s/^# \{0,1\}//p }' "$0"
    exit 2
    ;;
esac

tools/setup.sh --test
# shellcheck source=path.sh
. ./path.sh

ruff check .
ruff format --check .
mypy
mapfile -t scripts < <(git ls-files '*.sh' .ci/run)
shellcheck -x "${scripts[@]}"
shfmt -i 2 -ci -bn -d "${scripts[@]}"
python -m pytest "${select[@]}"

# k2 has an environment of its own where there is Python 3.10; 3 says that it has not.
status=0
tools/setup.sh --test --k2 || status=$?
if ((status == 0)); then
  python=.venv-k2/bin/python
  [[ -x $python ]] || python=python
  mapfile -t tests < <(git grep -l 'pytest.mark.k2' tests)
  said=$("$python" -m pytest -m "k2 and not gpu${select[1]:+ and ${select[1]}}" \
    "${tests[@]}" | tee /dev/stderr)
  [[ $said != *SKIPPED* ]]
elif ((status != 3)); then
  exit "$status"
fi
