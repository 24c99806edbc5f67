#!/usr/bin/env bash
# Train a back-end and score all trials.
#
#   local/score.sh data/train_50/utt2spk scp:TRAIN.scp scp:TESTS.scp exp/ivectors_50 plda
#
# What else is given are options of backend-train.
# Writes <dir>/<backend>.npz and <dir>/scores_<backend>_{dev,across,within}.

set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

utt2spk=$1
train=$2
tests=$3
dir=$4
backend=$5

asdkit backend-train --config "conf/$backend.conf" "${@:6}" "$utt2spk" "$train" \
  "$dir/$backend.npz"
for set in dev across within; do
  trials=data/test/trials_$set
  [[ $set != dev ]] || trials=data/dev/trials_across
  asdkit backend-score "$dir/$backend.npz" "$trials" "$tests" \
    "$dir/scores_${backend}_$set"
done
