#!/usr/bin/env bash
# Train back-ends on the vectors below a directory, and score the trials.
#
#   local/score_back_ends.sh exp/ivectors ivector plda whitened_cosine

set -euo pipefail
dir=$1 kind=$2

cp conf/*cosine.conf exp/conf
for backend in "${@:3}"; do
  asdkit backend-train --config "exp/conf/$backend.conf" --extractor exp/extractor \
    data/train/utt2spk "scp:$dir/train/$kind.scp" "$dir/$backend.npz"
  asdkit backend-score "$dir/$backend.npz" data/test/trials \
    "scp:$dir/test/$kind.scp" "$dir/scores_$backend"
done
