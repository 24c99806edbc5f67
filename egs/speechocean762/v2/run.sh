#!/usr/bin/env bash
# speechocean762 with a network trained on its hundred or so speakers alone.  The
# trials are those of ../v1.
#
#   ./run.sh --corpus /corpora/speechocean762   everything, the small network
#   ./run.sh --corpus ... --net large           three times the parameters
#   ./run.sh --corpus ... --net resnet34        for a GPU
#   ./run.sh --corpus ... --seed 1              in exp/small_seed1
#   ./run.sh --corpus ... --fbank fbank_sherpa  features that sherpa-onnx computes
#   ./run.sh --corpus ... --net tiny            a sixth of it, for phones
#   ./run.sh --stage 3                          embeddings, back-ends, the table
#   ./run.sh --stage 6 --bundle true            a bundle, for those who use it; needs
#                                               pip install asdkit[export]
#   ./run.sh --nj 2                             two ranks instead of one
#
# Results are in RESULTS.md.

set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

corpus=        # DIR with train/ and test/ (Kaldi lists, paths relative to DIR), WAVE/
download=false # true: fetch the corpus, 520 MB, into --corpus
net=small      # conf/$net.conf has its training options
fbank=fbank    # conf/$fbank.conf; fbank_sherpa is what sherpa-onnx computes
seed=0
lda_dim=80
bundle=false # true: make a bundle, too
nj=1

. ../../../path.sh
. stages.sh
. parse_options.sh
. cmd.sh # sets $cpu and $gpu from $launcher and $nj

dir=exp/${net}_seed$seed
feats=feats.scp # what the network reads, unless conf/$net.conf computes its own
! grep -qs -- --features= "conf/$net.conf" || feats=

if stage 0 "prepare training and test lists, and the trials"; then
  given corpus
  fetch speechocean762 "$corpus"
  for part in train test; do
    asdkit kaldi-import --root "$corpus" "$corpus/$part" data/$part
  done
  asdkit data-validate data/train data/test
  asdkit trials-make --within data/test/spk2gender data/test data/test/trials
fi

if stage 1 "compute filter banks"; then
  need 0 data/{train,test}
  for part in train test; do
    $cpu feats-compute --config "conf/$fbank.conf" data/$part exp/$fbank/$part
  done
fi

if stage 2 "train the network"; then
  need 0 data/train
  need 1 data/train/$feats
  $gpu nnet-train --config "conf/$net.conf" --seed "$seed" data/train "$dir"
fi

if stage 3 "extract embeddings"; then
  need 0 data/{train,test}
  need 1 data/{train,test}/$feats
  need 2 "$dir/network.pt"
  for part in train test; do
    $gpu nnet-extract data/$part "$dir" "$dir/$part"
  done
fi

if stage 4 "train the back-ends and score the trials"; then
  need 0 data/test/trials
  need 3 "$dir"/{train,test}/embedding.scp
  for backend in cosine plda; do
    asdkit backend-train --config conf/$backend.conf --lda-dim "$lda_dim" \
      data/train/utt2spk "scp:$dir/train/embedding.scp" "$dir/$backend.npz"
    asdkit backend-score "$dir/$backend.npz" data/test/trials \
      "scp:$dir/test/embedding.scp" "$dir/scores_$backend"
  done
fi

if stage 5 "normalize the scores (AS-norm) and print the results"; then
  need 4 "$dir"/{cosine,plda}.npz "$dir"/scores_{cosine,plda}
  for backend in cosine plda; do
    asdkit score-normalize --config conf/as_norm.conf \
      --cohort-utt2spk data/train/utt2spk "$dir/$backend.npz" \
      "scp:$dir/train/embedding.scp" "scp:$dir/test/embedding.scp" \
      "$dir/scores_$backend" "$dir/scores_${backend}_as_norm"
  done
  asdkit score-metrics data/test/trials "$dir"/scores_{cosine,plda}{,_as_norm}
fi

if [[ $bundle == true ]] && stage 6 "calibrate on half of the test speakers"; then
  need 3 "$dir/test/embedding.scp"
  need 4 "$dir/cosine.npz"
  split -n r/2 -d -a 1 data/test/spk2gender "$dir/half" # every other speaker
  for half in 0 1; do
    asdkit data-subset --spk-list "$dir/half$half" data/test data/half$half
    asdkit trials-make --within data/half$half/spk2gender data/half$half \
      data/half$half/trials
    asdkit backend-score "$dir/cosine.npz" data/half$half/trials \
      "scp:$dir/test/embedding.scp" "$dir/scores_half$half"
  done
fi

if [[ $bundle == true ]] && stage 7 "make a bundle; its card is of the other half"; then
  need 6 "$dir"/scores_half{0,1}
  asdkit calibration-train --ridge 1e-4 data/half0/trials "$dir/scores_half0" \
    "$dir/calibration.npz"
  asdkit score-calibrate "$dir/calibration.npz" "$dir/scores_half1" "$dir/llrs_half1"
  asdkit bundle-make --backend "$dir/cosine.npz" --check-audio data/half1/wav.scp \
    --calibration "$dir/calibration.npz" --calibration-utt2spk data/half0/utt2spk \
    --card-data data/half1 --card-trials data/half1/trials \
    --card-scores "$dir/llrs_half1" --licence CC-BY-4.0 \
    --data "speechocean762, its training speakers" "$dir" "exp/model_$net"
fi

if stage 8 "write exp/report.html: all systems, curves, conditions"; then
  need 5 "$dir"/scores_{cosine,plda}_as_norm
  asdkit report exp -o exp/report.html
fi
