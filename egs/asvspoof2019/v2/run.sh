#!/usr/bin/env bash
# ASVspoof 2019, logical or physical access: SENets and ECANets whose deepest
# stage teaches the earlier ones (self-distillation), each beside the same network
# without it.
#
#   ./run.sh --corpus DIR                            eight networks, three seeds
#   ./run.sh --corpus DIR --nets ecanet18 --seeds 0  one
#   ./run.sh --corpus DIR --access pa                the same on replayed speech
#   ./run.sh --corpus DIR --size small               for hundreds of files
#   ./run.sh --name spoof762 --source ../../spoof762/v1/data --size medium \
#     --front f0_high --nets "senet18 ecanet18"      another recipe's corpus
#   ./run.sh --stage 3 --stop-stage 3                weights and temperatures
#   ./run.sh --stage 4                               the tables of all results so far
#
# A run that was killed continues where it was.  Results are in RESULTS.md.

set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

corpus=/corpora/asvspoof2019 # DIR with LA/ and PA/, or with the contents of one
download=false               # true: fetch LA, 7.6 GB, or PA, 16 GB
access=la                    # or pa
name=                        # of a folder in data/ and exp/, for another corpus
source=                      # DIR with its train/, dev/ and eval/
size=full                    # small, medium: conf/$size/, not as published
front=f0                     # conf/$front.conf has the frequencies: f0, f0_high, full
store=true                   # false: compute the spectra of each batch anew
nets="senet9 senet18 senet34 senet50 ecanet9 ecanet18 ecanet34 ecanet50"
objectives="plain self" # conf/$objective.conf: without and with self-distillation
seeds="0 1 2"
ablate=senet9 # the network of stage 3, and the options that change there
changes="hard-share=0.3 hard-share=0.5 hard-share=0.9 hard-share=1
  feature-weight=0 feature-weight=0.03 feature-weight=0.1 feature-weight=1
  temperature=1 temperature=2 temperature=5 temperature=10
  hard-on=all adapter=linear"
nj=1

. ../../../path.sh
. stages.sh
. parse_options.sh
. cmd.sh # sets $cpu and $gpu from $launcher and $nj

corpus_name=asvspoof2019_$access
data=data/${name:-$access}
exp=exp/${name:-$access}/$front
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
  [[ $source ]] || fetch "$corpus_name" "$corpus"
  prepare_spoof_lists.sh "$corpus_name" "$corpus" "$data" "$source"
fi

if [[ $store == true ]] && stage 1 "compute log spectra"; then
  need 0 "$data"/{train,dev,eval}
  for part in train dev eval; do
    asdkit data-copy "$data/$part" "$data/$part$suffix"
    $cpu feats-compute --type spectrum --config "conf/$front.conf" \
      "$data/$part$suffix" "$exp/spectrum/$part"
  done
fi

if stage 2 "train all networks with all objectives and score dev and eval"; then
  need 0 "$data"/{train,dev,eval}
  [[ $store != true ]] || need 1 "$data"/{train,dev,eval}"$suffix"/feats.scp
  for seed in $seeds; do
    for net in $nets; do
      for objective in $objectives; do
        local/train_cm.sh "$exp/${net}_$objective/seed$seed" "$net" "$objective" "$seed"
      done
    done
  done
fi

if stage 3 "train $ablate with other weights, temperatures and so on"; then
  need 0 "$data"/{train,dev,eval}
  [[ $store != true ]] || need 1 "$data"/{train,dev,eval}"$suffix"/feats.scp
  for seed in $seeds; do
    for change in $changes; do
      local/train_cm.sh "$exp/${ablate}_self_$change/seed$seed" "$ablate" self "$seed" \
        "--$change"
    done
  done
fi

if stage 4 "print the results of all networks and seeds"; then
  need 0 "$data"/{dev,eval}
  need 2 "$exp"/*/seed*/scores_eval
  python ../v1/local/print_tables.py "$data" "$exp"
  python local/compare_objectives.py "$data" "$exp"
fi

if stage 5 "write $exp/report.html: all systems, curves, conditions"; then
  need 2 "$exp"/*/seed*/scores_eval
  asdkit report "$exp" -o "$exp/report.html"
fi
