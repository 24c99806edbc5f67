#!/usr/bin/env bash
# Spoof the speech of train in more ways, and put these spoofs beside those of train.
#
#   local/add_more.sh cepstral,wsola,phase_noise 1 exp/wav/more --equalize true ...
#
# Every utterance gets every attack.  Reads $cpu from its environment.

set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

attacks=$1
seed=$2
audio=$3
chain=("${@:4}")

: "${cpu:=asdkit}"

$cpu spoof-simulate --attacks "$attacks" --per-utterance all "${chain[@]}" --seed "$seed" \
  data/train_real data/more_all "$audio"
asdkit data-subset --where "utt2attack=$attacks" data/more_all data/more
asdkit data-combine data/train data/more data/train_more
