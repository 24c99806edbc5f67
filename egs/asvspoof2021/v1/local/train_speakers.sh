#!/usr/bin/env bash
# Train a speaker network with GE2E, if a variant starts from one.
#
#   local/train_speakers.sh teacher all 0 data/train_bonafide
#
# Reads $gpu, $exp, $size and $augmentation from its environment, like train_cm.sh.

set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

network=$1
variant=$2
seed=$3
data=$4

: "${gpu:=asdkit}" "${exp:?expected a directory}" "${size:=full}" "${augmentation=}"

dir=$exp/${network}_speakers/seed$seed
[[ $variant == ge2e || $variant == all ]] || exit 0
[[ ! -e $dir/network.pt ]] || exit 0
conf=()
for name in "$network" ge2e; do
  conf+=(--config "conf/$name.conf")
  [[ $size == full ]] || conf+=(--config "conf/$size/$name.conf")
done
# shellcheck disable=SC2086 # options
$gpu nnet-train "${conf[@]}" $augmentation --seed "$seed" "$data" "$dir"
