#!/usr/bin/env bash
# Your own recordings: from a folder of audio, by speaker, to i-vectors, a small
# network and their error rates.  Sizes are chosen by the number of speakers and
# minutes; too little is refused, with what was counted.
#
#   ./run.sh --audio ~/recordings      everything; ~/recordings/ann/monday.wav is Ann's
#   ./run.sh --audio calls --speaker-from '([a-z]+)_[0-9]+'    calls/ann_0012.mp3
#   ./run.sh --audio x --split 20:10   20 speakers to train on, 10 to test
#   ./run.sh --audio x --model bundle  a trained model on these voices, too
#   ./run.sh --stage 9                 the results again
#
# Any rate and format but m4a; long recordings are cut into utterances in the pauses.
# Audio is read where it is and never copied.  What to expect is in RESULTS.md.

set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

audio=              # DIR of recordings
speaker_from=folder # or parent, or a regular expression with the speaker in a group
split=auto          # numbers of training and test speakers; auto: two thirds and the rest
max_sec=8           # longer recordings are cut
model=              # PATH of a trained bundle to test, too
seed=0
nj=1
num_threads=1 # of a rank; in models this small, more would wait for each other

. ../../../path.sh
. stages.sh
. parse_options.sh
. cmd.sh # sets $cpu and $gpu from $launcher and $nj

ivectors=exp/ivectors
network=exp/network_seed$seed

if stage 0 "list the recordings, and divide the speakers"; then
  given audio
  asdkit data-prepare --speaker-from "$speaker_from" --split "$split" \
    --seed "$seed" "$audio" data/all
fi

if stage 1 "find the speech, and cut long recordings in the pauses"; then
  need 0 data/all_{train,test}
  for part in train test; do
    $cpu feats-compute --config conf/mfcc.conf data/all_$part exp/mfcc/all_$part
    $cpu vad-compute --config conf/vad.conf data/all_$part exp/vad/all_$part
    asdkit data-segment --max-sec "$max_sec" data/all_$part data/cut_$part
  done
fi

if stage 2 "choose sizes by the amount of data, and list the trials"; then
  need 1 data/cut_{train,test}
  python3 local/choose_sizes.py data/cut_train data/cut_test conf exp/conf
  asdkit data-subset data/cut_train data/train
  asdkit data-subset --config exp/conf/test.conf --seed "$seed" \
    data/cut_test data/test
  asdkit trials-make --config exp/conf/trials.conf data/test data/test/trials
fi

if stage 3 "compute MFCCs and detect speech"; then
  need 2 data/{train,test}
  for part in train test; do
    $cpu feats-compute --config conf/mfcc.conf data/$part exp/mfcc/$part
    $cpu vad-compute --config conf/vad.conf data/$part exp/vad/$part
  done
fi

if stage 4 "train the universal background model and the i-vector extractor"; then
  need 2 exp/conf/{ubm,extractor}.conf
  need 3 data/train/{feats,vad}.scp
  $cpu ubm-train --config exp/conf/ubm.conf --seed "$seed" data/train exp/ubm
  $gpu ivector-train --config exp/conf/extractor.conf --seed "$seed" \
    data/train exp/ubm exp/extractor
fi

if stage 5 "extract i-vectors"; then
  need 3 data/{train,test}/{feats,vad}.scp
  need 4 exp/extractor/extractor.npz
  for part in train test; do
    $gpu ivector-extract data/$part exp/extractor "$ivectors/$part"
  done
fi

if stage 6 "train a small network and extract embeddings"; then
  need 2 data/{train,test} exp/conf/network.conf
  for part in train test; do
    asdkit data-subset data/$part data/${part}_fbank # with a feats.scp of its own
    $cpu feats-compute --config conf/fbank.conf data/${part}_fbank exp/fbank/$part
  done
  $gpu nnet-train --config exp/conf/network.conf --seed "$seed" \
    data/train_fbank "$network"
  for part in train test; do
    $gpu nnet-extract data/${part}_fbank "$network" "$network/$part"
  done
fi

if stage 7 "train back-ends and score the trials"; then
  need 2 data/test/trials exp/conf/plda.conf
  need 5 "$ivectors"/{train,test}/ivector.scp
  need 6 "$network"/{train,test}/embedding.scp
  local/score_back_ends.sh "$ivectors" ivector plda whitened_cosine
  local/score_back_ends.sh "$network" embedding plda cosine
fi

if [[ $model ]] && stage 8 "score the trials with the trained model"; then
  need 2 data/test/trials
  $gpu trials-score "$model" data/test data/test/trials exp/model/scores
fi

if stage 9 "print the results"; then
  need 7 "$ivectors"/scores_{plda,whitened_cosine} "$network"/scores_{plda,cosine}
  [[ -z $model ]] || need 8 exp/model/scores
  trained=${model:+exp/model/scores}
  asdkit score-metrics --bootstrap 200 --utt2spk data/test/utt2spk \
    --digits 2 data/test/trials "$ivectors"/scores_{plda,whitened_cosine} \
    "$network"/scores_{plda,cosine} ${trained:+"$trained"}
fi

if stage 10 "write exp/report.html: all systems, curves, conditions"; then
  need 7 "$ivectors"/scores_{plda,whitened_cosine} "$network"/scores_{plda,cosine}
  asdkit report exp -o exp/report.html
fi
