#!/usr/bin/env bash
# Time asdkit beside its peers, and write tools/bench/RESULTS.md.
#
#   tools/bench/all.sh DATA_DIR              everything, about fifteen minutes of CPU
#   tools/bench/all.sh --quick DATA_DIR      whole programs, scores and posteriors only,
#                                            once: two minutes of CPU
#
# DATA_DIR has manifests of WAV files and feats.scp, e.g. data/kaldi/test of
# egs/speechocean762/v1.  Peers that are not installed are left out: torchaudio,
# kaldi-native-fbank, scikit-learn, bob.learn.em.

set -euo pipefail
quick=false
rounds=3
if [[ ${1:-} == --quick ]]; then
  quick=true
  rounds=1
  shift
fi
if (($# != 1)) || [[ ! -d $1 ]]; then
  sed -n '2,/^$/ { s/^# \{0,1\}//p }' "$0"
  exit 2
fi
data=$(realpath "$1")
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
# shellcheck source=path.sh
. ./path.sh

results=tools/bench/RESULTS.md
new=$(mktemp)
trap 'rm -f "$new"' EXIT

bench() { # title, program, its options
  printf '\n## %s\n\n```\n' "$1"
  python "tools/bench/$2" "${@:3}" | sed 's/ *$//'
  printf '```\n'
}

{
  printf '# asdkit beside its peers\n\n'
  printf '%s, %s, commit %s' "$(date +%F)" \
    "$(sed -n 's/^model name.*: //p' /proc/cpuinfo | head -n 1)" \
    "$(git rev-parse --short HEAD)"
  printf ', load %s. Rounds: %s. Written by tools/bench/all.sh.\n' \
    "$(cut -d ' ' -f 1 /proc/loadavg)" "$rounds"
  printf '\n## Whole programs, start-up included, one thread\n\n'
  python tools/bench/programs.py --rounds "$rounds" --data "$data"
  bench "Scores in memory and from files (S1 to S4)" scoring.py --rounds "$rounds" \
    --num-scores 10000000 S2 S3 S4
  bench "AS-norm statistics (S5)" normalization.py --rounds "$rounds"
  bench "Posteriors of a UBM (P5)" posteriors.py --rounds "$rounds" --num-frames 8000
  if ! $quick; then
    bench "Extractor (P1 to P4, P7 to P10)" ivector.py
    bench "Features in memory (F1 to F3)" features.py --rows F1,F2,F3
    bench "Matrix products (H2)" blas.py
  fi
} >"$new"
mv "$new" "$results"
