#!/usr/bin/env bash
# Make the test sets of one part: whole utterances, their middle 3, 2 and 1 s, and whole
# ones with noise; the trials of each are those of the part.
#
#   local/make_tests.sh dev        data/dev -> data/dev_{full,3s,2s,1s,15dB,5dB,tests}

set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

part=$1
: "${cpu:=asdkit}" "${sets:=full 3s 2s 1s 15dB 5dB}"

made=()
for set in $sets; do
  whole=data/$part
  options=()
  case $set in
    full) ;;
    *dB)
      whole=data/noise/${part}_$set
      $cpu noise-add --snr-db "${set%dB}" "data/$part" "$whole" "exp/noise/${part}_$set"
      ;;
    *) options=(--crop-sec "${set%s}") ;;
  esac
  made+=("data/${part}_$set")
  asdkit data-copy "${options[@]}" --utt-prefix "$set-" "$whole" "${made[-1]}"
done
asdkit data-combine "${made[@]}" "data/${part}_tests"
