#!/usr/bin/env bash
# Keep the scores of trainings that took hours, in 35 kB a seed, or bring them back.
#
#   local/keep_scores.sh pack      exp/*/seed*/scores_*, data/*/utt2* -> results/scores
#   local/keep_scores.sh unpack    and back: no audio and no training is needed
#
# After unpacking, `./run.sh --stage 11` prints the tables, and `asdkit compare` compares
# systems of different days.  What is there already is not overwritten: pack keeps an
# archive unless it has more seeds now, unpack keeps the files of new trainings.

set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

scores=results/scores
repeatable=(--sort=name --mtime=@0 --owner=0 --group=0 --numeric-owner)

pack() { # NAME FILE ...: those that exist, unless its archive has as many
  local out=$scores/$1.tar.xz file files=()
  for file in "${@:2}"; do
    [[ ! -f $file ]] || files+=("$file")
  done
  ((${#files[@]})) || return 0
  [[ ! -e $out || $(tar -tJf "$out" | wc -l) -lt ${#files[@]} ]] || return 0
  tar -cJf "$out.new" "${repeatable[@]}" "${files[@]}"
  mv "$out.new" "$out"
  echo "keep_scores.sh: $out: ${#files[@]} files, $(stat -c %s "$out") bytes"
}

shopt -s nullglob
case ${1:-} in
  pack)
    mkdir -p "$scores"
    pack trials data/{dev,eval,eval_coded,eval_keeps}/{utt2attack,utt2codec,utt2spk} \
      data/eval_keeps/asv_{trials,scores}
    for dir in exp/{,without_*/}*/seed0; do
      system=${dir%/seed0}
      name=${system#exp/}
      pack "${name//\//-}" \
        "$system"/seed*/{scores_dev,scores_eval,scores_eval_coded,results.json}
    done
    ;;
  unpack)
    for archive in "$scores"/*.tar.xz; do
      tar -xJf "$archive" --skip-old-files
    done
    ;;
  *)
    echo "keep_scores.sh: expected pack or unpack, got '${1:-}'" >&2
    exit 2
    ;;
esac
