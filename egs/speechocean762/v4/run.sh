#!/usr/bin/env bash
# Which i-vector teacher makes a small ResNet better on short and noisy speech?  Ways to
# teach are screened on held-out training speakers; the best are trained with five seeds
# on all of them and tested once.  The i-vectors come from ../v1, to be run first:
#
#   (cd ../v1 && ./run.sh --corpus DIR --name tuned --vad-energy-threshold 1 \
#     --num-gauss 128 --subsample 1)
#
#   ./run.sh                                     everything: ten hours on one core
#   ./run.sh --stage 3 --screened "none mse_100" a part of the screening
#   ./run.sh --stage 4 --seeds 0                 the best ones, one seed
#   ./run.sh --stage 5                           the comparison of what is there
#
# A run that was killed continues where it was.  Results are in RESULTS.md.

set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

extractor=../v1/exp/tuned/seed0/extractor_pca # DIR of the i-vector extractor
source=../v1/data/tuned                       # DIR with train/ and test/
student=student                               # conf/$student.conf
screened="none mse_100 mse_ratio lda_ratio mean_ratio pooled_ratio relational_lda
  classes_cosine classes_lda classes_plda classes_plda_each
  classes_lda_fading classes_plda_fading"       # conf/teach/*.conf
tested="none pooled_ratio lda_ratio mean_ratio" # others must beat the first
hold_out=4                                      # one training speaker in so many is for the screening
seeds="0 1 2 3 4"
sets="full 3s 2s 1s 15dB 5dB" # whole utterances, their middle, with noise
nj=1

. ../../../path.sh
. stages.sh
. parse_options.sh
. cmd.sh # sets $cpu and $gpu from $launcher and $nj
export cpu gpu student sets

if stage 0 "hold out training speakers, one in $hold_out; make the test sets"; then
  need ../v1 "$source"/{train,test}
  local/split.sh "$source" "$hold_out"
  for part in dev test; do
    asdkit trials-make --within data/$part/spk2gender data/$part data/$part/trials
    local/make_tests.sh $part
  done
fi

if stage 1 "extract i-vectors and score them"; then
  need ../v1 "$extractor/extractor.npz"
  need 0 data/{train,dev_tests,test_tests}
  local/extract_ivectors.sh "$extractor" train
  for part in dev test; do
    local/extract_ivectors.sh "$extractor" ${part}_tests
    mkdir -p exp/$part/ivectors
    ln -sfn ../../ivectors/train exp/$part/ivectors/train
    ln -sfn ../../ivectors/${part}_tests exp/$part/ivectors/tests
    local/score.sh train $part exp/$part/ivectors ivector
  done
fi

if stage 2 "train what transforms and scores the i-vectors of the teachers"; then
  need 1 exp/ivectors/train/ivector.scp
  for part in fit train; do
    for backend in target target_lda plda; do
      asdkit backend-train --config conf/$backend.conf data/$part/utt2spk \
        scp:exp/ivectors/train/ivector.scp exp/ivectors/$part/$backend.npz
    done
  done
fi

if stage 3 "screen ways to teach on held-out training speakers"; then
  need 0 data/fit data/dev_tests
  need 2 exp/ivectors/fit/{target,target_lda,plda}.npz
  for teach in $screened; do
    local/train_student.sh dev "$teach" 0
  done
  python local/print_table.py --sets "$sets" exp/dev/ivectors exp/dev/"$student"/*
fi

if stage 4 "train the best with every seed, and test them"; then
  need 0 data/train data/test_tests
  need 2 exp/ivectors/train/{target,target_lda,plda}.npz
  for seed in $seeds; do
    for teach in $tested; do
      local/train_student.sh test "$teach" "$seed"
    done
  done
fi

if stage 5 "compare them with the student that nobody taught"; then
  need 4 exp/test/"$student"/none/seed*/done
  python local/print_table.py --sets "$sets" exp/test/ivectors exp/test/"$student"/*
  read -ra ways <<<"${tested//$'\n'/ }"
  local/compare.sh "${ways[@]}"
fi

if stage 6 "write exp/report.html: all systems, curves, conditions"; then
  need 4 exp/test/"$student"/none/seed*/done
  asdkit report exp -o exp/report.html
fi
