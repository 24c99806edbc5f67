#!/usr/bin/env bash
# ASD-ResNetSE: a countermeasure pre-trained on speakers (GE2E), fine-tuned
# against an adversary, and distilled into a network a fifth as large.
#
#   ./run.sh --corpus2019 DIR --corpus2021 DIR    both networks, all variants
#   ./run.sh --corpus2019 DIR --corpus2021 DIR --make-2021 true
#                                                 2021's eval, made from 2019's
#   ./run.sh --size small                         for hundreds of files
#   ./run.sh --name spoof762 --source ../../spoof762/v1/data --size medium
#                                                 another recipe's corpus
#   ./run.sh --stage 3 --networks student --variants kd --seeds 1    one of them
#   ./run.sh --stage 2 --augment none             without codecs in training
#   ./run.sh --stage 1 --track df --corpus2021 DIR    the same networks on 2021 DF
#
# A run that was killed continues where it was.  Results are in RESULTS.md.

set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

corpus2019=/corpora/asvspoof2019    # DIR with LA/, or its contents: train, dev
corpus2021=/corpora/asvspoof2021    # DIR of the evaluation corpus
download=false                      # true: fetch both, LA 15 GB, DF 42 GB
track=la                            # or df: the evaluation corpus
make_2021=false                     # true: make it there from 2019's eval; LA only
num_copies=7                        # per utterance then, each with another codec
name=                               # of a folder in data/ and exp/, for another corpus
source=                             # DIR with its train/, dev/ and eval_coded/
size=full                           # small, medium: conf/$size/, not as published
ge2e_data=                          # DIR for GE2E; empty: the bona fide speech of train
augment=codec                       # or none, rawboost, codec_rawboost
codecs=telephone,alaw,ulaw,gsm,opus # for training, drawn for each utterance
audio=                              # DIR for their output; empty: $exp/wav
adversary=fgsm                      # or pgd, reversal (a speaker classifier)
networks="teacher student"
variants="scratch ge2e adv kd all" # kd: the student only
seeds="0 1 2"
num_attacked=1000      # utterances of eval to attack; 0: all
epsilons=0.02,0.05,0.1 # strengths of the attacks; empty: none
adversary_steps=10     # of pgd
nj=1

. ../../../path.sh
. stages.sh
. parse_options.sh
. cmd.sh # sets $cpu and $gpu from $launcher and $nj

data=data${name:+/$name}
exp=exp${name:+/$name}/$augment
[[ $adversary == fgsm ]] || exp+=_$adversary
audio=${audio:-exp${name:+/$name}/wav/train_coded}
train=$data/train_$augment
case $augment in
  none | codec) augmentation="" ;;
  rawboost | codec_rawboost) augmentation="--rawboost 5" ;;
  *) fail 2 "--augment takes none, codec, rawboost or codec_rawboost, not '$augment'" ;;
esac
case $track in
  la) of_track="" ;;
  df) of_track=_df ;;
  *) fail 2 "--track takes la or df, not '$track'" ;;
esac
[[ $track$make_2021 != dftrue ]] || fail 2 "--make-2021 makes LA, not DF"
eval=$data/eval$of_track
all=${eval}_all
attacked=$data/attacked$of_track
systems=() # networks and variants
for network in $networks; do
  for variant in $variants; do
    [[ $network,$variant == teacher,kd ]] || systems+=("$network $variant")
  done
done
export gpu data exp train eval all track of_track size augmentation
export adversary adversary_steps epsilons

leaks() { # DIR
  log "$1 has leaks: see RESULTS.md"
}

if [[ $make_2021 == true ]] && stage 0 "make 2021's eval from 2019's, with codecs"; then
  python local/make_2021.py --num-copies "$num_copies" "$corpus2019" "$corpus2021"
fi

if stage 1 "prepare lists: train and dev of 2019, eval of 2021"; then
  [[ $make_2021 != true ]] || need 0 "$corpus2021/LA/CM/trial_metadata.txt"
  [[ $source ]] || fetch asvspoof2019_la "$corpus2019" "asvspoof2021_$track" "$corpus2021"
  local/prepare_lists.sh "$corpus2019" "$corpus2021" "$source"
  asdkit data-subset --random "$num_attacked" "$eval" "$attacked"
  asdkit data-validate "$data"/{train,dev} "$eval" "$attacked"
  for dir in "$data"/{train,dev} "$eval"; do asdkit leak-check "$dir" || leaks "$dir"; done
fi

if stage 2 "augment train ($augment) and list its bona fide speech"; then
  need 1 "$data/train"
  if [[ $augment == codec* ]]; then
    asdkit data-copy --utt-prefix coded- "$data/train" "$data/train_copy"
    $cpu codec-apply --codecs "$codecs" "$data"/train_{copy,coded} "$audio"
    asdkit data-combine "$data"/{train,train_coded} "$train"
  else
    asdkit data-copy "$data/train" "$train"
  fi
  asdkit data-subset --where utt2attack=bonafide "$train" "${train}_bonafide"
fi

if stage 3 "train, score and attack the countermeasures"; then
  need 1 "$data/dev" "$eval" "$attacked"
  need 2 "$train" "${train}_bonafide"
  for seed in $seeds; do
    for system in "${systems[@]}"; do
      read -r network variant <<<"$system"
      local/train_speakers.sh "$network" "$variant" "$seed" \
        "${ge2e_data:-${train}_bonafide}"
      local/train_cm.sh "$network" "$variant" "$seed"
    done
  done
fi

if stage 4 "print error rates, by codec and under attack, sizes and costs"; then
  need 1 "$data/dev" "$eval" "$attacked"
  need 3 "$exp"/*/seed*/"scores_eval$of_track"
  python local/print_tables.py --track "$track" "$data" "$exp"
fi

if stage 5 "write $exp/report.html: all systems, curves, conditions"; then
  need 3 "$exp"/*/seed*/"scores_eval$of_track"
  asdkit report "$exp" -o "$exp/report.html"
fi
