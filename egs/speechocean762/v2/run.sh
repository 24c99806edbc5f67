#!/usr/bin/env bash
# speechocean762 with a network that has only ever heard 85 speakers.  The
# trials are those of ../v1.
#
#   ./run.sh --corpus /corpora/speechocean762   everything, the small network
#   ./run.sh --corpus ... --net large           three times the parameters
#   ./run.sh --corpus ... --net resnet34        wants a GPU
#   ./run.sh --corpus ... --seed 1              into exp/small_seed1
#   ./run.sh --stage 3                          embeddings, back-ends, the table
#   ./run.sh --nj 2                             two ranks instead of one
#
# The corpus root holds train/ test/ (Kaldi lists with paths relative to the
# root) and WAVE/.  Results are in RESULTS.md.

corpus=
net=small # conf/$net.conf says how it is trained
seed=0
lda_dim=80
nj=1

. ../../../path.sh
. stages.sh
. parse_options.sh
. ./cmd.sh # sets $cpu and $gpu from $nj
set -euo pipefail

dir=exp/${net}_seed$seed

if stage 0 "prepare lists: 85 speakers to train on, 40 to test"; then
  for part in train test; do
    asdkit kaldi-import --root "$corpus" "$corpus/$part" data/$part
  done
  asdkit data-validate data/train data/test
  asdkit trials-make --within data/test/spk2gender data/test data/test/trials
fi

if stage 1 "compute filter banks"; then
  for part in train test; do
    $cpu feats-compute --config conf/fbank.conf data/$part exp/fbank/$part
  done
fi

if stage 2 "train the network"; then
  $gpu nnet-train --config "conf/$net.conf" --seed "$seed" data/train "$dir"
fi

if stage 3 "extract embeddings"; then
  for part in train test; do
    $gpu nnet-extract data/$part "$dir" "$dir/$part"
  done
fi

if stage 4 "train the back-ends, score the trials"; then
  for backend in cosine plda; do
    asdkit backend-train --config conf/$backend.conf --lda-dim "$lda_dim" \
      data/train/utt2spk "scp:$dir/train/embedding.scp" "$dir/$backend.npz"
    asdkit backend-score "$dir/$backend.npz" data/test/trials \
      "scp:$dir/test/embedding.scp" "$dir/scores_$backend"
  done
fi

if stage 5 "normalize the scores, print the table"; then
  for backend in cosine plda; do
    asdkit score-normalize --config conf/as_norm.conf \
      --cohort-utt2spk data/train/utt2spk "$dir/$backend.npz" \
      "scp:$dir/train/embedding.scp" "scp:$dir/test/embedding.scp" \
      "$dir/scores_$backend" "$dir/scores_${backend}_as_norm"
  done
  asdkit score-metrics data/test/trials "$dir"/scores_{cosine,plda}{,_as_norm}
fi
