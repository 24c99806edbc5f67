#!/usr/bin/env bash
# Train both back-ends on vectors of the training speakers, score all test sets.
#
#   local/score.sh exp/ivectors ivector    needs train/ivector.scp and tests/
#
# Writes <dir>/cosine.eer and plda.eer, a line per test set; the scores, 40 MB
# each, do not stay.

dir=$1
kind=$2

set -euo pipefail

for backend in cosine plda; do
  asdkit backend-train --config conf/$backend.conf data/train/utt2spk \
    "scp:$dir/train/$kind.scp" "$dir/$backend.npz"
  asdkit backend-score "$dir/$backend.npz" data/tests/trials \
    "scp:$dir/tests/$kind.scp" "$dir/scores"
  python local/rate_conditions.py data/tests/trials "$dir/scores" "$dir/$backend.eer"
  rm "$dir/scores"
done
