#!/usr/bin/env bash
# Score every test set of a part by the cosine of centered vectors.
#
#   local/score.sh fit dev exp/dev/none/seed0 embedding
#
# Reads <dir>/train/<kind>.scp, of data/fit, and <dir>/tests/<kind>.scp.  Writes
# <dir>/scores/<set>, their metrics, and an empty file "done" as the last.

set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

train=$1
part=$2
dir=$3
kind=$4
: "${sets:=full 3s 2s 1s 15dB 5dB}"

asdkit backend-train --config conf/cosine.conf "data/$train/utt2spk" \
  "scp:$dir/train/$kind.scp" "$dir/cosine.npz"
mkdir -p "$dir/scores"
for set in $sets; do
  asdkit backend-score "$dir/cosine.npz" "data/${part}_$set/trials" \
    "scp:$dir/tests/$kind.scp" "$dir/scores/$set"
  asdkit score-metrics --json "data/${part}_$set/trials" "$dir/scores/$set" \
    >"$dir/scores/$set.json"
done
touch "$dir/done"
