#!/usr/bin/env bash
# Make the test sets of one part: whole utterances, their middle 3, 2 and 1 s, and whole
# ones with noise; trials are the same-gender pairs within each set.
#
#   local/make_tests.sh dev        data/dev -> data/dev_{full,3s,2s,1s,15dB,5dB,tests}

set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

part=$1
: "${cpu:=asdkit}"

asdkit data-copy --utt-prefix full- "data/$part" "data/${part}_full"
for sec in 3 2 1; do
  asdkit data-copy --crop-sec $sec --utt-prefix ${sec}s- "data/$part" "data/${part}_${sec}s"
done
for snr in 15 5; do
  $cpu noise-add --snr-db $snr "data/$part" "data/noise/${part}_$snr" "exp/noise/${part}_$snr"
  asdkit data-copy --utt-prefix ${snr}dB- "data/noise/${part}_$snr" "data/${part}_${snr}dB"
done
asdkit data-combine data/"${part}"_{full,3s,2s,1s,15dB,5dB} "data/${part}_tests"
