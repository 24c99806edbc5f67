#!/usr/bin/env bash
# Compare systems on some of the attacks of eval, over speakers and seeds.
#
#   local/compare.sh lpc,phase_vocoder lfcc_lcnn lfcc_lcnn_more lfcc_gmm
#
# Every system is compared with the first.  Takes what stages 6 and 8 have scored, or
# local/keep_scores.sh has unpacked.

set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

attacks=$1
of_these=$(mktemp -d)
trap 'rm -rf "$of_these"' EXIT

awk -v x="bonafide,$attacks" 'BEGIN { split(x, list, ","); for (i in list) in_it[list[i]] }
  $2 in in_it' data/eval/utt2attack >"$of_these/utt2attack"
systems=()
for system in "${@:2}"; do
  files=
  for scores in exp/"$system"/seed*/scores_eval; do
    chosen=$of_these/${scores//\//_}
    awk 'NR == FNR { wanted[$1]; next } $1 in wanted' "$of_these/utt2attack" "$scores" \
      >"$chosen"
    files+=,$chosen
  done
  systems+=("$system=${files#,}")
done
asdkit compare --utt2spk data/eval/utt2spk "$of_these/utt2attack" "${systems[@]}"
