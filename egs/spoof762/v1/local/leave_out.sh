#!/usr/bin/env bash
# List the training data without a family of attacks.
#
#   local/leave_out.sh WORLD data/train _lfcc    data/train_without_WORLD_lfcc
#
# Families are in conf/attacks.txt.  Without a family, there is nothing to do.

set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

family=$1
data=$2
suffix=$3

[[ $family ]] || exit 0
out=conf/attacks.txt
grep -q "^[^#]* $family " "$out" || {
  echo "leave_out.sh: no family $family in $out" >&2
  exit 2
}
# Of what the data have: most attacks are in eval only, and some are not installed.
kept=$(awk -v x="$family" 'NR == FNR { if ($2 == x) gone[$1]; next }
  !($2 in gone) { print $2 }' "$out" "$data$suffix/utt2attack" | sort -u | paste -sd,)
asdkit data-subset --where "utt2attack=$kept" \
  "$data$suffix" "${data}_without_$family$suffix"
