#!/usr/bin/env bash
# VoxCeleb1-O, -E and -H with networks trained on VoxCeleb2-dev: a teacher, and
# students that learn from it.  A teacher is trained as any other network is.
#
#   ./run.sh --voxceleb1 DIR --voxceleb2 DIR --musan DIR --rirs DIR
#   ./run.sh --stage 2 --net ssl_ecapa --ssl-checkpoint DIR   the teacher
#   ./run.sh --stage 2 --net campplus --objective decoupled_kd \
#     --teacher exp/ssl_ecapa_labels_seed0                    a student of it
#   ./run.sh --stage 2 --nj 3                                 three GPUs
#
# README.md says how the corpora have to lie, and which students, teachers and
# objectives there are.  Results are in RESULTS.md.

voxceleb1=/corpora/voxceleb1 # holds vox1_meta.csv and the lists of trials
voxceleb2=/corpora/voxceleb2 # holds vox2_meta.csv
musan=/corpora/musan         # holds music/ noise/ speech/
rirs=/corpora/RIRS_NOISES    # holds simulated_rirs/
utts_per_dev_spk=20
net=resnet34     # conf/$net.conf says what it is and how it is trained
objective=labels # conf/$objective.conf says what it learns
teacher=         # directory of a network, or ark:... of vectors
teacher_backend= # of backend-train; what these vectors go through
ssl_checkpoint=  # of WavLM; --net ssl_ecapa wants it
seed=0
nj=1

. ../../../path.sh
. stages.sh
. parse_options.sh
. ./cmd.sh # sets $cpu and $gpu from $nj
set -euo pipefail

dir=exp/${net}_${objective}_seed$seed
embeddings=scp:$dir/eval/embedding.scp
options=()
[[ -z $teacher ]] || options+=(--teacher "$teacher")
[[ -z $teacher_backend ]] || options+=(--teacher-transform "$teacher_backend")
[[ -z $ssl_checkpoint ]] || options+=(--ssl-checkpoint "$ssl_checkpoint")

if stage 0 "prepare lists: VoxCeleb2-dev, VoxCeleb1 and the trials"; then
  asdkit voxceleb-prepare --part dev "$voxceleb2" data/train
  asdkit voxceleb-prepare --part all "$voxceleb1" data/vox1
  for list in o:veri_test2 e:list_test_all2 h:list_test_hard2; do
    asdkit trials-import "$voxceleb1/${list#*:}.txt" \
      data/vox1 "data/vox1/trials_${list%:*}"
  done
  asdkit data-validate data/train data/vox1
fi

if stage 1 "prepare trials for calibration, noises and rooms"; then
  # Nobody of VoxCeleb2-test is in VoxCeleb2-dev or in VoxCeleb1.
  asdkit voxceleb-prepare --part test "$voxceleb2" data/vox2_test
  asdkit data-subset --per-spk "$utts_per_dev_spk" data/vox2_test data/dev
  asdkit trials-make --within data/dev/spk2gender data/dev data/dev/trials_dev
  asdkit data-combine data/vox1 data/dev data/eval
  lhotse prepare musan "$musan" data/musan
  lhotse prepare rir-noise --parts sim_rir "$rirs" data/rirs
fi

if stage 2 "train the network"; then
  $gpu nnet-train --config conf/train.conf --config "conf/$net.conf" \
    --config "conf/$objective.conf" --noises data/musan --rooms data/rirs \
    "${options[@]}" --seed "$seed" data/train "$dir"
fi

if stage 3 "extract embeddings"; then
  for part in train eval; do
    $gpu nnet-extract data/$part "$dir" "$dir/$part"
  done
fi

if stage 4 "score the trials, and normalize by the training speakers"; then
  asdkit backend-train --config conf/backend.conf \
    data/train/utt2spk "scp:$dir/train/embedding.scp" "$dir/backend.npz"
  for list in dev o e h; do
    asdkit backend-score "$dir/backend.npz" data/eval/trials_$list \
      "$embeddings" "$dir/scores_$list"
    asdkit score-normalize --cohort-utt2spk data/train/utt2spk \
      --cohort-means "$dir/cohort_means_$list" "$dir/backend.npz" \
      "scp:$dir/train/embedding.scp" "$embeddings" \
      "$dir/scores_$list" "$dir/scores_${list}_as_norm"
  done
fi

if stage 5 "calibrate with quality measures, print the tables"; then
  measures=(--duration data/eval/utt2dur --magnitude "$embeddings")
  asdkit calibration-train "${measures[@]}" \
    --cohort-mean "$dir/cohort_means_dev" \
    data/eval/trials_dev "$dir/scores_dev_as_norm" "$dir/calibration.npz"
  for list in o e h; do
    asdkit score-calibrate "${measures[@]}" \
      --cohort-mean "$dir/cohort_means_$list" "$dir/calibration.npz" \
      "$dir/scores_${list}_as_norm" "$dir/scores_${list}_calibrated"
    asdkit score-metrics data/eval/trials_$list \
      "$dir/scores_$list"{,_as_norm,_calibrated}
  done
fi
