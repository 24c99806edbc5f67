#!/usr/bin/env bash
# ASVspoof 2019, logical or physical access: SENets and ECANets whose deepest stage
# teaches the ones before it, each beside the same network without.
#
#   ./run.sh --corpus DIR                              eight networks, three seeds
#   ./run.sh --corpus DIR --nets ecanet18 --seeds 0    one
#   ./run.sh --corpus DIR --access pa                  the same for replayed speech
#   ./run.sh --corpus DIR --size small                 a corpus with hundreds of files
#   ./run.sh --stage 3 --stop-stage 3                  weights and temperatures
#   ./run.sh --stage 4                                 the tables of all that is there
#
# A run that was killed continues where it was.  Results are in RESULTS.md.

corpus=/corpora/asvspoof2019 # holds LA/ and PA/, or what is in one of them
access=la                    # or pa
size=full                    # small: as conf/small/ says, not as published
front=f0                     # conf/$front.conf says which frequencies: f0, full, ...
store=true                   # false: compute spectra whenever a batch is made
nets="senet9 senet18 senet34 senet50 ecanet9 ecanet18 ecanet34 ecanet50"
objectives="plain self" # conf/$objective.conf
seeds="0 1 2"
ablate=senet9 # the network of stage 3, and what is changed there
changes="hard-share=0.3 hard-share=0.5 hard-share=0.9 hard-share=1
  feature-weight=0 feature-weight=0.03 feature-weight=0.1 feature-weight=1
  temperature=1 temperature=2 temperature=5 temperature=10
  hard-on=all adapter=linear"
nj=1

. ../../../path.sh
. stages.sh
. parse_options.sh
. ./cmd.sh # sets $cpu and $gpu from $nj
set -euo pipefail

data=data/$access
exp=exp/$access/$front
conf="--config conf/train.conf"
[[ $size == full ]] || conf+=" --config conf/$size/train.conf"
if [[ $store == true ]]; then
  suffix=_$front
  conf+=" --features stored"
else
  suffix=
  conf+=" --features spectrum --config conf/$front.conf"
fi
export data suffix conf gpu

if stage 0 "prepare lists: train, dev, eval"; then
  for part in train dev eval; do
    asdkit spoof-prepare --corpus "asvspoof2019_$access" --part $part \
      "$corpus" "$data/$part"
  done
  asdkit data-validate "$data"/{train,dev,eval}
fi

if [[ $store == true ]] && stage 1 "compute log spectra"; then
  for part in train dev eval; do
    asdkit data-copy "$data/$part" "$data/$part$suffix"
    $cpu feats-compute --type spectrum --config "conf/$front.conf" \
      "$data/$part$suffix" "$exp/spectrum/$part"
  done
fi

if stage 2 "train networks, with and without self-distillation; score"; then
  for seed in $seeds; do
    for net in $nets; do
      for objective in $objectives; do
        local/train_cm.sh "$exp/${net}_$objective/seed$seed" "$net" "$objective" "$seed"
      done
    done
  done
fi

if stage 3 "the same for one network and other weights, temperatures, and so on"; then
  for seed in $seeds; do
    for change in $changes; do
      local/train_cm.sh "$exp/${ablate}_self_$change/seed$seed" "$ablate" self "$seed" \
        "--$change"
    done
  done
fi

if stage 4 "print the tables of all that is there"; then
  python ../v1/local/print_tables.py "$data" "$exp"
  python local/compare_objectives.py "$data" "$exp"
fi
