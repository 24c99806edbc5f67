#!/usr/bin/env bash
# Extract the i-vectors of one part.
#
#   local/extract_ivectors.sh ../v1/exp/tuned/seed0/extractor_pca dev_tests

set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

extractor=$1
part=$2
: "${cpu:=asdkit}" "${gpu:=asdkit}"

asdkit data-copy "data/$part" "data/${part}_mfcc"
$cpu feats-compute --config conf/mfcc.conf "data/${part}_mfcc" "exp/mfcc/$part"
$cpu vad-compute --config conf/vad.conf "data/${part}_mfcc" "exp/vad/$part"
$gpu ivector-extract "data/${part}_mfcc" "$extractor" "exp/ivectors/$part"
