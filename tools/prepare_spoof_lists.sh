#!/usr/bin/env bash
# List train, dev and eval of a corpus with spoofed speech, or copy another recipe's lists.
#
#   prepare_spoof_lists.sh asvspoof2019_la /corpora/asvspoof2019 data/la ""
#   prepare_spoof_lists.sh "" "" data/spoof762 ../../spoof762/v1/data
#
# Takes the corpus's name, its directory, where the lists go, and the other recipe's data.
# Then validates them, and looks whether a single number of a file gives spoofs away.

set -euo pipefail
trap 'exit 130' INT # Ctrl-C while leak-check runs is no leak

name=$1
corpus=$2
data=$3
source=$4

for part in train dev eval; do
  if [[ $source ]]; then
    asdkit data-copy "$source/$part" "$data/$part"
  else
    asdkit spoof-prepare --corpus "$name" --part $part "$corpus" "$data/$part"
  fi
done
asdkit data-validate "$data"/{train,dev,eval}
for part in train dev eval; do
  asdkit leak-check "$data/$part" \
    || echo "$(basename "$0"): $part has leaks, see RESULTS.md" >&2
done
