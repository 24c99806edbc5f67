#!/usr/bin/env bash
# Train an i-vector system on one training set and score the trials, unless that has
# been done.
#
#   local/train_teacher.sh 50 64 60    50 speakers, 64 Gaussians, dimension 60

set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

size=$1
num_gauss=$2
ivector_dim=$3
: "${cpu:=asdkit}" "${gpu:=asdkit}"

train=data/train_$size
extractor=exp/extractor_$size
dir=exp/ivectors_$size
[[ ! -e $dir/done ]] || exit 0

$cpu ubm-train --num-gauss "$num_gauss" "$train" "exp/ubm_$size"
$gpu ivector-train --ivector-dim "$ivector_dim" "$train" "exp/ubm_$size" "$extractor"
$gpu ivector-extract "$train" "$extractor" "$dir/train"
$gpu ivector-extract data/tests "$extractor" "$dir/tests"
for backend in plda target_lda whitened_cosine; do
  local/score.sh "$train/utt2spk" "scp:$dir/train/ivector.scp" \
    "scp:$dir/tests/ivector.scp" "$dir" $backend --extractor "$extractor"
done
touch "$dir/done"
