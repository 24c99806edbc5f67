#!/usr/bin/env bash
# ASVspoof 2019, logical or physical access: the baselines, networks, and the
# tandem of each with a speaker verification (ASV) system of our own.
#
#   ./run.sh --corpus DIR                      GMMs, LFCC-LCNN, ASV, tandem: LA
#   ./run.sh --corpus DIR --access pa          the same for replayed speech, which
#                                              local/make_pa.sh can make
#   ./run.sh --corpus DIR --size small         a corpus with hundreds of files
#   ./run.sh --stage 1 --stop-stage 2 --baselines cqcc_2021   another baseline
#   ./run.sh --stage 3 --net aasist --seed 1   another network, another seed
#   ./run.sh --stage 10                        the tables of all that is there
#
# README.md says which networks there are.  Results are in RESULTS.md.

corpus=/corpora/asvspoof2019 # holds LA/ and PA/, or what is in one of them
access=la                    # or pa
size=full                    # small: as conf/small/ says, not as published
net=lfcc_lcnn                # conf/$net.conf says how it is trained
seed=0
crop=                 # what the network scores: whole, first, center; else as trained
baselines="lfcc cqcc" # what GMMs hear, see conf/; also cqcc_2021
num_gauss=512         # of each mixture of the baselines
bootstrap=1000        # draws of speakers for intervals; 0: none
extractor=            # directory of another ASV system's i-vector extractor
backend=              # its back-end
asv_num_gauss=64      # this and the next two: of the ASV system trained here
ivector_dim=50
lda_dim=15
nj=1

. ../../../path.sh
. stages.sh
. parse_options.sh
. ./cmd.sh # sets $cpu and $gpu from $nj
set -euo pipefail

data=data/$access
exp=exp/$access
dir=$exp/$net/seed$seed
asv=$exp/asv
read -ra kinds <<<"$baselines"
systems=("${kinds[@]/%/_gmm}" "$net")
conf=(--config "conf/$net.conf")
[[ $size == full ]] || conf+=(--config "conf/$size/$net.conf")

if stage 0 "prepare lists: train, dev, eval"; then
  for part in train dev eval; do
    asdkit spoof-prepare --corpus "asvspoof2019_$access" --part $part \
      "$corpus" "$data/$part"
  done
  asdkit data-validate "$data"/{train,dev,eval,dev_enroll,eval_enroll}
fi

if stage 1 "compute LFCCs and CQCCs for the GMMs"; then
  for part in train dev eval; do
    for kind in "${kinds[@]}"; do
      asdkit data-copy "$data/$part" "$data/${part}_$kind"
      $cpu feats-compute --config "conf/$kind.conf" \
        "$data/${part}_$kind" "$exp/$kind/$part"
    done
  done
fi

if stage 2 "train the GMMs of the baselines, score"; then
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
  $gpu cm-train "${conf[@]}" --seed "$seed" "$data/train" "$data/dev" "$dir"
fi

if stage 4 "score with the network"; then
  for part in dev eval; do
    $gpu cm-score ${crop:+--crop "$crop"} "$data/$part" "$dir" "$dir/scores_$part"
  done
fi

if stage 5 "check the scores of this seed, print the metrics of each attack"; then
  key=(--flavor asvspoof2019)
  # Without the organizers' ASV scores there is no t-DCF; stage 9 has it with ours.
  [[ ! -e $data/eval/asv_scores ]] || key+=(--asv-scores "$data/eval/asv_scores"
    --asv-trials "$data/eval/asv_trials")
  scores=()
  for cm in "${systems[@]}"; do
    [[ ! -e $exp/$cm/seed$seed/scores_eval ]] \
      || scores+=("$exp/$cm/seed$seed/scores_eval")
  done
  asdkit score-check "${key[@]}" --enrollment "$data/eval/asv_enroll.spk2utt" \
    "$data/eval/utt2attack" "${scores[@]}"
  asdkit score-metrics "${key[@]}" --bootstrap "$bootstrap" \
    "$data/eval/utt2attack" "${scores[@]}"
fi

if stage 6 "compute MFCCs and find the speech for the ASV system"; then
  asdkit data-subset --where utt2attack=bonafide "$data/train" "$data/train_mfcc"
  asdkit data-combine "$data"/{dev,dev_enroll,eval,eval_enroll} "$data/test_mfcc"
  for part in train test; do
    $cpu feats-compute --config conf/mfcc.conf "$data/${part}_mfcc" "$exp/mfcc/$part"
    $cpu vad-compute --config conf/vad.conf "$data/${part}_mfcc" "$exp/vad/$part"
  done
fi

if [[ -z $extractor ]] && stage 7 "train the ASV system on bona fide speech"; then
  train=$data/train_mfcc
  $cpu ubm-train --num-gauss "$asv_num_gauss" --subsample 1 "$train" "$asv/ubm"
  $gpu ivector-train --ivector-dim "$ivector_dim" "$train" "$asv/ubm" "$asv/extractor"
  $gpu ivector-extract "$train" "$asv/extractor" "$asv/train"
  asdkit backend-train --config conf/plda.conf --lda-dim "$lda_dim" \
    "$train/utt2spk" "scp:$asv/train/ivector.scp" "$asv/backend.npz"
fi

if stage 8 "score the pairs of a speaker and an utterance with the ASV system"; then
  $gpu ivector-extract "$data/test_mfcc" "${extractor:-$asv/extractor}" "$asv/test"
  for part in dev eval; do
    asdkit backend-score --enroll-spk2utt "$data/$part/asv_enroll.spk2utt" \
      "${backend:-$asv/backend.npz}" "$data/$part/asv_trials" \
      "scp:$asv/test/ivector.scp" "$asv/scores_$part"
  done
fi

if stage 9 "fuse the ASV system with each countermeasure, on dev only"; then
  for cm in "${systems[@]}"; do
    dir=$exp/$cm/seed$seed
    [[ -e $dir/scores_eval ]] || continue
    for form in linear nonlinear; do
      asdkit tandem-fuse --flavor asvspoof2019 --form $form \
        "$data/dev/asv_trials" "$asv/scores_dev" "$dir/scores_dev" \
        "$data/eval/asv_trials" "$asv/scores_eval" "$dir/scores_eval" \
        "$dir/tandem_$form"
    done
  done
fi

if stage 10 "print the tables of all systems and seeds"; then
  python local/print_tables.py "$data" "$exp"
fi
