#!/usr/bin/env bash
# A synthesized corpus, from nothing to two tables in minutes on any laptop: the
# template of all recipes, and the one that CI runs.  Verifies speakers with
# i-vectors and with a small network, then spoofs them and trains two
# countermeasures.  No recordings are needed: a source-filter synthesizer with
# its own seed makes the voices.
#
#   ./run.sh                           everything
#   ./run.sh --stage 3 --stop-stage 4  the extractor and its i-vectors only
#   ./run.sh --stage 6 --stop-stage 8  the verification network
#   ./run.sh --fbank fbank_sherpa --stage 6 --stop-stage 8
#                                      that network on features that sherpa-onnx computes
#   ./run.sh --stage 9                 spoofs, countermeasures, both tables
#   ./run.sh --stage 17 --bundle true  a bundle of both networks, for those who use
#                                      them; needs pip install asdkit[export]
#   ./run.sh --stage 20                exp/report.html, a page of all results
#   ./run.sh --nj 2                    two ranks instead of one
#
# Results are in RESULTS.md.

set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

num_train_spks=80
num_test_spks=30
num_dev_spks=10
num_gauss=64
ivector_dim=50
lda_dim=30
fbank=fbank # conf/$fbank.conf; fbank_sherpa is what sherpa-onnx computes
num_epochs=20
num_cm_epochs=8
seed=0
bundle=false # true: make a bundle of both networks, too
nj=1
num_threads=1 # of a rank; in models this small, more would wait for each other

. ../../../path.sh
. stages.sh
. parse_options.sh
. cmd.sh # sets $cpu and $gpu from $launcher and $nj

ubm=exp/ubm_$num_gauss
extractor=exp/extractor_$ivector_dim
ivectors=exp/ivectors_$ivector_dim
network=exp/network${fbank#fbank}_seed$seed
scores=("$ivectors"/scores_{plda,whitened_cosine} "$network"/scores_{plda,cosine})
cm_gmm=exp/cm_gmm_$num_gauss
cm_network=exp/cm_network_seed$seed
asv_scores=$ivectors/scores_asv

if stage 0 "synthesize $num_train_spks training and $num_test_spks test speakers"; then
  $cpu speakers-draw --num-spks "$num_train_spks" --prefix train --seed "$seed" \
    data/train exp/wav/train
  $cpu speakers-draw --num-spks "$num_test_spks" --prefix test --seed "$seed" \
    data/test exp/wav/test
  asdkit data-validate data/train data/test
  asdkit trials-make --within data/test/spk2gender data/test data/test/trials
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
  $cpu ubm-train --num-gauss "$num_gauss" --seed "$seed" data/train "$ubm"
fi

if stage 3 "train the i-vector extractor"; then
  need 1 data/train/{feats,vad}.scp
  need 2 "$ubm/ubm.npz"
  $gpu ivector-train --ivector-dim "$ivector_dim" --seed "$seed" \
    data/train "$ubm" "$extractor"
fi

if stage 4 "extract i-vectors"; then
  need 1 data/{train,test}/{feats,vad}.scp
  need 3 "$extractor/extractor.npz"
  for part in train test; do
    $gpu ivector-extract data/$part "$extractor" "$ivectors/$part"
  done
fi

if stage 5 "train back-ends on i-vectors and score the trials"; then
  need 0 data/test/trials
  need 4 "$ivectors"/{train,test}/ivector.scp
  for backend in plda whitened_cosine; do
    asdkit backend-train --config conf/$backend.conf --lda-dim "$lda_dim" \
      --extractor "$extractor" data/train/utt2spk "scp:$ivectors/train/ivector.scp" \
      "$ivectors/$backend.npz"
    asdkit backend-score "$ivectors/$backend.npz" data/test/trials \
      "scp:$ivectors/test/ivector.scp" "$ivectors/scores_$backend"
  done
fi

if stage 6 "compute filter banks for the network"; then
  need 0 data/{train,test}
  for part in train test; do
    asdkit data-subset data/$part data/${part}_$fbank # with a feats.scp of its own
    $cpu feats-compute --config "conf/$fbank.conf" \
      data/${part}_$fbank exp/$fbank/$part
  done
fi

if stage 7 "train a small network and extract embeddings"; then
  need 6 data/{train,test}_"$fbank"/feats.scp
  $gpu nnet-train --config conf/network.conf --num-epochs "$num_epochs" \
    --seed "$seed" data/train_$fbank "$network"
  for part in train test; do
    $gpu nnet-extract data/${part}_$fbank "$network" "$network/$part"
  done
fi

if stage 8 "train back-ends on embeddings and score the trials"; then
  need 0 data/test/trials
  need 7 "$network"/{train,test}/embedding.scp
  for backend in plda cosine; do
    asdkit backend-train --config conf/$backend.conf --lda-dim "$lda_dim" \
      data/train/utt2spk "scp:$network/train/embedding.scp" \
      "$network/$backend.npz"
    asdkit backend-score "$network/$backend.npz" data/test/trials \
      "scp:$network/test/embedding.scp" "$network/scores_$backend"
  done
fi

if stage 9 "synthesize $num_dev_spks development speakers, list enrollments"; then
  need 0 data/test
  $cpu speakers-draw --num-spks "$num_dev_spks" --prefix dev --seed "$seed" \
    data/dev exp/wav/dev
  asdkit data-subset --where utt2session=01 data/test data/enroll
  asdkit data-subset --where utt2session=02,03,04 data/test data/claims
fi

if stage 10 "spoof all speakers; the test set gets an unseen attack, too"; then
  need 0 data/train
  need 9 data/{dev,claims}
  for part in train dev; do
    $cpu spoof-simulate --attacks lpc,griffin_lim,replay_CC \
      --ids A01,A02,A03 --per-utterance one --seed "$seed" \
      data/$part data/${part}_spoof exp/wav/${part}_spoof
  done
  $cpu spoof-simulate --attacks lpc,griffin_lim,replay_CC,replay_BB --seed "$seed" \
    --ids A01,A02,A03,A04 data/claims data/test_spoof exp/wav/test_spoof
fi

if stage 11 "compute LFCCs for the countermeasures (CMs)"; then
  need 10 data/{train,dev,test}_spoof
  for part in train dev test; do
    $cpu feats-compute --config conf/lfcc.conf \
      data/${part}_spoof exp/lfcc/$part
  done
fi

if stage 12 "train the GMM countermeasure and score the test set"; then
  need 11 data/{train,test}_spoof/feats.scp
  $cpu cm-gmm-train --num-gauss "$num_gauss" --seed "$seed" \
    data/train_spoof "$cm_gmm"
  $cpu cm-score data/test_spoof "$cm_gmm" "$cm_gmm/scores"
fi

if stage 13 "train the network countermeasure and score the test set"; then
  need 11 data/{train,dev,test}_spoof/feats.scp
  $gpu cm-train --config conf/cm_network.conf --num-epochs "$num_cm_epochs" \
    --seed "$seed" data/train_spoof data/dev_spoof "$cm_network"
  $gpu cm-score data/test_spoof "$cm_network" "$cm_network/scores"
fi

if stage 14 "extract i-vectors of the spoofed test set"; then
  need 3 "$extractor/extractor.npz"
  need 10 data/test_spoof
  asdkit data-subset data/test_spoof data/asv # with a feats.scp of its own
  $cpu feats-compute --config conf/mfcc.conf data/asv exp/mfcc/asv
  $cpu vad-compute --config conf/vad.conf data/asv exp/vad/asv
  $gpu ivector-extract data/asv "$extractor" "$ivectors/asv"
fi

if stage 15 "score target, nontarget and spoof trials with PLDA"; then
  need 5 "$ivectors/plda.npz"
  need 9 data/enroll
  need 14 "$ivectors/asv/ivector.scp"
  asdkit trials-make --enroll-spk2utt data/enroll/spk2utt \
    --within data/enroll/spk2gender data/test_spoof data/test_spoof/asv_trials
  asdkit backend-score --enroll-spk2utt data/enroll/spk2utt \
    --enroll-vectors "scp:$ivectors/test/ivector.scp" "$ivectors/plda.npz" \
    data/test_spoof/asv_trials "scp:$ivectors/asv/ivector.scp" "$asv_scores"
fi

if stage 16 "print the results: verification, countermeasures"; then
  need 5 "$ivectors"/scores_{plda,whitened_cosine}
  need 8 "$network"/scores_{plda,cosine}
  need 12 "$cm_gmm/scores"
  need 13 "$cm_network/scores"
  need 15 "$asv_scores"
  asdkit score-metrics data/test/trials "${scores[@]}"
  echo
  asdkit score-metrics --flavor asvspoof2021 --asv-scores "$asv_scores" \
    --asv-trials data/test_spoof/asv_trials data/test_spoof/utt2attack \
    {"$cm_gmm","$cm_network"}/scores
fi

if [[ $bundle == true ]] && stage 17 "extract embeddings of the development speakers"; then
  need 7 "$network/network.pt"
  need 9 data/dev
  asdkit data-subset data/dev data/dev_$fbank
  $cpu feats-compute --config "conf/$fbank.conf" data/dev_$fbank exp/$fbank/dev
  $gpu nnet-extract data/dev_$fbank "$network" "$network/dev"
fi

if [[ $bundle == true ]] && stage 18 "calibrate on the development speakers"; then
  need 8 "$network"/{cosine.npz,scores_cosine}
  need 17 "$network/dev/embedding.scp"
  asdkit trials-make --within data/dev/spk2gender data/dev data/dev/trials
  asdkit backend-score "$network/cosine.npz" data/dev/trials \
    "scp:$network/dev/embedding.scp" "$network/dev/scores"
  asdkit calibration-train --ridge 1e-4 data/dev/trials "$network/dev/scores" \
    "$network/calibration.npz"
  asdkit score-calibrate "$network/calibration.npz" "$network/scores_cosine" \
    "$network/llrs"
fi

if [[ $bundle == true ]] && stage 19 "make a bundle of both networks in exp/model"; then
  need 13 "$cm_network/network.pt"
  need 18 "$network"/{calibration.npz,llrs}
  $gpu cm-score data/dev_spoof "$cm_network" "$cm_network/dev_scores"
  asdkit bundle-make --backend "$network/cosine.npz" --cm "$cm_network" \
    --calibration "$network/calibration.npz" --cm-key data/dev_spoof/utt2attack \
    --cm-scores "$cm_network/dev_scores" --calibration-utt2spk data/dev/utt2spk \
    --card-data data/test --card-trials data/test/trials --card-scores "$network/llrs" \
    --licence CC0-1.0 --data "synthesized voices" "$network" exp/model
fi

if stage 20 "write exp/report.html: all systems, curves, conditions"; then
  need 5 "$ivectors"/scores_{plda,whitened_cosine}
  need 8 "$network"/scores_{plda,cosine}
  need 12 "$cm_gmm/scores"
  need 13 "$cm_network/scores"
  asdkit report exp -o exp/report.html
fi
