#!/usr/bin/env bash
# Train one student and score the trials, unless that has been done.
#
#   local/train_student.sh 50 pooled_ratio 0    50 speakers, conf/teach/, seed 0

set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

size=$1
way=$2
seed=$3
: "${gpu:=asdkit}" "${student:=student}"

dir=exp/${student}_$size/$way/seed$seed
[[ ! -e $dir/done ]] || exit 0

# The first line of conf/teach/*.conf names the back-end that prepares the i-vectors.
teacher=()
backend=$(sed -n 's/^# teacher: //p' "conf/teach/$way.conf")
if [[ $backend ]]; then
  teacher=(--teacher "scp:exp/ivectors_$size/train/ivector.scp"
    --teacher-transform "exp/ivectors_$size/$backend.npz")
fi
$gpu nnet-train --config "conf/$student.conf" --config "conf/teach/$way.conf" \
  "${teacher[@]}" --seed "$seed" "data/train_${size}_fbank" "$dir"
$gpu nnet-extract "data/center_$size" "$dir" "$dir/center"
$gpu nnet-extract data/tests_fbank "$dir" "$dir/tests"
local/score.sh "data/center_$size/utt2spk" "scp:$dir/center/embedding.scp" \
  "scp:$dir/tests/embedding.scp" "$dir" cosine
touch "$dir/done"
