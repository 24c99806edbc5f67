#!/usr/bin/env bash
# speechocean762 with a GMM-UBM i-vector system: Kaldi's voxceleb/v1, sized for a
# corpus of a hundred speakers.  The trials are all same-gender pairs of test
# utterances.
#
#   ./run.sh --corpus /corpora/speechocean762   everything
#   ./run.sh --stage 2 --seed 1                 another seed
#   ./run.sh --stage 5                          the back-ends and the table only
#   ./run.sh --nj 2                             two ranks instead of one
#
# The system tuned on training speakers, see RESULTS.md:
#
#   ./run.sh --corpus ... --name tuned --vad-energy-threshold 1 \
#     --num-gauss 128 --subsample 1
#
# With noise at 10 dB added to all of the audio, and finite-state speech
# detection (k2):
#
#   ./run.sh --corpus ... --name fsa_10db --snr-db 10 --vad-method gmm_fsa \
#     --num-gauss 128 --subsample 1
#
# Results are in RESULTS.md.

set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

corpus=        # DIR with train/ and test/ (Kaldi lists, paths relative to DIR), WAVE/
download=false # true: fetch the corpus, 520 MB, into --corpus
name=kaldi     # of the system: everything goes to data/$name and exp/$name
seed=0
snr_db=                  # of added noise; empty: none
vad_method=energy        # or gmm_fsa: conf/vad_$vad_method.conf
vad_energy_threshold=5.5 # for the energy method
num_gauss=512
subsample=5
ivector_dim=200
num_iters=5
init=pca
lda_dim=80
nj=1

. ../../../path.sh
. stages.sh
. parse_options.sh
. cmd.sh # sets $cpu and $gpu from $launcher and $nj, and $k2

data=data/$name
clean=$data${snr_db:+/clean}
exp=exp/$name
vad=$k2
vad_options=(--config "conf/vad_$vad_method.conf")
if [[ $vad_method == energy ]]; then
  vad=$cpu
  vad_options+=(--vad-energy-threshold "$vad_energy_threshold")
fi
ubm=$exp/seed$seed/ubm
extractor=$exp/seed$seed/extractor_$init
ivectors=$exp/seed$seed/ivectors_$init

if stage 0 "prepare training and test lists, and the trials"; then
  given corpus
  fetch speechocean762 "$corpus"
  for part in train test; do
    asdkit kaldi-import --root "$corpus" "$corpus/$part" "$clean/$part"
    [[ -z $snr_db ]] || $cpu noise-add --snr-db "$snr_db" \
      "$clean/$part" "$data/$part" "$exp/audio/$part"
  done
  asdkit data-validate "$data/train" "$data/test"
  asdkit trials-make --within "$data/test/spk2gender" \
    "$data/test" "$data/test/trials"
fi

if stage 1 "compute MFCCs and detect speech"; then
  need 0 "$data"/{train,test}
  for part in train test; do
    $cpu feats-compute --config conf/mfcc.conf "$data/$part" "$exp/mfcc/$part"
    $vad vad-compute "${vad_options[@]}" "$data/$part" "$exp/vad/$part"
  done
fi

if stage 2 "train the universal background model"; then
  need 1 "$data"/train/{feats,vad}.scp
  $cpu ubm-train --num-gauss "$num_gauss" --subsample "$subsample" \
    --seed "$seed" "$data/train" "$ubm"
fi

if stage 3 "train the i-vector extractor"; then
  need 1 "$data"/train/{feats,vad}.scp
  need 2 "$ubm/ubm.npz"
  $gpu ivector-train --ivector-dim "$ivector_dim" --num-iters "$num_iters" \
    --init "$init" --seed "$seed" "$data/train" "$ubm" "$extractor"
fi

if stage 4 "extract i-vectors"; then
  need 1 "$data"/{train,test}/{feats,vad}.scp
  need 3 "$extractor/extractor.npz"
  for part in train test; do
    $gpu ivector-extract "$data/$part" "$extractor" "$ivectors/$part"
  done
fi

if stage 5 "train the back-ends and score the trials"; then
  need 0 "$data/test/trials"
  need 4 "$ivectors"/{train,test}/ivector.scp
  for backend in plda whitened_cosine cosine; do
    asdkit backend-train --config conf/$backend.conf --lda-dim "$lda_dim" \
      --extractor "$extractor" "$data/train/utt2spk" "scp:$ivectors/train/ivector.scp" \
      "$ivectors/$backend.npz"
    asdkit backend-score "$ivectors/$backend.npz" "$data/test/trials" \
      "scp:$ivectors/test/ivector.scp" "$ivectors/scores_$backend"
  done
fi

if stage 6 "print the results"; then
  need 5 "$ivectors"/scores_{plda,whitened_cosine,cosine}
  asdkit score-metrics "$data/test/trials" "$ivectors"/scores_{plda,whitened_cosine,cosine}
fi

if stage 7 "write exp/report.html: all systems, curves, conditions"; then
  need 5 "$ivectors"/scores_{plda,whitened_cosine,cosine}
  asdkit report exp -o exp/report.html
fi
