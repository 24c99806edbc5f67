#!/usr/bin/env bash
# Train a network with the options in the objective's .conf and score dev and eval,
# unless that has been done.
#
#   local/train_cm.sh DIR NETWORK OBJECTIVE SEED [OPTION ...]
#
# Reads from its environment $data, where train, dev and eval are; $suffix, of those
# with stored features; $gpu; and $conf, the .conf files and other options shared by all
# networks.  A training that was killed continues where it was.

set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

dir=$1
net=$2
objective=$3
seed=$4
shift 4

: "${data:?} ${gpu:?} ${conf:?} ${suffix?}"

[[ ! -e $dir/scores_eval ]] || exit 0
# shellcheck disable=SC2086 # several words
$gpu cm-train $conf --config "conf/$objective.conf" --network "$net" --seed "$seed" \
  "$@" "$data/train$suffix" "$data/dev$suffix" "$dir"
for part in dev eval; do
  # shellcheck disable=SC2086
  $gpu cm-score "$data/$part$suffix" "$dir" "$dir/scores_$part"
done
