#!/usr/bin/env bash
# Small networks that learn from two teachers, i-vectors and a large network, on
# speechocean762; tested on whole, short and noisy utterances.  The teachers come
# from ../v1 and ../v2, to be run first:
#
#   (cd ../v1 && ./run.sh --corpus DIR --name tuned --vad-energy-threshold 1 \
#     --num-gauss 128 --subsample 1)
#   (cd ../v2 && ./run.sh --corpus DIR --net large)
#
#   ./run.sh                                 the whole grid: hours on one core
#   ./run.sh --students xvector --seeds 0    a part of it
#   ./run.sh --stage 5                       continue the grid, then the table
#   ./run.sh --stage 6                       the table and a page of what is there
#
# A grid that was killed continues where it was.  Results are in RESULTS.md.

set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

extractor=../v1/exp/tuned/seed0/extractor_pca # DIR of the i-vector extractor
large=../v2/exp/large_seed0                   # DIR of the large network
students="xvector resnet"
objectives="none mse mse:weight_100 precision precision:weight_100 cosine kl
  decoupled_kd:gamma_0 decoupled_kd:gamma_0.5 decoupled_kd:gamma_1
  decoupled_kd:gamma_2 decoupled_kd:gamma_4 decoupled_kd:gamma_8"
seeds="0 1 2"
nj=1

. ../../../path.sh
. stages.sh
. parse_options.sh
. cmd.sh # sets $cpu and $gpu from $launcher and $nj
export gpu large
shopt -s globstar # an objective may have folders below its own, one for each value

if stage 0 "make the test sets: whole, 3 s, 2 s, 1 s, noisy"; then
  need ../v2 ../v2/data/test
  asdkit data-copy --utt-prefix full- ../v2/data/test data/full
  for sec in 3 2 1; do
    asdkit data-copy --crop-sec $sec --utt-prefix ${sec}s- ../v2/data/test data/${sec}s
  done
  for snr in 15 5; do
    $cpu noise-add --snr-db $snr ../v2/data/test data/noise_$snr exp/noise_$snr
    asdkit data-copy --utt-prefix ${snr}dB- data/noise_$snr data/${snr}dB
  done
  asdkit data-combine data/{full,3s,2s,1s,15dB,5dB} data/tests
fi

if stage 1 "compute filter banks, MFCCs and speech decisions"; then
  need ../v2 ../v2/data/train
  need 0 data/tests
  asdkit data-copy ../v2/data/train data/train
  for part in train tests; do
    asdkit data-copy data/$part data/${part}_mfcc
    $cpu feats-compute --config conf/mfcc.conf data/${part}_mfcc exp/mfcc/$part
    $cpu vad-compute --config conf/vad.conf data/${part}_mfcc exp/vad/$part
    $cpu feats-compute --config conf/fbank.conf data/$part exp/fbank/$part
  done
fi

if stage 2 "extract i-vectors and their precisions, and score them"; then
  need 1 data/{train,tests}_mfcc/{feats,vad}.scp
  need ../v1 "$extractor/extractor.npz"
  $gpu ivector-extract data/tests_mfcc "$extractor" exp/ivectors/tests
  $gpu ivector-extract --with-precision true \
    data/train_mfcc "$extractor" exp/ivectors/train
  local/score.sh exp/ivectors ivector
fi

if stage 3 "extract the large network's embeddings and score them"; then
  need 1 data/{train,tests}/feats.scp
  need ../v2 "$large/network.pt"
  for part in train tests; do
    $gpu nnet-extract data/$part "$large" exp/large/$part
  done
  local/score.sh exp/large embedding
fi

if stage 4 "normalize the i-vectors, the students' targets"; then
  need 2 exp/ivectors/train/ivector.scp
  for target in target target_lda; do
    asdkit backend-train --config conf/$target.conf data/train/utt2spk \
      scp:exp/ivectors/train/ivector.scp exp/ivectors/$target.npz
  done
fi

if stage 5 "train the students, extract embeddings and score them"; then
  need 1 data/{train,tests}/feats.scp
  need ../v2 "$large/network.pt"
  need 4 exp/ivectors/{target,target_lda}.npz
  for seed in $seeds; do
    for student in $students; do
      for objective in $objectives; do
        local/train_student.sh "$student" "$objective" "$seed"
      done
    done
  done
fi

if stage 6 "print the results"; then
  need ../v2 "$large/network.pt"
  need 5 exp/*/*/**/plda.eer
  python local/print_table.py --students "$students" --objectives "$objectives" exp
  networks=("$large")
  for student in $students; do
    trained=(exp/"$student"/**/network.pt)
    [[ ! -e ${trained[0]} ]] || networks+=("${trained[0]%/*}")
  done
  asdkit nnet-info "${networks[@]}"
fi

if stage 7 "write exp/report.html: all systems, curves, conditions"; then
  need 2 exp/ivectors/scores_{cosine,plda}.npz
  asdkit report exp -o exp/report.html
fi
