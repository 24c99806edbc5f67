#!/usr/bin/env bash
# Every check there is; CI runs this and nothing else.
#
#   tools/check.sh            all: set-up, style, types, unit and golden tests, recipes
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
