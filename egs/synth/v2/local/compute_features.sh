#!/usr/bin/env bash
# Compute the features of one part: MFCC and speech for i-vectors, filter banks for
# networks, in a copy of the data directory.
#
#   local/compute_features.sh train_50    -> data/train_50, data/train_50_fbank

set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

part=$1
: "${cpu:=asdkit}"

asdkit data-subset "data/$part" "data/${part}_fbank" # with a feats.scp of its own
$cpu feats-compute --config conf/mfcc.conf "data/$part" "exp/mfcc/$part"
$cpu vad-compute --config conf/vad.conf "data/$part" "exp/vad/$part"
$cpu feats-compute --config conf/fbank.conf "data/${part}_fbank" "exp/fbank/$part"
