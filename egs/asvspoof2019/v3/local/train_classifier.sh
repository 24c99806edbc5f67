#!/usr/bin/env bash
# Choose the options of a classifier, train it and score, unless that has been done.
#
#   local/train_classifier.sh stats logistic 0    embedding, classifier, seed
#
# Writes $exp/<embedding>_<classifier>/seed<N>/train and train_dev, each a classifier and
# its scores.  Reads from its environment $data and $exp; $select, the metric on dev that
# chooses; $seeds, of which deterministic classifiers take the first only.

set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

embedding=$1
classifier=$2
seed=$3

: "${select:?} ${seeds:?}" "${data:=data}" "${exp:=exp}"

dir=$exp/${embedding}_$classifier/seed$seed
[[ ! -e $dir/train_dev/scores_eval ]] || exit 0

case $classifier in
  tree | forest | mlp) ;;
  *) [[ $seed == "${seeds%% *}" ]] || exit 0 ;; # deterministic
esac
if [[ $classifier == xgboost ]] && ! python -c "import xgboost" 2>/dev/null; then
  echo "train_classifier.sh: xgboost is not installed: pip install xgboost-cpu" >&2
  exit 0
fi

# Energies and deltas of filter banks differ in size a thousandfold, as dimensions of
# other networks do.  An encoder's do not, and are taken as they are, as the authors did.
case $embedding in
  stats) from=$exp/stats to=embedding.scp scale=true ;;
  layer*) from=$exp/ssl to=$embedding/embedding.scp scale=false ;;
  *) from=$exp/networks/$embedding to=embedding.scp scale=true ;;
esac

asdkit cm-classifier-train --config "conf/$classifier.conf" --seed "$seed" \
  --standardize $scale --select "$select" \
  "$data/train/utt2attack" "scp:$from/train/$to" \
  "$data/dev/utt2attack" "scp:$from/dev/$to" "$dir"
asdkit cm-classifier-score "scp:$from/dev/$to" "$dir/train" "$dir/train/scores_dev"
for refit in train train_dev; do
  asdkit cm-classifier-score "scp:$from/eval/$to" "$dir/$refit" \
    "$dir/$refit/scores_eval"
done
