#!/usr/bin/env bash
# Localize the spoofed parts of utterances: a network scores frames; a threshold, a
# median filter or an acceptor with minimum durations (k2) makes segments of them.
#
#   ./run.sh --corpus DIR                       spoofed segments spliced into LA
#   ./run.sh --corpus DIR --kind partialspoof   the PartialSpoof corpus itself
#   ./run.sh --corpus DIR --size small          for a corpus of hundreds of files
#   ./run.sh --stage 3 --net resnet18 --seed 1  another network, another seed
#   ./run.sh --stage 7                          the tables of all results so far
#
# The acceptor needs k2: tools/setup.sh --k2, or else --methods "threshold median".
# Results are in RESULTS.md.

set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

corpus=/corpora/asvspoof2019 # DIR with LA/, or its contents; or of PartialSpoof
download=false               # true: fetch ASVspoof 2019 LA, 7.6 GB, into --corpus
kind=asvspoof2019_la         # or partialspoof, which comes with its boundaries
size=full                    # small: as in conf/small/
net=lcnn_lstm                # conf/$net.conf has its training options
seed=0                       # of the network; the splices are the same for all seeds
methods="threshold median fsa"
nj=1

. ../../../path.sh
. stages.sh
. parse_options.sh
. cmd.sh # sets $cpu and $gpu from $launcher and $nj, and $k2

dir=exp/$net/seed$seed
read -ra deciders <<<"$methods"
tuned=("${deciders[@]/#/$dir/}")
lists=data/whole # of stage 0; stage 1 splices them into data/
[[ $kind != partialspoof ]] || lists=data
conf=(--config "conf/$net.conf")
[[ $size == full ]] || conf+=(--config "conf/$size/$net.conf")

if stage 0 "prepare lists: train, dev, eval"; then
  [[ $kind != asvspoof2019_la ]] || fetch "$kind" "$corpus"
  for part in train dev eval; do
    asdkit spoof-prepare --corpus "$kind" --part $part "$corpus" $lists/$part
  done
fi

if [[ $kind != partialspoof ]] && stage 1 "splice spoofed segments into speech"; then
  need 0 data/whole/{train,dev,eval}
  for part in train dev eval; do
    $cpu spoof-splice data/whole/$part data/$part exp/wav/$part
  done
fi

if stage 2 "compute LFCCs"; then
  need 0 $lists/{train,dev,eval}
  need 1 data/{train,dev,eval}
  asdkit data-validate data/{train,dev,eval}
  for part in train dev eval; do
    $cpu feats-compute --config conf/lfcc.conf data/$part exp/lfcc/$part
  done
fi

if stage 3 "train the network on frame labels"; then
  need 2 data/{train,dev}/feats.scp
  $gpu cm-train "${conf[@]}" --seed "$seed" data/train data/dev "$dir"
fi

if stage 4 "score the frames of dev and eval"; then
  need 2 data/{dev,eval}/feats.scp
  need 3 "$dir/network.pt"
  for part in dev eval; do
    $gpu cm-localize --decode false data/$part "$dir" "$dir/$part"
  done
fi

if stage 5 "tune each method on dev"; then
  need 4 "$dir/dev/frames.scp"
  for method in "${deciders[@]}"; do
    $k2 localizer-tune --method "$method" --config "conf/grid_$method.conf" \
      data/dev "$dir/dev/frames.scp" "$dir/$method.conf" >"$dir/grid_$method.txt"
  done
fi

if stage 6 "find spoofed segments and print this seed's metrics"; then
  need 4 "$dir"/{dev,eval}/frames.scp
  need 5 "${tuned[@]/%/.conf}"
  for method in "${deciders[@]}"; do
    for part in dev eval; do
      $k2 cm-localize --config "$dir/$method.conf" \
        data/$part "$dir/$part/frames.scp" "$dir/$part/$method"
    done
  done
  asdkit segment-metrics data/eval "${deciders[@]/#/$dir/eval/}"
fi

if stage 7 "print the results of all networks and seeds"; then
  need 6 exp/*/seed*/*/*/smoothed.scp
  python local/print_tables.py data exp
fi

if stage 8 "write exp/report.html: all systems, curves, conditions"; then
  need 6 exp/*/seed*/*/*/smoothed.scp
  asdkit report exp -o exp/report.html
fi
