#!/usr/bin/env bash
# Simulate a physical access (PA) corpus from the bona fide speech of a logical access
# (LA) corpus: in rooms, and replayed there in nine ways.  Like the challenge's, its
# rooms and loudspeakers are simulated.
#
#   local/make_pa.sh /corpora/LA /corpora/PA               in three environments
#   local/make_pa.sh /corpora/LA /corpora/PA aaa,abc,ccc   in these
#
# Writes the layout and the protocols of ASVspoof 2019's PA, without its organizers'
# ASV scores.  Train and dev utterances are replayed once, eval utterances nine times.

set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

if (($# < 2 || $# > 3)); then
  sed -n '2,/^$/ { s/^# \{0,1\}//p }' local/make_pa.sh >&2
  exit 2
fi
# shellcheck source=../../../../path.sh
. ../../../path.sh

# Relative paths start where the user stands, which `cd` leaves in OLDPWD.
[[ $1 == /* ]] && la=$1 || la=$OLDPWD/$1
[[ $2 == /* ]] && pa=$2 || pa=$OLDPWD/$2
environments=${3:-aaa,bbb,ccc}
work=data/make_pa
ids=AA,AB,AC,BA,BB,BC,CA,CB,CC

for part in train dev eval; do
  made=$work/$part
  rooms=(--environments "$environments")
  replays=(--attacks "replay_${ids//,/,replay_}" --ids "$ids" --with-bonafide false)
  [[ $part == eval ]] || replays+=(--per-utterance one)

  asdkit spoof-prepare --corpus asvspoof2019_la --part $part "$la" $made
  asdkit data-subset --where utt2attack=bonafide $made ${made}_bonafide
  asdkit room-apply "${rooms[@]}" ${made}_bonafide ${made}_heard $work/wav/${part}_heard
  asdkit spoof-simulate "${replays[@]}" "${rooms[@]}" \
    ${made}_bonafide ${made}_replayed $work/wav/${part}_replayed

  [[ $part != train ]] || continue
  for environment in ${environments//,/ }; do
    asdkit room-apply --environments "$environment" \
      ${made}_enroll ${made}_enroll_"$environment" $work/wav/${part}_"$environment"
  done
done

python local/write_pa.py $work "$pa"
