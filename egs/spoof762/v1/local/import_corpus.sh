#!/usr/bin/env bash
# Import both parts of speechocean762 as one data directory.
#
#   local/import_corpus.sh /corpora/speechocean762 data/corpus

set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

corpus=$1
data=$2

for part in train test; do
  asdkit kaldi-import --root "$corpus" "$corpus/$part" "${data}_$part"
done
asdkit data-combine "$data"_{train,test} "$data"
