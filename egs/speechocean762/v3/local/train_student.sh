#!/usr/bin/env bash
# Train one student, unless it is there, and score it.
#
#   local/train_student.sh resnet enskd_2 0    student, objective, seed
#
# enskd_2 has gamma 2; mse_100 is mse with a weight of 100 instead of 1.
#
# Takes $gpu, the launcher, and $large, the directory of the large network, from
# its environment.

student=$1
objective=$2
seed=$3

set -euo pipefail
: "${gpu:=asdkit}" "${large:?expected a directory of the large network}"

dir=exp/$student/$objective/seed$seed
[[ ! -e $dir/plda.eer ]] || exit 0

case $objective in
  none) teacher=() ;;
  mse* | precision*)
    teacher=(--teacher scp:exp/ivectors/train/ivector.scp
      --teacher-transform exp/ivectors/target.npz)
    [[ $objective == mse* ]] \
      || teacher+=(--teacher-precision scp:exp/ivectors/train/precision.scp)
    ;;
  *) teacher=(--teacher "$large") ;;
esac
case $objective in
  none) ;;
  enskd_*) teacher+=(--objective decoupled_kd --gamma "${objective#enskd_}") ;;
  *_*) teacher+=(--objective "${objective%_*}" --distill-weight "${objective#*_}") ;;
  *) teacher+=(--objective "$objective") ;;
esac

$gpu nnet-train --config "conf/$student.conf" "${teacher[@]}" --seed "$seed" \
  data/train "$dir"
for part in train tests; do
  $gpu nnet-extract data/$part "$dir" "$dir/$part"
done
local/score.sh "$dir" embedding
rm -r "$dir"/{train,tests} # 20 MB
