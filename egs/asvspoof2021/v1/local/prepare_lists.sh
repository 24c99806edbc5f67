#!/usr/bin/env bash
# List train and dev of 2019 and an evaluation set of 2021, or another recipe's.
#
#   local/prepare_lists.sh /corpora/asvspoof2019 /corpora/asvspoof2021 ""
#   local/prepare_lists.sh "" "" ../../spoof762/v1/data
#
# Reads from its environment $data, $eval and $all, where the lists go; and $track.

set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

corpus2019=$1
corpus2021=$2
source=$3

: "${data:?} ${eval:?} ${all:?} ${track:?}"

if [[ $source ]]; then
  for part in train dev; do
    asdkit data-copy "$source/$part" "$data/$part"
  done
  asdkit data-copy "$source/eval_coded" "$eval"
  exit 0
fi
for part in train dev; do
  asdkit spoof-prepare --corpus asvspoof2019_la --part $part "$corpus2019" "$data/$part"
done
asdkit spoof-prepare --corpus "asvspoof2021_$track" --part eval "$corpus2021" "$all"
asdkit data-subset --where utt2subset=eval "$all" "$eval"
