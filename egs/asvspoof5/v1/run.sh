#!/usr/bin/env bash
# ASVspoof 5: countermeasures (track 1), and each in tandem with a speaker verification
# (ASV) system of our own (track 2), with the challenge's metrics and score files.
#
#   ./run.sh --corpus DIR                        AASIST, seed 0; ASV; tandem
#   ./run.sh --stage 1 --stop-stage 3 --net rawnet2 --seed 1    another network, seed
#   ./run.sh --stage 3 --stop-stage 3            the metrics of track 1 again
#
# Figures to meet are in conf/ and README.md; RESULTS.md says what was run.

set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

corpus=/corpora/asvspoof5 # DIR with flac_T/, flac_D/, flac_E_eval/ and the protocols
download=false            # true: fetch the corpus, 142 GB, into --corpus
net=aasist                # or rawnet2: conf/$net.conf has its training options
seed=0
crop=         # what the network scores: whole, first, center; empty: as trained
bootstrap=0   # draws of speakers for confidence intervals; 0: none
num_gauss=512 # of the ASV system, as the next two
ivector_dim=200
lda_dim=100
form=nonlinear # or linear: fusion of the ASV system and a countermeasure
nj=1

. ../../../path.sh
. stages.sh
. parse_options.sh
. cmd.sh # sets $cpu and $gpu from $launcher and $nj

dir=exp/$net/seed$seed
asv=exp/asv

if stage 0 "prepare lists: train, dev, eval"; then
  fetch asvspoof5 "$corpus"
  for part in train dev eval; do
    asdkit spoof-prepare --corpus asvspoof5 --part $part "$corpus" data/$part
  done
  asdkit data-validate data/{train,dev,eval,dev_enroll,eval_enroll}
fi

if stage 1 "train the countermeasure"; then
  need 0 data/{train,dev}
  $gpu cm-train --config "conf/$net.conf" --seed "$seed" data/train data/dev "$dir"
fi

if stage 2 "score dev and eval with it"; then
  need 0 data/{dev,eval}
  need 1 "$dir/network.pt"
  for part in dev eval; do
    $gpu cm-score ${crop:+--crop "$crop"} data/$part "$dir" "$dir/scores_$part"
  done
fi

if stage 3 "track 1: write the score file and print its metrics"; then
  need 0 data/eval
  need 2 "$dir/scores_eval"
  python local/write_scores.py "$dir/scores_eval" "$dir/track_1.tsv"
  asdkit score-check --flavor asvspoof5 data/eval/utt2attack "$dir/track_1.tsv"
  asdkit score-metrics --flavor asvspoof5 --bootstrap "$bootstrap" \
    data/eval/utt2attack "$dir/track_1.tsv"
fi

if stage 4 "compute MFCCs and detect speech for the ASV system"; then
  need 0 data/{train,dev,dev_enroll,eval,eval_enroll}
  asdkit data-subset --where utt2attack=bonafide data/train data/train_mfcc
  asdkit data-combine data/{dev,dev_enroll,eval,eval_enroll} data/test_mfcc
  for part in train test; do
    $cpu feats-compute --config conf/mfcc.conf "data/${part}_mfcc" "exp/mfcc/$part"
    $cpu vad-compute --config conf/vad.conf "data/${part}_mfcc" "exp/vad/$part"
  done
fi

if stage 5 "train the ASV system on the bona fide speech of train"; then
  need 4 data/train_mfcc/{feats,vad}.scp
  train=data/train_mfcc
  $cpu ubm-train --num-gauss "$num_gauss" $train "$asv/ubm"
  $gpu ivector-train --ivector-dim "$ivector_dim" $train "$asv/ubm" "$asv/extractor"
  $gpu ivector-extract $train "$asv/extractor" "$asv/train"
  asdkit backend-train --config conf/plda.conf --lda-dim "$lda_dim" \
    $train/utt2spk "scp:$asv/train/ivector.scp" "$asv/backend.npz"
fi

if stage 6 "score the ASV trials of track 2"; then
  need 4 data/test_mfcc/{feats,vad}.scp
  need 5 "$asv/extractor/extractor.npz" "$asv/backend.npz"
  $gpu ivector-extract data/test_mfcc "$asv/extractor" "$asv/test"
  for part in dev eval; do
    asdkit backend-score --enroll-spk2utt data/$part/asv_enroll.spk2utt \
      "$asv/backend.npz" data/$part/asv_trials "scp:$asv/test/ivector.scp" \
      "$asv/scores_$part"
  done
fi

if stage 7 "track 2: fuse with the ASV system, tuned on dev"; then
  need 2 "$dir"/scores_{dev,eval}
  need 6 "$asv"/scores_{dev,eval}
  asdkit tandem-fuse --flavor asvspoof5 --form "$form" \
    data/dev/asv_trials "$asv/scores_dev" "$dir/scores_dev" \
    data/eval/asv_trials "$asv/scores_eval" "$dir/scores_eval" "$dir/tandem"
fi

if stage 8 "track 2: write the score file and print its metrics"; then
  need 0 data/eval
  need 7 "$dir/tandem/eval_scores"
  python local/write_scores.py --asv "$asv/scores_eval" \
    --sasv "$dir/tandem/eval_scores" "$dir/scores_eval" "$dir/track_2.tsv"
  asdkit score-metrics --flavor asvspoof5 --bootstrap "$bootstrap" \
    data/eval/asv_trials "$dir/track_2.tsv"
fi

if stage 9 "write exp/report.html: all systems, curves, conditions"; then
  need 7 "$dir/tandem/eval_scores"
  asdkit report exp -o exp/report.html
fi
