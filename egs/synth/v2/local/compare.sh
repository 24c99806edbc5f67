#!/usr/bin/env bash
# Compare the students of every number of speakers with the first of them.
#
#   local/compare.sh "50 150" "none pooled_ratio"

set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

sizes=$1
ways=$2
: "${student:=student}"

for set in within across; do
  for size in $sizes; do
    systems=()
    for way in $ways; do
      files=(exp/"${student}_$size/$way"/seed*/scores_cosine_"$set")
      [[ ! -e ${files[0]} ]] || systems+=("$way=$(IFS=, && echo "${files[*]}")")
    done
    ((${#systems[@]} > 1)) || continue
    echo "$size speakers, $set sessions:"
    asdkit compare --utt2spk data/test/utt2spk "data/test/trials_$set" "${systems[@]}"
  done
done
