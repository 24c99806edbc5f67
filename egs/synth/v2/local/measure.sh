#!/usr/bin/env bash
# Measure the error rates of all finished systems of some numbers of speakers.
#
#   local/measure.sh "50 150"    -> exp/metrics/{dev,across,within}.json

set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

sizes=$1
: "${student:=student}"

mkdir -p exp/metrics
for set in dev across within; do
  found=()
  for size in $sizes; do
    for done in exp/ivectors_"$size"/done exp/"${student}_$size"/*/seed*/done; do
      [[ ! -e $done ]] || found+=("${done%done}"scores_*_"$set")
    done
  done
  trials=data/test/trials_$set
  [[ $set != dev ]] || trials=data/dev/trials_across
  asdkit score-metrics --json "$trials" "${found[@]}" >exp/metrics/$set.json
done
