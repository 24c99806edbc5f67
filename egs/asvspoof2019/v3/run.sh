#!/usr/bin/env bash
# ASVspoof 2019 LA with frozen embeddings and classical classifiers, on a CPU:
# statistics of LFCCs, and the layers of a self-supervised encoder if there is one.
#
#   ./run.sh --corpus DIR                              statistics of LFCCs
#   ./run.sh --corpus DIR --checkpoint wav2vec2-base-960h --layers 1,2,3
#   ./run.sh --stage 3 --classifiers "svm" --select eer    another choice
#   ./run.sh --stage 4 --others "../v1/exp/la/*"       beside the CMs of ../v1
#
# A grid that was killed continues where it was.  Results are in RESULTS.md.

corpus=/corpora/asvspoof2019 # holds LA/, or what is in it
checkpoint=                  # folder of transformers', or torchaudio's file; none: no SSL
layers=0,1,2,3,4,5,6,7,8,9,10,11,12
classifiers="logistic svm knn naive_bayes tree forest xgboost mlp"
select=f1     # or eer: what is best on the development set
seeds="0 1 2" # of trees, forests and MLPs; the others draw nothing
others=       # directories of other countermeasures, for the last table
nj=1

. ../../../path.sh
. stages.sh
. parse_options.sh
. ./cmd.sh # sets $cpu and $gpu from $nj
set -euo pipefail

embeddings=stats
[[ -z $checkpoint ]] || embeddings+=" layer${layers//,/ layer}"

if stage 0 "prepare lists: train, dev, eval"; then
  for part in train dev eval; do
    asdkit spoof-prepare --corpus asvspoof2019_la --part $part "$corpus" data/$part
  done
  asdkit data-validate data/{train,dev,eval}
fi

if stage 1 "compute LFCCs and their means and deviations over time"; then
  for part in train dev eval; do
    $cpu feats-compute --type lfcc data/$part exp/lfcc/$part
    $cpu stats-extract data/$part exp/stats/$part
  done
fi

if [[ -n $checkpoint ]] && stage 2 "compute means over time of the encoder's layers"; then
  for part in train dev eval; do
    $gpu ssl-extract --layers "$layers" data/$part "$checkpoint" exp/ssl/$part
  done
fi

if stage 3 "search, train, score"; then
  export cpu select seeds
  for embedding in $embeddings; do
    for classifier in $classifiers; do
      for seed in $seeds; do
        local/train_classifier.sh "$embedding" "$classifier" "$seed"
      done
    done
  done
fi

if stage 4 "print error rates, sizes, costs"; then
  systems=()
  for embedding in $embeddings; do
    for classifier in $classifiers; do
      [[ ! -e exp/${embedding}_$classifier ]] \
        || systems+=("exp/${embedding}_$classifier")
    done
  done
  # shellcheck disable=SC2086 # several directories
  python local/print_tables.py ${checkpoint:+--checkpoint "$checkpoint"} \
    data "${systems[@]}" exp/lfcc exp/stats ${checkpoint:+exp/ssl} $others
fi

if [[ -n $checkpoint ]] && stage 5 "compare with the authors' table"; then
  python local/compare_published.py data/eval exp
fi
