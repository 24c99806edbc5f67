#!/usr/bin/env bash
# Train one student and score it, unless that has been done.
#
#   local/train_student.sh dev classes_plda 0    on data/fit, tested on data/dev
#   local/train_student.sh test none 3           on data/train, tested on data/test

set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

part=$1
teach=$2 # conf/teach/$teach.conf
seed=$3

: "${gpu:=asdkit}" "${student:=student}"

train=train
[[ $part == test ]] || train=fit
dir=exp/$part/$student/$teach/seed$seed
[[ ! -e $dir/done ]] || exit 0

# The first line of conf/teach/*.conf names the back-end that prepares the i-vectors.
teacher=()
backend=$(sed -n 's/^# teacher: //p' "conf/teach/$teach.conf")
if [[ $backend ]]; then
  teacher=(--teacher scp:exp/ivectors/train/ivector.scp
    --teacher-transform "exp/ivectors/$train/$backend.npz")
fi
$gpu nnet-train --config "conf/$student.conf" --config "conf/teach/$teach.conf" \
  "${teacher[@]}" --seed "$seed" "data/$train" "$dir"
$gpu nnet-extract "data/$train" "$dir" "$dir/train"
$gpu nnet-extract "data/${part}_tests" "$dir" "$dir/tests"
local/score.sh $train "$part" "$dir" embedding
rm -r "$dir"/{train,tests} # 20 MB
