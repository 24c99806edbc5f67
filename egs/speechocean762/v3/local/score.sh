#!/usr/bin/env bash
# Train both back-ends on the training speakers' vectors and score all test sets.
#
#   local/score.sh exp/ivectors ivector    needs train/ivector.scp and tests/
#
# Writes <dir>/cosine.eer and plda.eer, a line per test set, and, for the report, the
# scores of whole utterances, scores_cosine.npz and scores_plda.npz.  Those of all test
# sets, 40 MB each, are removed.

set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

dir=$1
kind=$2

for backend in cosine plda; do
  asdkit backend-train --config conf/$backend.conf data/train/utt2spk \
    "scp:$dir/train/$kind.scp" "$dir/$backend.npz"
  asdkit backend-score "$dir/$backend.npz" data/full/trials \
    "scp:$dir/tests/$kind.scp" "$dir/scores_$backend.npz"
  asdkit backend-score "$dir/$backend.npz" data/tests/trials \
    "scp:$dir/tests/$kind.scp" "$dir/scores"
  python local/rate_conditions.py data/tests/trials "$dir/scores" "$dir/$backend.eer"
  rm "$dir/scores"
done
