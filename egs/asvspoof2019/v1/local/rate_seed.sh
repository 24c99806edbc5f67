#!/usr/bin/env bash
# Check the scores of countermeasures and print their metrics, by attack.
#
#   local/rate_seed.sh data/la/eval 1000 exp/la/{lfcc_gmm,lfcc_lcnn}/seed0
#
# 1000 is how often speakers are drawn for confidence intervals.  Those that have not
# scored yet are left out.

set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

data=$1
bootstrap=$2
shift 2

key=(--flavor asvspoof2019)
# Without the organizers' ASV scores there is no t-DCF; stage 9 has it with ours.
[[ ! -e $data/asv_scores ]] \
  || key+=(--asv-scores "$data/asv_scores" --asv-trials "$data/asv_trials")
scores=()
for cm; do
  [[ ! -e $cm/scores_eval ]] || scores+=("$cm/scores_eval")
done
if ((${#scores[@]} == 0)); then
  echo "rate_seed.sh: expected scores_eval in one of: $*" >&2
  exit 1
fi
asdkit score-check "${key[@]}" --enrollment "$data/asv_enroll.spk2utt" \
  "$data/utt2attack" "${scores[@]}"
asdkit score-metrics "${key[@]}" --bootstrap "$bootstrap" \
  "$data/utt2attack" "${scores[@]}"
