#!/usr/bin/env bash
# Train and score every system of RESULTS.md, one after the other, after stage 1.
#
#   nohup nice local/run_all.sh PRETRAINED >exp/run_all.log 2>&1 &
#
# PRETRAINED is the folder with the authors' AASIST.pth and AASIST-L.pth.  What is done
# is noted in exp/done/ and not done again; a run that was killed goes on where it was.
# The tables of what there is are in exp/tables.md, and written anew after every step.

set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

pretrained=$1
mkdir -p exp/done

do_once() { # NAME OPTION ...: run the recipe with options, unless that was done
  [[ ! -e exp/done/$1 ]] || return 0
  echo "$(date '+%Y-%m-%d %H:%M:%S') run_all.sh: begin $1"
  if ./run.sh "${@:2}"; then
    date '+%Y-%m-%d %H:%M:%S' >"exp/done/$1"
    echo "$(date '+%Y-%m-%d %H:%M:%S') run_all.sh: done $1"
    ./run.sh --stage 11 --stop-stage 11 >exp/tables.new 2>exp/tables.log \
      && mv exp/tables.new exp/tables.md
  else
    echo "$(date '+%Y-%m-%d %H:%M:%S') run_all.sh: failed $1" >&2
  fi
  return 0
}

network() { # NAME SEED [FAMILY]: train, then score
  do_once "$1-$2${3:+-without-$3}" --stage 7 --stop-stage 8 --net "$1" --seed "$2" \
    ${3:+--without "$3"}
}

mixture() { # FEATURES SEED [FAMILY]
  do_once "$1-$2${3:+-without-$3}" --stage 6 --stop-stage 6 --baselines "$1" \
    --seed "$2" ${3:+--without "$3"}
}

judge() { # NAME
  do_once "published-$1" --stage 4 --stop-stage 4 --pretrained "$pretrained" \
    --published "$1"
}

do_once codecs --stage 2 --stop-stage 2
do_once lfcc --stage 5 --stop-stage 5 --baselines lfcc
for seed in 0 1 2; do mixture lfcc "$seed"; done
do_once leaks --stage 3 --stop-stage 3
do_once asv --stage 9 --stop-stage 10
do_once cqcc_2021 --stage 5 --stop-stage 5 --baselines cqcc_2021
for seed in 0 1 2; do mixture cqcc_2021 "$seed"; done
judge AASIST-L
network aasist_l 0
network lfcc_lcnn 0
families=$(awk '!/^#/ && $4 ~ "train" { print $2 }' conf/attacks.txt | sort -u)
for family in $families; do mixture lfcc 0 "$family"; done
judge AASIST
network resnet18_oc 0
for seed in 1 2; do
  for net in aasist_l lfcc_lcnn resnet18_oc; do network $net $seed; done
done
for seed in 0 1 2; do
  for net in rawnet2 aasist; do network $net $seed; done
done
for family in $families; do network aasist_l 0 "$family"; done
for seed in 3 4; do
  for net in aasist_l lfcc_lcnn; do network $net $seed; done
done
