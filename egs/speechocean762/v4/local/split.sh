#!/usr/bin/env bash
# Copy a data directory with train/ and test/, and split the training speakers: one in so
# many is held out (dev), the others are fitted (fit).
#
#   local/split.sh ../v1/data/tuned 4

set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

source=$1
hold_out=$2

for part in train test; do
  asdkit data-copy "$source/$part" data/$part
done
cut -d ' ' -f 2 data/train/utt2spk | sort -u >data/speakers
awk -v n="$hold_out" 'NR % n == 0' data/speakers >data/dev_speakers
awk -v n="$hold_out" 'NR % n != 0' data/speakers >data/fit_speakers
for part in dev fit; do
  asdkit data-subset --spk-list data/${part}_speakers data/train data/$part
done
