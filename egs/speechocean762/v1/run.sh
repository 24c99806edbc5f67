#!/usr/bin/env bash
# speechocean762 with a GMM-UBM i-vector system: Kaldi's voxceleb/v1, sized for
# 85 speakers.  Test: all pairs of same-gender utterances of 40 other speakers.
#
#   ./run.sh --corpus /corpora/speechocean762   everything
#   ./run.sh --corpus ... --seed 1              another seed, into exp/seed1
#   ./run.sh --stage 5                          the back-ends and the table only
#   ./run.sh --nj 2                             two ranks instead of one
#
# The corpus root holds train/ test/ (Kaldi lists with paths relative to the
# root) and WAVE/.  Results are in RESULTS.md.

corpus=
seed=0
num_gauss=512
ivector_dim=200
num_iters=5
lda_dim=80
nj=1

. ../../../path.sh
. stages.sh
. parse_options.sh
. ./cmd.sh # sets $cpu and $gpu from $nj
set -euo pipefail

dir=exp/seed$seed
ubm=$dir/ubm_$num_gauss
extractor=$dir/extractor_${num_gauss}_$ivector_dim
ivectors=$dir/ivectors_${num_gauss}_$ivector_dim

if stage 0 "prepare lists: 85 speakers to train on, 40 to test"; then
  for part in train test; do
    asdkit kaldi-import --root "$corpus" "$corpus/$part" data/$part
  done
  asdkit data-validate data/train data/test
  asdkit trials-make --within data/test/spk2gender data/test data/test/trials
fi

if stage 1 "compute MFCCs and find the speech"; then
  for part in train test; do
    $cpu feats-compute --config conf/mfcc.conf data/$part exp/mfcc/$part
    $cpu vad-compute --config conf/vad.conf data/$part exp/vad/$part
  done
fi

if stage 2 "train the universal background model"; then
  $cpu ubm-train --num-gauss "$num_gauss" --seed "$seed" data/train "$ubm"
fi

if stage 3 "train the i-vector extractor"; then
  $gpu ivector-train --ivector-dim "$ivector_dim" --num-iters "$num_iters" \
    --seed "$seed" data/train "$ubm" "$extractor"
fi

if stage 4 "extract i-vectors"; then
  for part in train test; do
    $gpu ivector-extract data/$part "$extractor" "$ivectors/$part"
  done
fi

if stage 5 "train the back-ends, score the trials, print the table"; then
  for backend in plda cosine; do
    asdkit backend-train --config conf/$backend.conf --lda-dim "$lda_dim" \
      data/train/utt2spk "scp:$ivectors/train/ivector.scp" \
      "$ivectors/$backend.npz"
    asdkit backend-score "$ivectors/$backend.npz" data/test/trials \
      "scp:$ivectors/test/ivector.scp" "$ivectors/scores_$backend"
  done
  asdkit score-metrics data/test/trials "$ivectors"/scores_{plda,cosine}
fi
