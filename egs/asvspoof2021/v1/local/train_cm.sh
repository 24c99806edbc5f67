#!/usr/bin/env bash
# Train one countermeasure, score with it and attack it; results that exist are kept.
#
#   local/train_cm.sh teacher scratch 0   network, variant, seed
#
# Variants: scratch; ge2e starts from a speaker network; adv also trains on adversarial
# examples; kd learns from the teacher with all of these; all does everything.
#
# Reads from its environment $gpu, the launcher; $data, where the lists are; $exp, where
# everything goes; $train, what to train on; $size; $of_track, _df for 2021 DF;
# $adversary; $augmentation, options of cm-train; $epsilons and $adversary_steps of the
# attacks.

set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

network=$1
variant=$2
seed=$3

: "${gpu:=asdkit}" "${data:=data}" "${exp:?expected a directory}" "${train:?expected a directory}"
: "${size:=full}" "${adversary:=fgsm}" "${augmentation=}" "${epsilons=}"
: "${adversary_steps:=10}" "${of_track=}"

dir=$exp/${network}_$variant/seed$seed
conf=()
for name in "$network" train; do
  conf+=(--config "conf/$name.conf")
  [[ $size == full ]] || conf+=(--config "conf/$size/$name.conf")
done

case $variant in
  ge2e | all) conf+=(--init-from "$exp/${network}_speakers/seed$seed/network.pt") ;;
esac
taught=(--config conf/distillation.conf --teacher "$exp/teacher_all/seed$seed")
attacked=(--config conf/adversarial.conf --adversary "$adversary"
  --adversary-steps "$adversary_steps")
case $network,$variant,$adversary in
  *,scratch,* | *,ge2e,*) ;;
  *,adv,reversal | teacher,all,reversal) conf+=(--objective speaker_reversal) ;;
  *,adv,* | teacher,all,*) conf+=(--objective adversarial "${attacked[@]}") ;;
  student,kd,* | student,all,reversal) conf+=(--objective kl_cosine "${taught[@]}") ;;
  student,all,*)
    conf+=(--objective adversarial_distillation "${taught[@]}" "${attacked[@]}")
    ;;
  *)
    echo "train_cm.sh: there is no variant $variant of the $network" >&2
    exit 2
    ;;
esac

if [[ ! -e $dir/network.pt ]]; then
  # shellcheck disable=SC2086 # options
  $gpu cm-train "${conf[@]}" $augmentation --seed "$seed" "$train" "$data/dev" "$dir"
fi
for part in dev "eval$of_track"; do
  [[ -e $dir/scores_$part ]] || $gpu cm-score "$data/$part" "$dir" "$dir/scores_$part"
done
[[ -z $epsilons ]] || $gpu cm-attack --epsilons "$epsilons" \
  --adversary-steps "$adversary_steps" --crop center "$data/attacked$of_track" "$dir" \
  "$dir/attacked$of_track"
