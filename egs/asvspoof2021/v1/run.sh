#!/usr/bin/env bash
# ASD-ResNetSE: a countermeasure that is pre-trained on speakers (GE2E), fine-tuned
# against an adversary, and distilled into a network a fifth as large.
#
#   ./run.sh --corpus2019 DIR --corpus2021 DIR          both networks, all variants
#   ./run.sh --corpus2019 DIR --make-2021 true --corpus2021 DIR   codes 2019's eval
#   ./run.sh --size small                               a corpus with hundreds of files
#   ./run.sh --stage 3 --networks student --variants kd --seeds 1   one of them
#   ./run.sh --stage 2 --augment none    without codecs in the training
#
# A run that was killed continues where it was.  Results are in RESULTS.md.

corpus2019=/corpora/asvspoof2019    # to train and validate on; holds LA/, or what is in it
corpus2021=/corpora/asvspoof2021    # to evaluate on
make_2021=false                     # true: make it there from eval of 2019
num_copies=7                        # that has of an utterance, each through another codec
size=full                           # small: as conf/small/ says, not as published
ge2e_data=                          # speakers to start from; none: bona fide ones of train
augment=codec                       # or none, rawboost, codec_rawboost
codecs=telephone,alaw,ulaw,gsm,opus # of the training, drawn for every utterance
audio=exp/wav/train_coded           # where what went through them goes
adversary=fgsm                      # or pgd, reversal: a classifier of speakers
networks="teacher student"
variants="scratch ge2e adv kd all" # kd: the student only
seeds="0 1 2"
num_attacked=1000      # utterances of eval that are attacked; 0: all
epsilons=0.02,0.05,0.1 # by how much; none: no attacks
adversary_steps=10     # of pgd
nj=1

. ../../../path.sh
. stages.sh
. parse_options.sh
. ./cmd.sh # sets $cpu and $gpu from $nj
set -euo pipefail

exp=exp/$augment
[[ $adversary == fgsm ]] || exp+=_$adversary
train=data/train_$augment
case $augment in
  none | codec) augmentation="" ;;
  rawboost | codec_rawboost) augmentation="--rawboost 5" ;;
  *)
    echo "run.sh: expected --augment none, codec, rawboost or codec_rawboost" >&2
    exit 2
    ;;
esac
export gpu exp train size adversary augmentation epsilons adversary_steps

if [[ $make_2021 == true ]] && stage 0 "send 2019's eval through codecs"; then
  python local/make_2021.py --num-copies "$num_copies" "$corpus2019" "$corpus2021"
fi

if stage 1 "prepare lists: train and dev of 2019, eval of 2021"; then
  for part in train dev; do
    asdkit spoof-prepare --corpus asvspoof2019_la --part $part "$corpus2019" data/$part
  done
  asdkit spoof-prepare --corpus asvspoof2021_la --part eval "$corpus2021" data/eval_all
  asdkit data-subset --where utt2subset=eval data/eval_all data/eval
  asdkit data-subset --random "$num_attacked" data/eval data/attacked
  asdkit data-validate data/{train,dev,eval,attacked}
fi

if stage 2 "add a copy of train that went through codecs, find its speakers"; then
  if [[ $augment == codec* ]]; then
    asdkit data-copy --utt-prefix coded- data/train data/train_copy
    $cpu codec-apply --codecs "$codecs" data/train_copy data/train_coded "$audio"
    asdkit data-combine data/train data/train_coded "$train"
  else
    asdkit data-copy data/train "$train"
  fi
  asdkit data-subset --where utt2attack=bonafide "$train" "${train}_bonafide"
fi

if stage 3 "train, score, attack"; then
  for seed in $seeds; do
    for network in $networks; do
      for variant in $variants; do
        [[ $network,$variant != teacher,kd ]] || continue
        local/train_speakers.sh "$network" "$variant" "$seed" \
          "${ge2e_data:-${train}_bonafide}"
        local/train_cm.sh "$network" "$variant" "$seed"
      done
    done
  done
fi

if stage 4 "print the tables: error rates, sizes and costs, codecs, robustness"; then
  python local/print_tables.py data "$exp"
fi
