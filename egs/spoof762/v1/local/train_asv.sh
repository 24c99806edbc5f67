#!/usr/bin/env bash
# Train i-vectors and PLDA on bona fide speech of train, as recorded and as in the
# corpus, and extract i-vectors of what eval enrolls and of eval.
#
# Reads from its environment $cpu and $gpu, the launchers; $asv, where everything goes;
# $asv_num_gauss, $ivector_dim and $lda_dim.

set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

: "${cpu:=asdkit}" "${gpu:=asdkit}" "${asv:?expected a directory}"
: "${asv_num_gauss:=128}" "${ivector_dim:=100}" "${lda_dim:=40}"

asdkit data-copy --utt-prefix real- data/train_real data/asv_real
asdkit data-subset --where utt2attack=bonafide data/train data/asv_bonafide
asdkit data-combine data/asv_real data/asv_bonafide data/asv_train
asdkit data-combine data/enroll data/eval data/asv_test
for part in train test; do
  $cpu feats-compute --config conf/mfcc.conf "data/asv_$part" "$asv/mfcc/$part"
  $cpu vad-compute --config conf/vad.conf "data/asv_$part" "$asv/vad/$part"
done
train=data/asv_train
$cpu ubm-train --num-gauss "$asv_num_gauss" --subsample 1 "$train" "$asv/ubm"
$gpu ivector-train --ivector-dim "$ivector_dim" "$train" "$asv/ubm" "$asv/extractor"
for part in train test; do
  $gpu ivector-extract "data/asv_$part" "$asv/extractor" "$asv/$part"
done
asdkit backend-train --config conf/plda.conf --lda-dim "$lda_dim" \
  "$train/utt2spk" "scp:$asv/train/ivector.scp" "$asv/backend.npz"
