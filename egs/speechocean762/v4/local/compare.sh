#!/usr/bin/env bash
# Compare the students of stage 4 with the first of them, on every test set.
#
#   local/compare.sh none classes_plda

set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

: "${student:=student}" "${sets:=full 3s 2s 1s 15dB 5dB}"

for set in $sets; do
  systems=()
  for teach; do
    printf -v files '%s,' exp/test/"$student/$teach"/seed*/scores/"$set"
    systems+=("$teach=${files%,}")
  done
  echo "$set:"
  asdkit compare --utt2spk data/test_tests/utt2spk "data/test_$set/trials" \
    "${systems[@]}"
done
