#!/usr/bin/env bash
# Make a physical access (PA) corpus of the bona fide speech of a logical access (LA)
# one: it is heard in rooms, and replayed there nine ways.  Rooms and loudspeakers are
# simulated, as the challenge's are.
#
#   local/make_pa.sh /corpora/LA /corpora/PA               in three environments
#   local/make_pa.sh /corpora/LA /corpora/PA aaa,abc,ccc   in these
#
# Writes the layout and the protocols of ASVspoof 2019's PA, without its organizers'
# ASV scores.  Every utterance of train and dev is replayed once, of eval nine times.

la=$1
pa=$2
environments=${3:-aaa,bbb,ccc}
work=data/make_pa
ids=AA,AB,AC,BA,BB,BC,CA,CB,CC

set -euo pipefail
# shellcheck source=../../../../path.sh
. ../../../path.sh # from v1/, as run.sh

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
