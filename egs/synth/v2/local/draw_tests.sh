#!/usr/bin/env bash
# Synthesize speakers to test on, four sessions each with two utterances, and list two
# kinds of trials, both between speakers of one gender: utterances of different
# sessions, and of the same one.
#
#   local/draw_tests.sh test 100 2    -> data/test/trials_{across,within}

set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

part=$1
num_spks=$2
mean_sec=$3
: "${cpu:=asdkit}"
export LC_ALL=C # the order of tables

dir=data/$part
$cpu speakers-draw --num-spks "$num_spks" --num-sessions 4 --utts-per-session 2 \
  --mean-sec "$mean_sec" --prefix "$part" "$dir" "exp/wav/$part"
asdkit trials-make --within "$dir/spk2gender" --across "$dir/utt2session" \
  "$dir" "$dir/trials_across"
# An utterance of gender f in session 01 is of the group f-01.
join -1 2 -o 1.1,2.2 "$dir/utt2spk" "$dir/spk2gender" \
  | join - "$dir/utt2session" | sed 's/ \([^ ]*\)$/-\1/' >"$dir/utt2group"
asdkit trials-make --within "$dir/utt2group" "$dir" "$dir/trials_within"
