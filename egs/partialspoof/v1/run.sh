#!/usr/bin/env bash
# Which parts of an utterance are spoofed: a network scores frames, and an acceptor
# with minimum durations (k2), a median filter and a threshold decide.
#
#   ./run.sh --corpus DIR                       spoofed stretches spliced into LA
#   ./run.sh --corpus DIR --kind partialspoof   the corpus PartialSpoof itself
#   ./run.sh --corpus DIR --size small          a corpus with hundreds of files
#   ./run.sh --stage 3 --net resnet18 --seed 1  another network, another seed
#   ./run.sh --stage 7                          the table of all that is there
#
# The acceptor needs k2: tools/setup.sh --k2, or else --methods "threshold median".
# Results are in RESULTS.md.

corpus=/corpora/asvspoof2019 # holds LA/, or what is in it
kind=asvspoof2019_la         # or partialspoof, whose boundaries come with it
size=full                    # small: as conf/small/ says
net=lcnn_lstm                # conf/$net.conf says how it is trained
seed=0                       # of the network; what is spliced is the same for all
methods="threshold median fsa"
nj=1

. ../../../path.sh
. stages.sh
. parse_options.sh
. ./cmd.sh # sets $cpu and $gpu from $nj, and $k2
set -euo pipefail

dir=exp/$net/seed$seed
read -ra deciders <<<"$methods"
conf=(--config "conf/$net.conf")
[[ $size == full ]] || conf+=(--config "conf/$size/$net.conf")

if stage 0 "prepare lists: train, dev, eval"; then
  target=data
  [[ $kind == partialspoof ]] || target=data/whole
  for part in train dev eval; do
    asdkit spoof-prepare --corpus "$kind" --part $part "$corpus" $target/$part
  done
fi

if [[ $kind != partialspoof ]] && stage 1 "splice spoofed stretches into speech"; then
  for part in train dev eval; do
    $cpu spoof-splice data/whole/$part data/$part exp/wav/$part
  done
fi

if stage 2 "compute LFCCs"; then
  asdkit data-validate data/{train,dev,eval}
  for part in train dev eval; do
    $cpu feats-compute --config conf/lfcc.conf data/$part exp/lfcc/$part
  done
fi

if stage 3 "train the network on frames"; then
  $gpu cm-train "${conf[@]}" --seed "$seed" data/train data/dev "$dir"
fi

if stage 4 "score frames"; then
  for part in dev eval; do
    $gpu cm-localize --decode false data/$part "$dir" "$dir/$part"
  done
fi

if stage 5 "choose on dev how segments are decided"; then
  for method in "${deciders[@]}"; do
    $k2 localizer-tune --method "$method" --config "conf/grid_$method.conf" \
      data/dev "$dir/dev/frames.scp" "$dir/$method.conf" >"$dir/grid_$method.txt"
  done
fi

if stage 6 "decide which segments are spoofed"; then
  for method in "${deciders[@]}"; do
    for part in dev eval; do
      $k2 cm-localize --config "$dir/$method.conf" \
        data/$part "$dir/$part/frames.scp" "$dir/$part/$method"
    done
  done
  asdkit segment-metrics data/eval "${deciders[@]/#/$dir/eval/}"
fi

if stage 7 "print the table of all networks and seeds"; then
  python local/print_tables.py data exp
fi
