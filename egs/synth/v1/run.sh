#!/usr/bin/env bash
# Drawn speakers, from nothing to an EER table in minutes on any laptop: the
# template of all recipes, and what CI runs.  i-vectors and a small network,
# side by side.  No corpus is needed; the voices come from a source-filter
# synthesizer with its own seed.
#
#   ./run.sh                           everything
#   ./run.sh --stage 3 --stop-stage 4  the extractor and its i-vectors only
#   ./run.sh --stage 6                 the network, and the table
#   ./run.sh --nj 2                    two ranks instead of one
#
# Results are in RESULTS.md.

num_train_spks=80
num_test_spks=30
num_gauss=64
ivector_dim=50
lda_dim=30
num_epochs=20
seed=0
nj=1

. ../../../path.sh
. stages.sh
. parse_options.sh
. ./cmd.sh # sets $cpu and $gpu from $nj
set -euo pipefail

ubm=exp/ubm_$num_gauss
extractor=exp/extractor_$ivector_dim
ivectors=exp/ivectors_$ivector_dim
network=exp/network_seed$seed

if stage 0 "draw speakers: $num_train_spks to train on, $num_test_spks to test"; then
  $cpu speakers-draw --num-spks "$num_train_spks" --prefix train --seed "$seed" \
    data/train exp/wav/train
  $cpu speakers-draw --num-spks "$num_test_spks" --prefix test --seed "$seed" \
    data/test exp/wav/test
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
  $gpu ivector-train --ivector-dim "$ivector_dim" --seed "$seed" \
    data/train "$ubm" "$extractor"
fi

if stage 4 "extract i-vectors"; then
  for part in train test; do
    $gpu ivector-extract data/$part "$extractor" "$ivectors/$part"
  done
fi

if stage 5 "train back-ends for i-vectors, score the trials"; then
  for backend in plda cosine; do
    asdkit backend-train --config conf/$backend.conf --lda-dim "$lda_dim" \
      data/train/utt2spk "scp:$ivectors/train/ivector.scp" \
      "$ivectors/$backend.npz"
    asdkit backend-score "$ivectors/$backend.npz" data/test/trials \
      "scp:$ivectors/test/ivector.scp" "$ivectors/scores_$backend"
  done
fi

if stage 6 "compute filter banks for the network"; then
  for part in train test; do
    asdkit data-subset data/$part data/${part}_fbank # with a feats.scp of its own
    $cpu feats-compute --config conf/fbank.conf \
      data/${part}_fbank exp/fbank/$part
  done
fi

if stage 7 "train a small network, extract its embeddings"; then
  $gpu nnet-train --config conf/network.conf --num-epochs "$num_epochs" \
    --seed "$seed" data/train_fbank "$network"
  for part in train test; do
    $gpu nnet-extract data/${part}_fbank "$network" "$network/$part"
  done
fi

if stage 8 "train back-ends for the network, score the trials"; then
  for backend in plda cosine; do
    asdkit backend-train --config conf/$backend.conf --lda-dim "$lda_dim" \
      data/train/utt2spk "scp:$network/train/embedding.scp" \
      "$network/$backend.npz"
    asdkit backend-score "$network/$backend.npz" data/test/trials \
      "scp:$network/test/embedding.scp" "$network/scores_$backend"
  done
fi

if stage 9 "print the table"; then
  asdkit score-metrics data/test/trials \
    {"$ivectors","$network"}/scores_{plda,cosine}
fi
