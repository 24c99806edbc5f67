#!/usr/bin/env bash
# VoxCeleb1-O, -E and -H with networks trained on VoxCeleb2-dev: a teacher, and
# students that learn from it.  A teacher is trained like any other network.
#
#   ./run.sh --voxceleb1 DIR --voxceleb2 DIR --musan DIR --rirs DIR
#   ./run.sh --stage 2 --net ssl_ecapa --ssl-checkpoint DIR   the teacher
#   ./run.sh --stage 2 --net campplus --objective decoupled_kd \
#     --teacher exp/ssl_ecapa_labels_seed0                    its student
#   ./run.sh --stage 2 --objective large_margin \
#     --init-from exp/resnet34_labels_speed_seed0/network.pt   fine-tuning
#   ./run.sh --stage 2 --nj 3                                 three GPUs
#   ./run.sh --stage 2 --nj 16 --launcher slurm               a cluster's GPUs
#
# README.md says how to lay out the corpora, and which students, teachers and
# objectives there are.  Results are in RESULTS.md.

set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

voxceleb1=/corpora/voxceleb1 # DIR with vox1_meta.csv and the lists of trials
voxceleb2=/corpora/voxceleb2 # DIR with vox2_meta.csv
musan=/corpora/musan         # DIR with music/ noise/ speech/
rirs=/corpora/RIRS_NOISES    # DIR with simulated_rirs/
download=false               # true: fetch MUSAN, RIRS and the lists
utts_per_dev_spk=20
net=resnet34     # conf/$net.conf has the network and its training options
objective=labels # conf/$objective.conf has what it learns
teacher=         # PATH: directory of a network, or ark:FILE of vectors
teacher_backend= # FILE of backend-train, applied to these vectors
ssl_checkpoint=  # PATH of WavLM, for --net ssl_ecapa
init_from=       # FILE: network.pt of the same network, to go on from
seed=0
nj=1

. ../../../path.sh
. stages.sh
. parse_options.sh
. cmd.sh # sets $cpu and $gpu from $launcher and $nj

dir=exp/${net}_${objective}_seed$seed
train=scp:$dir/train/embedding.scp
eval=scp:$dir/eval/embedding.scp
options=()
[[ -z $teacher ]] || options+=(--teacher "$teacher")
[[ -z $teacher_backend ]] || options+=(--teacher-transform "$teacher_backend")
[[ -z $ssl_checkpoint ]] || options+=(--ssl-checkpoint "$ssl_checkpoint")
[[ -z $init_from ]] || options+=(--init-from "$init_from")
measures=(--duration data/eval/utt2dur --magnitude "$eval")

if stage 0 "prepare lists: VoxCeleb2-dev, VoxCeleb1 and the trials"; then
  fetch voxceleb1_lists "$voxceleb1" voxceleb2_lists "$voxceleb2" \
    musan "$musan" rirs_noises "$rirs"
  asdkit voxceleb-prepare --part dev "$voxceleb2" data/train
  asdkit voxceleb-prepare --part all "$voxceleb1" data/vox1
  for list in o:veri_test2 e:list_test_all2 h:list_test_hard2; do
    asdkit trials-import "$voxceleb1/${list#*:}.txt" \
      data/vox1 "data/vox1/trials_${list%:*}"
  done
  asdkit data-validate data/train data/vox1
fi

if stage 1 "prepare calibration trials, noises and rooms"; then
  # No speaker of VoxCeleb2-test is in VoxCeleb2-dev or in VoxCeleb1.
  need 0 data/vox1
  asdkit voxceleb-prepare --part test "$voxceleb2" data/vox2_test
  asdkit data-subset --per-spk "$utts_per_dev_spk" data/vox2_test data/dev
  asdkit trials-make --within data/dev/spk2gender data/dev data/dev/trials_dev
  asdkit data-combine data/vox1 data/dev data/eval
  lhotse prepare musan "$musan" data/musan
  lhotse prepare rir-noise --parts sim_rir "$rirs" data/rirs
fi

if stage 2 "train the network"; then
  need 0 data/train
  need 1 data/{musan,rirs}
  $gpu nnet-train --config conf/train.conf --config "conf/$net.conf" \
    --config "conf/$objective.conf" --noises data/musan --rooms data/rirs \
    "${options[@]}" --seed "$seed" data/train "$dir"
fi

if stage 3 "extract embeddings"; then
  need 0 data/train
  need 1 data/eval
  need 2 "$dir/network.pt"
  for part in train eval; do
    $gpu nnet-extract data/$part "$dir" "$dir/$part"
  done
fi

if stage 4 "train the back-end and score the trials"; then
  need 1 data/eval/trials_{dev,o,e,h}
  need 3 "$dir"/{train,eval}/embedding.scp
  asdkit backend-train --config conf/backend.conf \
    data/train/utt2spk "$train" "$dir/backend.npz"
  for list in dev o e h; do
    asdkit backend-score "$dir/backend.npz" data/eval/trials_$list \
      "$eval" "$dir/scores_$list"
  done
fi

if stage 5 "normalize the scores by the training speakers (AS-norm)"; then
  need 4 "$dir/backend.npz" "$dir"/scores_{dev,o,e,h}
  for list in dev o e h; do
    asdkit score-normalize --cohort-utt2spk data/train/utt2spk \
      --cohort-means "$dir/cohort_means_$list" "$dir/backend.npz" \
      "$train" "$eval" "$dir/scores_$list" "$dir/scores_${list}_as_norm"
  done
fi

if stage 6 "calibrate the scores with quality measures"; then
  need 5 "$dir"/cohort_means_{dev,o,e,h} "$dir"/scores_{dev,o,e,h}_as_norm
  asdkit calibration-train "${measures[@]}" \
    --cohort-mean "$dir/cohort_means_dev" \
    data/eval/trials_dev "$dir/scores_dev_as_norm" "$dir/calibration.npz"
  for list in o e h; do
    asdkit score-calibrate "${measures[@]}" \
      --cohort-mean "$dir/cohort_means_$list" "$dir/calibration.npz" \
      "$dir/scores_${list}_as_norm" "$dir/scores_${list}_calibrated"
  done
fi

if stage 7 "print the results: VoxCeleb1-O, -E, -H"; then
  need 6 "$dir"/scores_{o,e,h}_calibrated
  for list in o e h; do
    asdkit score-metrics data/eval/trials_$list \
      "$dir/scores_$list"{,_as_norm,_calibrated}
  done
fi

if stage 8 "write exp/report.html: all systems, curves, conditions"; then
  need 6 "$dir"/scores_{o,e,h}_calibrated
  asdkit report exp -o exp/report.html
fi
