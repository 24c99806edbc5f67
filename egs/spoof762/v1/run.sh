#!/usr/bin/env bash
# An honest corpus of spoofed speech, made of speechocean762, and what countermeasures
# reach on it: thirteen attacks, the same last steps for both classes, no single number
# that gives spoofs away, a second test set through codecs.
#
#   ./run.sh --corpus DIR                          the corpus, two GMMs, AASIST-L
#   ./run.sh --stage 7 --stop-stage 8 --net aasist --seed 1   another network and seed
#   ./run.sh --stage 6 --stop-stage 8 --without WORLD         a family is not trained on
#   ./run.sh --more true --parts "" --stage 1 --net lfcc_lcnn   three more kinds of spoofs
#   ./run.sh --stage 4 --stop-stage 4 --pretrained DIR        the authors' AASIST
#   ./run.sh --stage 11                            the tables of all results so far
#
# Attacks and their families are in conf/attacks.txt, networks in conf/.  README.md says
# how to install the synthesizers; those that are missing are left out.  Results are in
# RESULTS.md.

set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

corpus=                # DIR with train/, test/ (Kaldi lists) and WAVE/
download=false         # true: fetch the corpus, 520 MB, into --corpus
seed=0                 # of trainings
corpus_seed=0          # of attacks, rooms, lengths, levels and codecs
parts="train dev eval" # to make
more=false             # true: train networks on three more kinds of spoofs, too
speech_sec=3           # longest speech in a file
num_enroll=4           # utterances of each speaker of eval, for the ASV system
audio=$PWD/exp/wav     # DIR for the audio, 400 MB; absolute, for other recipes
codecs=none,alaw,ulaw,gsm,g722,opus
pretrained= # DIR with the authors' weights, of the next
published="AASIST-L AASIST"
baselines="lfcc cqcc_2021" # features of the GMMs, see conf/
num_gauss=512              # per class, for the baselines
net=aasist_l               # conf/$net.conf has its training options
without=                   # family of conf/attacks.txt that is not trained on
asv_num_gauss=128          # of the ASV system, as the next two
ivector_dim=100
lda_dim=40
nj=1

. ../../../path.sh
. stages.sh
. parse_options.sh
. cmd.sh # sets $cpu and $gpu from $launcher and $nj
export cpu gpu

attacks_of() { # PATTERN: attacks whose line has it, comma-separated
  awk -v x="$1" '!/^#/ && NF && $0 ~ x { print $1 }' conf/attacks.txt | paste -sd,
}
declare -A from=([train]=data/train_real [dev]=data/dev_real [eval]=data/claims_real)
declare -A number=([train]=two [dev]=one [eval]=three) # of attacks on an utterance
tests="dev eval eval_coded"
chain=(--skip-missing true --equalize true --speech-sec "$speech_sec" --in-rooms true)
exp=exp${without:+/without_$without}
[[ $more == true ]] && of_more=_more || of_more=
more_conf=conf/more_$net.conf
[[ -e $more_conf ]] || more_conf=conf/more.conf
train=data/train$of_more${without:+_without_$without}
network=$exp/$net$of_more/seed$seed
asv=exp/asv
read -ra kinds <<<"$baselines"

if stage 0 "split the speakers: train, dev, eval, and what eval enrolls"; then
  given corpus
  fetch speechocean762 "$corpus"
  local/import_corpus.sh "$corpus" data/corpus
  python local/split_speakers.py --num-enroll "$num_enroll" "$corpus" data/lists
  for part in train_real dev_real claims_real enroll; do
    asdkit data-subset --utt-list "data/lists/$part" data/corpus "data/$part"
  done
  asdkit data-validate data/{train,dev,claims}_real data/enroll
fi

if stage 1 "spoof them; both classes pass the same last steps"; then
  need 0 data/{train,dev,claims}_real
  for part in $parts; do
    $cpu spoof-simulate --attacks "$(attacks_of "[ ,]$part(,|$)")" \
      --per-utterance "${number[$part]}" "${chain[@]}" \
      --seed "$corpus_seed" "${from[$part]}" "data/$part" "$audio/$part"
  done
  [[ $more != true ]] || local/add_more.sh "$(attacks_of "[ ,]more$")" \
    "$((corpus_seed + 1))" "$audio/more" "${chain[@]}"
fi

if stage 2 "pass eval through codecs: a second test set"; then
  need 1 data/eval
  $cpu codec-apply --codecs "$codecs" --seed "$corpus_seed" data/eval \
    data/eval_coded "$audio/eval_coded"
fi

if stage 3 "look for single numbers that give spoofs away"; then
  need 1 data/{train,dev,eval}
  need 2 data/eval_coded
  for part in train $tests; do
    asdkit leak-check "data/$part" || log "$part has leaks: they belong beside its results"
  done
fi

if [[ $pretrained ]] && stage 4 "let the authors' AASIST judge the corpus"; then
  need 1 data/{dev,eval}
  need 2 data/eval_coded
  for name in $published; do
    dir=exp/published_$name/seed0
    asdkit model-import aasist "$pretrained/$name.pth" "$dir"
    for part in $tests; do
      $gpu cm-score --num-workers 0 "data/$part" "$dir" "$dir/scores_$part"
    done
  done
fi

if stage 5 "compute features for the GMMs: $baselines"; then
  need 1 data/{train,dev,eval}
  need 2 data/eval_coded
  for kind in "${kinds[@]}"; do
    for part in train $tests; do
      asdkit data-copy "data/$part" "data/${part}_$kind"
      $cpu feats-compute --config "conf/$kind.conf" "data/${part}_$kind" \
        "exp/$kind/$part"
    done
  done
fi

if stage 6 "train the GMMs, without what is left out, and score"; then
  need 5 "${kinds[@]/#/data/eval_coded_}"
  for kind in "${kinds[@]}"; do
    local/leave_out.sh "$without" data/train "_$kind"
    gmm=$exp/${kind}_gmm/seed$seed
    $cpu cm-gmm-train --config "conf/${kind}_gmm.conf" --num-gauss "$num_gauss" \
      --seed "$seed" "${train}_$kind" "$gmm"
    for part in $tests; do
      $cpu cm-score "data/${part}_$kind" "$gmm" "$gmm/scores_$part"
    done
  done
fi

if stage 7 "train the network, until dev is no better for as long as its conf says"; then
  need 1 "data/train$of_more" data/dev
  local/leave_out.sh "$without" "data/train$of_more" ""
  $gpu cm-train --config "conf/$net.conf" ${of_more:+--config "$more_conf"} \
    --seed "$seed" "$train" data/dev "$network"
fi

if stage 8 "score with the network"; then
  need 1 data/{dev,eval}
  need 2 data/eval_coded
  need 7 "$network/network.pt"
  for part in $tests; do
    $gpu cm-score --crop whole "data/$part" "$network" "$network/scores_$part"
  done
fi

if stage 9 "train an ASV system on the speakers of train"; then
  need 1 data/{train,eval}
  need 0 data/{train_real,enroll}
  export asv asv_num_gauss ivector_dim lda_dim
  local/train_asv.sh
fi

if stage 10 "score what eval claims, for the t-DCF of attacks that keep the speaker"; then
  need 9 "$asv/backend.npz" "$asv/test/ivector.scp"
  keeping=$(attacks_of " keeps .*eval")
  asdkit data-subset --where "utt2attack=bonafide,$keeping" data/eval data/eval_keeps
  asdkit trials-make --enroll-spk2utt data/enroll/spk2utt \
    --within data/enroll/spk2gender data/eval_keeps data/eval_keeps/asv_trials
  asdkit backend-score --enroll-spk2utt data/enroll/spk2utt "$asv/backend.npz" \
    data/eval_keeps/asv_trials "scp:$asv/test/ivector.scp" data/eval_keeps/asv_scores
fi

if stage 11 "print the tables of all systems and seeds"; then
  need 1 data/{dev,eval}
  need 2 data/eval_coded
  python local/print_tables.py conf/attacks.txt data "$exp"
fi

if stage 12 "write $exp/report.html: all systems, curves, conditions"; then
  need 8 "$exp"/*/seed*/scores_eval
  asdkit report "$exp" -o "$exp/report.html"
fi
