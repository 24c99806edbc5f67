#!/usr/bin/env bash
# Does an i-vector teacher help a small network when sessions differ, and does that
# depend on how many speakers it learns from?  Speakers are synthesized, so that the
# truth is known.  All training sets are equally large; every utterance is of another
# session; only the number of speakers differs.
#
#   ./run.sh                                     everything: an hour of one idle core
#   ./run.sh --sizes "50 150"                    fewer training sets
#   ./run.sh --stage 4 --seeds 0                 the students of one seed
#   ./run.sh --stage 5                           the comparison of what is there
#
# A run that was killed continues where it was.  Results are in RESULTS.md.

set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

sizes="50 150 500 1000" # numbers of training speakers
num_utts=4000           # of every training set, in as many sessions
num_dev_spks=40         # for choices, e.g. the number of epochs
num_test_spks=100
mean_sec=2
num_gauss=64
ivector_dim=60
student=student          # conf/$student.conf
ways="none pooled_ratio" # conf/teach/*.conf; others must beat the first
seeds="0 1"              # of the students; there is one corpus
nj=1
num_threads=1 # of a rank; in models this small, more would wait for each other

. ../../../path.sh
. stages.sh
. parse_options.sh
. cmd.sh # sets $cpu and $gpu from $launcher and $nj
export cpu gpu student

if stage 0 "synthesize training, development and test speakers; list the trials"; then
  for size in $sizes; do
    $cpu speakers-draw --num-spks "$size" --num-sessions $((num_utts / size)) \
      --utts-per-session 1 --mean-sec "$mean_sec" --prefix train \
      "data/train_$size" "exp/wav/train_$size"
  done
  local/draw_tests.sh dev "$num_dev_spks" "$mean_sec"
  local/draw_tests.sh test "$num_test_spks" "$mean_sec"
  asdkit data-combine data/dev data/test data/tests
fi

if stage 1 "compute MFCCs, detect speech, compute filter banks"; then
  need 0 data/{train_*,tests}
  for size in $sizes; do
    local/compute_features.sh "train_$size"
  done
  local/compute_features.sh tests
fi

if stage 2 "train UBMs and extractors, extract i-vectors, score the trials"; then
  need 1 data/{train_*_fbank,tests_fbank}/feats.scp
  for size in $sizes; do
    local/train_teacher.sh "$size" "$num_gauss" "$ivector_dim"
  done
fi

if stage 3 "choose utterances whose mean the students' embeddings are to lose"; then
  need 1 data/train_*_fbank/feats.scp
  for size in $sizes; do
    asdkit data-subset --random 400 "data/train_${size}_fbank" "data/center_$size"
  done
fi

if stage 4 "train students without and with a teacher, score the trials"; then
  need 2 exp/ivectors_*/done
  need 3 data/center_*
  for seed in $seeds; do
    for size in $sizes; do
      for way in $ways; do
        local/train_student.sh "$size" "$way" "$seed"
      done
    done
  done
fi

if stage 5 "print the results, compare students with and without a teacher"; then
  need 2 exp/ivectors_*/done
  need 4 exp/"$student"_*/none/seed*/done
  local/measure.sh "$sizes"
  python local/print_table.py exp/metrics/*.json
  local/compare.sh "$sizes" "$ways"
fi

if stage 6 "write exp/report.html: all systems, curves, conditions"; then
  need 4 exp/"$student"_*/none/seed*/done
  asdkit report exp -o exp/report.html
fi
