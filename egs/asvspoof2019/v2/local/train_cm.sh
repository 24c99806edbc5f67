#!/usr/bin/env bash
# Train a network as the objective's .conf says and score, unless that was done.
#
#   local/train_cm.sh DIR NETWORK OBJECTIVE SEED [OPTION ...]
#
# Uses $data, where train, dev and eval are; $suffix, of those with stored features;
# $gpu, and $conf, a list of .conf files and other options of all networks.  A
# training that was killed continues where it was.

dir=$1
net=$2
objective=$3
seed=$4
shift 4

set -euo pipefail
: "${data:?} ${gpu:?} ${conf:?} ${suffix?}"

[[ ! -e $dir/scores_eval ]] || exit 0
# shellcheck disable=SC2086 # several words
$gpu cm-train $conf --config "conf/$objective.conf" --network "$net" --seed "$seed" \
  "$@" "$data/train$suffix" "$data/dev$suffix" "$dir"
for part in dev eval; do
  # shellcheck disable=SC2086
  $gpu cm-score "$data/$part$suffix" "$dir" "$dir/scores_$part"
done
