#!/usr/bin/env bash
# Every check there is; CI runs this and nothing else.
#
#   tools/check.sh            all: set-up, style, types, unit and golden tests, recipes
#                             and, where there is Python 3.10, what needs k2;
#                             the last lines say how many, or that it was not run
#   tools/check.sh --fast     without the tests that take longer than five seconds
#   tools/check.sh --torture  and tools/torture.sh at the end, which takes an hour

set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

select= # which tests, for pytest -m; none: all
torture=
case ${1:-} in
  "") ;;
  --fast) select="not slow" ;;
  --torture) torture=true ;;
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
failed=
logs=$(mktemp -d)
trap 'rm -rf "$logs"' EXIT

# Two workers, one a core, take from one queue: the recipes, which take minutes each,
# then folders by their first letters, for it takes seconds to start pytest.
queue() {
  printf '%s\n' tests/recipes/test_synth.py tests/recipes/test_*.py | awk '!seen[$0]++'
  echo tests/[a-b]*/
  echo tests/[c-d]*/
  echo tests/[e-h]*/
  echo tests/[i-l]*/
  echo tests/[m-q]*/
  echo tests/[r-s]*/ | sed 's,tests/recipes/ *,,'
  echo tests/[t-z]*/
  echo asdkit tests/test_*.py
}
# What fails is listed in a file; 5 says that no test of these was asked for.
run_tests() {
  local log status=0
  log=$(mktemp "$logs/XXXXXX")
  python -m pytest -m "$select" -p no:cacheprovider "$@" >"$log" 2>&1 || status=$?
  cat "$log"
  ((status == 0 || status == 5)) || echo "$*" >>"$logs/failed"
}
export -f run_tests
export select logs OMP_NUM_THREADS=${OMP_NUM_THREADS:-1}
# shellcheck disable=SC2016 # $@ is what xargs takes from the queue, a line at a time
queue | xargs -P 2 -L 1 bash -c 'run_tests "$@"' run_tests
[[ ! -e $logs/failed ]] || failed="tests in $(sort "$logs/failed" | paste -sd ' ')"

# k2 has an environment of its own where there is Python 3.10; 3 says that it has not.
status=0
tools/setup.sh --test --k2 || status=$?
if ((status == 3)); then
  said="NOT RUN, for want of Python 3.10; pyenv install 3.10 provides it"
elif ((status != 0)); then
  said="NOT RUN: tools/setup.sh --k2 has failed"
  failed+="${failed:+, }k2's environment"
else
  python=.venv-k2/bin/python
  [[ -x $python ]] || python=python
  mapfile -t tests < <(git grep -l 'pytest.mark.k2' tests)
  "$python" -m pytest -m "k2 and not gpu${select:+ and $select}" \
    "${tests[@]}" | tee "$logs/k2" || failed+="${failed:+, }tests that need k2"
  said=$(tail -n 1 "$logs/k2" | sed 's/^=* *//; s/ *=*$//')
  # One that is skipped where k2 is has not been run anywhere.
  ! grep -q SKIPPED "$logs/k2" || failed+="${failed:+, }skipped tests that need k2"
fi

[[ -z $torture ]] || tools/torture.sh || failed+="${failed:+, }torture.sh"

echo "check.sh: tests that need k2: $said"
if [[ $failed ]]; then
  echo "check.sh: FAILED: $failed"
  exit 1
fi
echo "check.sh: passed"
