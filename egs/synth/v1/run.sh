#!/usr/bin/env bash
# Drawn speakers, from nothing to two tables in minutes on any laptop: the
# template of all recipes, and what CI runs.  Verification by i-vectors and by a
# small network, side by side; then attacks on it, and two countermeasures.  No
# corpus is needed; the voices come from a source-filter synthesizer with its
# own seed.
#
#   ./run.sh                           everything
#   ./run.sh --stage 3 --stop-stage 4  the extractor and its i-vectors only
#   ./run.sh --stage 6 --stop-stage 8  the network that verifies
#   ./run.sh --stage 9                 attacks, countermeasures, and the tables
#   ./run.sh --nj 2                    two ranks instead of one
#
# Results are in RESULTS.md.

num_train_spks=80
num_test_spks=30
num_dev_spks=10
num_gauss=64
ivector_dim=50
lda_dim=30
num_epochs=20
num_cm_epochs=8
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
cm_gmm=exp/cm_gmm_$num_gauss
cm_network=exp/cm_network_seed$seed
asv_scores=$ivectors/scores_asv

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

if stage 9 "draw $num_dev_spks speakers to validate on, enroll the others"; then
  $cpu speakers-draw --num-spks "$num_dev_spks" --prefix dev --seed "$seed" \
    data/dev exp/wav/dev
  asdkit data-subset --where utt2session=01 data/test data/enroll
  asdkit data-subset --where utt2session=02,03,04 data/test data/claims
fi

if stage 10 "attack all speakers, those to test in a way unseen before, too"; then
  for part in train dev; do
    $cpu spoof-simulate --attacks lpc,griffin_lim,replay_CC \
      --ids A01,A02,A03 --per-utterance one --seed "$seed" \
      data/$part data/${part}_spoof exp/wav/${part}_spoof
  done
  $cpu spoof-simulate --attacks lpc,griffin_lim,replay_CC,replay_BB \
    --ids A01,A02,A03,A04 --seed "$seed" \
    data/claims data/test_spoof exp/wav/test_spoof
fi

if stage 11 "compute LFCCs for the countermeasures (CMs)"; then
  for part in train dev test; do
    $cpu feats-compute --config conf/lfcc.conf \
      data/${part}_spoof exp/lfcc/$part
  done
fi

if stage 12 "train a CM of two Gaussian mixtures, score"; then
  $cpu cm-gmm-train --num-gauss "$num_gauss" --seed "$seed" \
    data/train_spoof "$cm_gmm"
  $cpu cm-score data/test_spoof "$cm_gmm" "$cm_gmm/scores"
fi

if stage 13 "train a small network as a CM, score"; then
  $gpu cm-train --config conf/cm_network.conf --num-epochs "$num_cm_epochs" \
    --seed "$seed" data/train_spoof data/dev_spoof "$cm_network"
  $gpu cm-score data/test_spoof "$cm_network" "$cm_network/scores"
fi

if stage 14 "extract i-vectors of the attacks"; then
  asdkit data-subset data/test_spoof data/asv # with a feats.scp of its own
  $cpu feats-compute --config conf/mfcc.conf data/asv exp/mfcc/asv
  $cpu vad-compute --config conf/vad.conf data/asv exp/vad/asv
  $gpu ivector-extract data/asv "$extractor" "$ivectors/asv"
fi

if stage 15 "let PLDA judge who claims to be whom, attacks included"; then
  asdkit trials-make --enroll-spk2utt data/enroll/spk2utt \
    --within data/enroll/spk2gender data/test_spoof data/test_spoof/asv_trials
  asdkit backend-score --enroll-spk2utt data/enroll/spk2utt \
    --enroll-vectors "scp:$ivectors/test/ivector.scp" "$ivectors/plda.npz" \
    data/test_spoof/asv_trials "scp:$ivectors/asv/ivector.scp" "$asv_scores"
fi

if stage 16 "print the tables: verification, CMs"; then
  asdkit score-metrics data/test/trials \
    {"$ivectors","$network"}/scores_{plda,cosine}
  echo
  asdkit score-metrics --flavor asvspoof2021 --asv-scores "$asv_scores" \
    --asv-trials data/test_spoof/asv_trials data/test_spoof/utt2attack \
    {"$cm_gmm","$cm_network"}/scores
fi
