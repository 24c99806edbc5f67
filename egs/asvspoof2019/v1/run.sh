#!/usr/bin/env bash
# ASVspoof 2019, logical or physical access: the baselines, networks, and each in
# tandem with a speaker verification (ASV) system of our own.
#
#   ./run.sh --corpus DIR                      GMMs, LFCC-LCNN, ASV, tandem: LA
#   ./run.sh --corpus DIR --access pa          the same on replayed speech, which
#                                              local/make_pa.sh can simulate
#   ./run.sh --corpus DIR --size small         for a corpus of hundreds of files
#   ./run.sh --stage 1 --stop-stage 2 --baselines cqcc_2021   another baseline
#   ./run.sh --stage 3 --net aasist --seed 1   another network, another seed
#   ./run.sh --stage 10                        the tables of all results so far
#
# README.md lists the networks.  Results are in RESULTS.md.

set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

corpus=/corpora/asvspoof2019 # DIR with LA/ and PA/, or with the contents of one
download=false               # true: fetch LA, 7.6 GB, or PA, 16 GB
access=la                    # or pa
size=full                    # small: as in conf/small/, not as published
net=lfcc_lcnn                # conf/$net.conf has its training options
seed=0
crop=                 # what the network scores: whole, first, center; empty: as trained
baselines="lfcc cqcc" # features of the GMMs, see conf/; also cqcc_2021
num_gauss=512         # per class, for the baselines
bootstrap=1000        # draws of speakers for confidence intervals; 0: none
extractor=            # DIR of another ASV system's i-vector extractor
backend=              # FILE of its back-end
asv_num_gauss=64      # of the ASV system trained here, as the next two
ivector_dim=50
lda_dim=15
nj=1

. ../../../path.sh
. stages.sh
. parse_options.sh
. cmd.sh # sets $cpu and $gpu from $launcher and $nj

data=data/$access
exp=exp/$access
dir=$exp/$net/seed$seed
asv=$exp/asv
read -ra kinds <<<"$baselines"
evals=("${kinds[@]/#/$data/eval_}") # of each baseline
cms=("${kinds[@]/%/_gmm}" "$net")
cms=("${cms[@]/#/$exp/}")
cms=("${cms[@]/%//seed$seed}")
conf=(--config "conf/$net.conf")
[[ $size == full ]] || conf+=(--config "conf/$size/$net.conf")

if stage 0 "prepare lists: train, dev, eval"; then
  fetch "asvspoof2019_$access" "$corpus"
  prepare_spoof_lists.sh "asvspoof2019_$access" "$corpus" "$data" ""
  asdkit data-validate "$data"/{dev,eval}_enroll
fi

if stage 1 "compute features for the GMMs: $baselines"; then
  need 0 "$data"/{train,dev,eval}
  for part in train dev eval; do
    for kind in "${kinds[@]}"; do
      asdkit data-copy "$data/$part" "$data/${part}_$kind"
      $cpu feats-compute --config "conf/$kind.conf" \
        "$data/${part}_$kind" "$exp/$kind/$part"
    done
  done
fi

if stage 2 "train the baseline GMMs and score dev and eval"; then
  need 1 "${evals[@]/%//feats.scp}"
  for kind in "${kinds[@]}"; do
    gmm=$exp/${kind}_gmm/seed$seed
    $cpu cm-gmm-train --config "conf/${kind}_gmm.conf" --num-gauss "$num_gauss" \
      --seed "$seed" "$data/train_$kind" "$gmm"
    for part in dev eval; do
      $cpu cm-score "$data/${part}_$kind" "$gmm" "$gmm/scores_$part"
    done
  done
fi

if stage 3 "train the network"; then
  need 0 "$data"/{train,dev}
  $gpu cm-train "${conf[@]}" --seed "$seed" "$data/train" "$data/dev" "$dir"
fi

if stage 4 "score dev and eval with the network"; then
  need 0 "$data"/{dev,eval}
  need 3 "$dir/network.pt"
  for part in dev eval; do
    $gpu cm-score ${crop:+--crop "$crop"} "$data/$part" "$dir" "$dir/scores_$part"
  done
fi

if stage 5 "check this seed's scores and print metrics by attack"; then
  need 0 "$data/eval"
  need 4 "$exp"/*/"seed$seed/scores_eval"
  local/rate_seed.sh "$data/eval" "$bootstrap" "${cms[@]}"
fi

if stage 6 "compute MFCCs and detect speech for the ASV system"; then
  need 0 "$data"/{train,dev,dev_enroll,eval,eval_enroll}
  asdkit data-subset --where utt2attack=bonafide "$data/train" "$data/train_mfcc"
  asdkit data-combine "$data"/{dev,dev_enroll,eval,eval_enroll} "$data/test_mfcc"
  for part in train test; do
    $cpu feats-compute --config conf/mfcc.conf "$data/${part}_mfcc" "$exp/mfcc/$part"
    $cpu vad-compute --config conf/vad.conf "$data/${part}_mfcc" "$exp/vad/$part"
  done
fi

if [[ -z $extractor ]] && stage 7 "train the ASV system on bona fide speech"; then
  need 6 "$data"/train_mfcc/{feats,vad}.scp
  train=$data/train_mfcc
  $cpu ubm-train --num-gauss "$asv_num_gauss" --subsample 1 "$train" "$asv/ubm"
  $gpu ivector-train --ivector-dim "$ivector_dim" "$train" "$asv/ubm" "$asv/extractor"
  $gpu ivector-extract "$train" "$asv/extractor" "$asv/train"
  asdkit backend-train --config conf/plda.conf --lda-dim "$lda_dim" \
    "$train/utt2spk" "scp:$asv/train/ivector.scp" "$asv/backend.npz"
fi

if stage 8 "score the ASV trials"; then
  need 6 "$data"/test_mfcc/{feats,vad}.scp
  [[ $extractor ]] || need 7 "$asv/extractor/extractor.npz"
  [[ $backend ]] || need 7 "$asv/backend.npz"
  $gpu ivector-extract "$data/test_mfcc" "${extractor:-$asv/extractor}" "$asv/test"
  for part in dev eval; do
    asdkit backend-score --enroll-spk2utt "$data/$part/asv_enroll.spk2utt" \
      "${backend:-$asv/backend.npz}" "$data/$part/asv_trials" \
      "scp:$asv/test/ivector.scp" "$asv/scores_$part"
  done
fi

if stage 9 "fuse the ASV system with each countermeasure, tuned on dev"; then
  need 8 "$asv"/scores_{dev,eval}
  for cm in "${cms[@]}"; do
    [[ -e $cm/scores_eval ]] || continue
    for form in linear nonlinear; do
      asdkit tandem-fuse --flavor asvspoof2019 --form $form \
        "$data/dev/asv_trials" "$asv/scores_dev" "$cm/scores_dev" \
        "$data/eval/asv_trials" "$asv/scores_eval" "$cm/scores_eval" \
        "$cm/tandem_$form"
    done
  done
fi

if stage 10 "print the results of all systems and seeds"; then
  need 0 "$data"/{dev,eval}
  need 4 "$exp"/*/seed*/scores_eval
  python local/print_tables.py "$data" "$exp"
fi

if stage 11 "write $exp/report.html: all systems, curves, conditions"; then
  need 4 "$exp"/*/seed*/scores_eval
  asdkit report "$exp" -o "$exp/report.html"
fi
