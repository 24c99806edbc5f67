#!/usr/bin/env bash
# VoxCeleb1-O with a GMM-UBM i-vector system: Kaldi's voxceleb/v1, which reaches
# 5.329 % EER, and a teacher for ../v2.
#
#   ./run.sh --voxceleb1 DIR --voxceleb2 DIR  everything
#   ./run.sh --stage 3 --stop-stage 4         the extractor and its i-vectors only
#   ./run.sh --nj 40                          forty ranks instead of one
#   ./run.sh --nj 40 --launcher slurm         the same on a cluster
#
# README.md says how to lay out the corpora, and how much disk this takes.
# Results are in RESULTS.md.

set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

voxceleb1=/corpora/voxceleb1 # DIR with vox1_meta.csv, veri_test{,2}.txt
voxceleb2=/corpora/voxceleb2 # DIR with vox2_meta.csv
download=false               # true: fetch the lists; ask for the audio
num_gauss=2048
subsample=5
num_longest=100000
ivector_dim=400
num_iters=5
lda_dim=200
seed=0
nj=1

. ../../../path.sh
. stages.sh
. parse_options.sh
. cmd.sh # sets $cpu and $gpu from $launcher and $nj

ubm=exp/ubm_$num_gauss
extractor=exp/extractor_$ivector_dim
ivectors=exp/ivectors_$ivector_dim
train=scp:$ivectors/train/ivector.scp

if stage 0 "prepare training and test lists, and the trials"; then
  fetch voxceleb1_lists "$voxceleb1" voxceleb2_lists "$voxceleb2"
  asdkit voxceleb-prepare --part dev "$voxceleb1" data/vox1_dev
  asdkit voxceleb-prepare --part all "$voxceleb2" data/vox2
  asdkit data-combine data/vox1_dev data/vox2 data/train
  asdkit voxceleb-prepare --part test "$voxceleb1" data/test
  asdkit trials-import "$voxceleb1/veri_test.txt" data/test data/test/trials
  asdkit trials-import "$voxceleb1/veri_test2.txt" \
    data/test data/test/trials_cleaned
  asdkit data-validate data/train data/test
fi

if stage 1 "compute MFCCs and detect speech"; then
  need 0 data/{train,test}
  for part in train test; do
    $cpu feats-compute --config conf/mfcc.conf data/$part exp/mfcc/$part
    $cpu vad-compute --config conf/vad.conf data/$part exp/vad/$part
  done
fi

if stage 2 "train the universal background model"; then
  need 1 data/train/{feats,vad}.scp
  $cpu ubm-train --num-gauss "$num_gauss" --subsample "$subsample" \
    --seed "$seed" data/train "$ubm"
fi

if stage 3 "train the i-vector extractor on the longest utterances"; then
  # The short ones slow the training down and make the extractor worse.
  need 1 data/train/{feats,vad}.scp
  need 2 "$ubm/ubm.npz"
  asdkit data-subset --longest "$num_longest" data/train data/train_longest
  $gpu ivector-train --ivector-dim "$ivector_dim" --num-iters "$num_iters" \
    --seed "$seed" data/train_longest "$ubm" "$extractor"
fi

if stage 4 "extract i-vectors"; then
  need 1 data/{train,test}/{feats,vad}.scp
  need 3 "$extractor/extractor.npz"
  for part in train test; do
    $gpu ivector-extract data/$part "$extractor" "$ivectors/$part"
  done
fi

if stage 5 "train the back-ends and score the trials"; then
  need 0 data/test/{trials,trials_cleaned}
  need 4 "$ivectors"/{train,test}/ivector.scp
  for backend in plda whitened_cosine cosine; do
    asdkit backend-train --config conf/$backend.conf --lda-dim "$lda_dim" \
      --extractor "$extractor" data/train/utt2spk "$train" "$ivectors/$backend.npz"
    for trials in trials trials_cleaned; do
      asdkit backend-score "$ivectors/$backend.npz" data/test/$trials \
        "scp:$ivectors/test/ivector.scp" "$ivectors/${trials}_$backend"
    done
  done
fi

if stage 6 "print the results: the original trials, the cleaned ones"; then
  need 5 "$ivectors"/{trials,trials_cleaned}_{plda,whitened_cosine,cosine}
  for trials in trials trials_cleaned; do
    asdkit score-metrics data/test/$trials "$ivectors/$trials"_{plda,whitened_cosine,cosine}
  done
fi

if stage 7 "write exp/report.html: all systems, curves, conditions"; then
  need 5 "$ivectors"/{trials,trials_cleaned}_{plda,whitened_cosine,cosine}
  asdkit report exp -o exp/report.html
fi
