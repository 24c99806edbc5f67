#!/usr/bin/env bash
# Choose the options of a classifier, train it and score, unless that was done.
#
#   local/train_classifier.sh stats logistic 0    embedding, classifier, seed
#
# Writes exp/<embedding>_<classifier>/seed<N>/train and train_dev, a classifier and its
# scores.  Uses $select, what is best on the development set, and $seeds, of which
# the first is enough for classifiers that draw nothing.

embedding=$1
classifier=$2
seed=$3

set -euo pipefail
: "${select:?} ${seeds:?}"

dir=exp/${embedding}_$classifier/seed$seed
[[ ! -e $dir/train_dev/scores_eval ]] || exit 0

case $classifier in
  tree | forest | mlp) ;;
  *) [[ $seed == "${seeds%% *}" ]] || exit 0 ;; # nothing is drawn
esac
if [[ $classifier == xgboost ]] && ! python -c "import xgboost" 2>/dev/null; then
  echo "train_classifier.sh: xgboost is not installed: pip install xgboost-cpu" >&2
  exit 0
fi

# A filter bank's energies and deltas differ in size a thousandfold, what an encoder
# gives does not; it is taken as it is, as the authors did.
case $embedding in
  stats) from=exp/stats to=embedding.scp scale=true ;;
  *) from=exp/ssl to=$embedding/embedding.scp scale=false ;;
esac

asdkit cm-classifier-train --config "conf/$classifier.conf" --seed "$seed" \
  --standardize $scale --select "$select" \
  data/train/utt2attack "scp:$from/train/$to" \
  data/dev/utt2attack "scp:$from/dev/$to" "$dir"
asdkit cm-classifier-score "scp:$from/dev/$to" "$dir/train" "$dir/train/scores_dev"
for refit in train train_dev; do
  asdkit cm-classifier-score "scp:$from/eval/$to" "$dir/$refit" \
    "$dir/$refit/scores_eval"
done
