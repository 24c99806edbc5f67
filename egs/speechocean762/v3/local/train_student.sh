#!/usr/bin/env bash
# Train one student and score it, unless that has been done.
#
#   local/train_student.sh resnet mse 0                     student, objective, seed
#   local/train_student.sh resnet mse:weight_100 0          another weight than 1
#   local/train_student.sh resnet decoupled_kd:gamma_2 0    gamma, weight 1
#
# Reads from its environment $gpu, the launcher, and $large, the directory of the large
# network.

set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

student=$1
objective=$2
seed=$3

: "${gpu:=asdkit}" "${large:?expected a directory of the large network}"

dir=exp/$student/${objective/://}/seed$seed
[[ ! -e $dir/plda.eer ]] || exit 0

value=${objective#*:}
network=(--teacher "$large" --teacher-cache exp/teacher_cache)
vectors=(--teacher scp:exp/ivectors/train/ivector.scp)
ivectors=("${vectors[@]}" --teacher-transform exp/ivectors/target.npz)
precision=(--teacher-precision scp:exp/ivectors/train/precision.scp)

case ${objective%%:*} in
  none) options=() ;;
  mse) options=(--objective mse "${ivectors[@]}") ;;
  identity)
    options=(--objective mse "${ivectors[@]}"
      --projection identity --embedding-dim 200)
    ;;
  lda)
    options=(--objective mse "${vectors[@]}"
      --teacher-transform exp/ivectors/target_lda.npz)
    ;;
  precision) options=(--objective precision "${ivectors[@]}" "${precision[@]}") ;;
  slack)
    options=(--objective precision --slack 1 "${ivectors[@]}" "${precision[@]}")
    ;;
  ivrelational) options=(--objective relational "${ivectors[@]}") ;;
  *) options=(--objective "${objective%%:*}" "${network[@]}") ;;
esac
case $value in
  weight_*) options+=(--distill-weight "${value#weight_}") ;;
  gamma_*) options+=(--gamma "${value#gamma_}") ;;
esac

$gpu nnet-train --config "conf/$student.conf" "${options[@]}" --seed "$seed" \
  data/train "$dir"
for part in train tests; do
  $gpu nnet-extract data/$part "$dir" "$dir/$part"
done
local/score.sh "$dir" embedding
rm -r "$dir"/{train,tests} # 20 MB
