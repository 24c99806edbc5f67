#!/usr/bin/env bash
# Train both back-ends on the vectors below a directory, and score the trials.
#
#   local/score_back_ends.sh exp/ivectors ivector

set -euo pipefail
dir=$1 kind=$2

cp conf/cosine.conf exp/conf/cosine.conf
for backend in plda cosine; do
  asdkit backend-train --config exp/conf/$backend.conf data/train/utt2spk \
    "scp:$dir/train/$kind.scp" "$dir/$backend.npz"
  asdkit backend-score "$dir/$backend.npz" data/test/trials \
    "scp:$dir/test/$kind.scp" "$dir/scores_$backend"
done
