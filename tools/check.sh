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

select=()
torture=
case ${1:-} in
  "") ;;
  --fast) select=(-m "not slow") ;;
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
trap 'kill $(jobs -p) 2>/dev/null || true; rm -rf "$logs"' EXIT

# Two halves that take about as long, each for one core: side by side.
recipes=()
for path in tests/recipes/test_*.py; do
  [[ $path == */test_synth.py ]] || recipes+=("$path")
done
export OMP_NUM_THREADS=${OMP_NUM_THREADS:-1}
set -m # else what runs in the background ignores Ctrl-C, and so do those it tests
python -m pytest "${select[@]}" -p no:cacheprovider "${recipes[@]}" \
  >"$logs/recipes" 2>&1 &
beside=$!
set +m
python -m pytest "${select[@]}" "${recipes[@]/#/--ignore=}" || failed="tests"
wait $beside || failed+="${failed:+, }tests of the recipes"
cat "$logs/recipes"

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
  "$python" -m pytest -m "k2 and not gpu${select[1]:+ and ${select[1]}}" \
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
