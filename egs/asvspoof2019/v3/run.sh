#!/usr/bin/env bash
# ASVspoof 2019 LA with frozen embeddings and classical classifiers, on a CPU:
# statistics of LFCCs and, if you have one, the layers of a self-supervised encoder.
#
#   ./run.sh --corpus DIR                              statistics of LFCCs
#   ./run.sh --corpus DIR --checkpoint wav2vec2-base-960h --layers 1,2,3
#   ./run.sh --name spoof762 --source ../../spoof762/v1/data --networks "ge2e=DIR"
#                                                      another corpus, frozen networks
#   ./run.sh --stage 3 --classifiers svm --select eer  another choice
#   ./run.sh --stage 4 --others "../v1/exp/la/*"       beside the CMs of ../v1
#
# A grid that was killed continues where it was.  Results are in RESULTS.md.

set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

corpus=/corpora/asvspoof2019 # DIR with LA/, or with its contents
download=false               # true: fetch the corpus, 7.6 GB, into --corpus
checkpoint=                  # PATH: a transformers folder or a torchaudio file
layers=0,1,2,3,4,5,6,7,8,9,10,11,12
networks= # NAME=DIR ...: trained networks, as encoders, too
name=     # of a folder in data/ and exp/, for another corpus
source=   # DIR with its train/, dev/ and eval/
classifiers="logistic svm knn naive_bayes tree forest xgboost mlp"
select=f1     # or eer: the metric on dev that chooses a classifier's options
seeds="0 1 2" # for trees, forests and MLPs; the others are deterministic
others=       # DIRS of other countermeasures, for the last table
nj=1

. ../../../path.sh
. stages.sh
. parse_options.sh
. cmd.sh # sets $cpu and $gpu from $launcher and $nj

data=data${name:+/$name}
exp=exp${name:+/$name}
embeddings=stats
[[ -z $checkpoint ]] || embeddings+=" layer${layers//,/ layer}"
for network in $networks; do
  embeddings+=" ${network%%=*}"
done
systems=()
for embedding in $embeddings; do
  for classifier in $classifiers; do
    systems+=("$exp/${embedding}_$classifier")
  done
done
export select seeds data exp

if stage 0 "prepare lists: train, dev, eval"; then
  [[ $source ]] || fetch asvspoof2019_la "$corpus"
  prepare_spoof_lists.sh asvspoof2019_la "$corpus" "$data" "$source"
fi

if stage 1 "compute LFCCs, their means and standard deviations over time"; then
  need 0 "$data"/{train,dev,eval}
  for part in train dev eval; do
    $cpu feats-compute --type lfcc "$data/$part" "$exp/lfcc/$part"
    $cpu stats-extract "$data/$part" "$exp/stats/$part"
  done
fi

if [[ $checkpoint$networks ]] && stage 2 "embed with frozen networks"; then
  need 0 "$data"/{train,dev,eval}
  for part in train dev eval; do
    [[ ! $checkpoint ]] \
      || $gpu ssl-extract --layers "$layers" "$data/$part" "$checkpoint" "$exp/ssl/$part"
    for network in $networks; do
      $gpu nnet-extract "$data/$part" "${network#*=}" \
        "$exp/networks/${network%%=*}/$part"
    done
  done
fi

if stage 3 "tune, train and score the classifiers"; then
  need 1 "$exp"/stats/{train,dev,eval}/embedding.scp
  [[ -z $checkpoint ]] || need 2 "$exp"/ssl/{train,dev,eval}
  [[ -z $networks ]] || need 2 "$exp"/networks
  for embedding in $embeddings; do
    for classifier in $classifiers; do
      for seed in $seeds; do
        local/train_classifier.sh "$embedding" "$classifier" "$seed"
      done
    done
  done
fi

if stage 4 "print error rates, sizes and costs"; then
  need 3 "$exp"/*_*/seed*/train/scores_eval
  trained=()
  for system in "${systems[@]}"; do
    [[ ! -e $system ]] || trained+=("$system")
  done
  # shellcheck disable=SC2086 # several directories
  python local/print_tables.py ${checkpoint:+--checkpoint "$checkpoint"} \
    "$data" "${trained[@]}" "$exp"/{lfcc,stats} ${checkpoint:+"$exp/ssl"} $others
fi

if [[ -n $checkpoint ]] && stage 5 "compare with the authors' table"; then
  need 3 "$exp"/layer*_*/seed*/train_dev/scores_eval
  python local/compare_published.py "$data/eval" "$exp"
fi

if stage 6 "write $exp/report.html: all systems, curves, conditions"; then
  need 3 "$exp"/*_*/seed*/train/scores_eval
  asdkit report "$exp" -o "$exp/report.html"
fi
