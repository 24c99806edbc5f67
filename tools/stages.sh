# The grammar of a recipe: `if stage 3 "train the UBM"; then ... fi`.
#
# To be sourced, after the defaults are set and before the options are parsed.
# A stage runs when its number lies in [$stage, $stop_stage].  Its first lines say
# what it reads of what earlier stages, or another recipe, have written:
#
#   need 2 "$ubm/ubm.npz"      go on if the file is there; stage 2 makes it
#   need ../v1 "$extractor"    the same, of the recipe there
#   given corpus               go on if the option --corpus has a value
#   fetch musan "$musan"       with --download true, fetch a corpus; several, too
#
# These stand alone on a line, two blanks in, perhaps behind a `[[ ... ]] ||`, and use
# no variable of a loop: that is how the first stage to run is found.

stage=0
stop_stage=99
# shellcheck disable=SC2034 # cmd.sh reads it
launcher=local # or torchrun, slurm

_script=./${0##*/} # the recipe has gone to its own directory
[[ -f $_script ]] || _script=$0

# Ctrl-C ends a recipe, however the program that it met has ended: Python answers with 1
# while it starts, and one that has just finished answers with 0.
trap 'exit 130' INT

log() {
  echo "$(date '+%Y-%m-%d %H:%M:%S') $(basename "$0"): $*" >&2
}

# fail STATUS WORD ...: end with one line.
fail() {
  echo "$(basename "$0"): ${*:2}" >&2
  exit "$1"
}

stage() {
  ((stage <= $1 && $1 <= stop_stage)) || return 1
  _stage=$1
  log "stage $1: $2"
}

given() {
  [[ ${!1} ]] || fail 2 "stage $_stage needs --${1//_/-}; see --help"
}

# fetch NAME DIR ...: the only use of the network, and only on request.
fetch() {
  [[ ${download:=false} =~ ^(true|false)$ ]] \
    || fail 2 "--download takes true or false, not '$download'"
  [[ $download == true ]] || return 0
  while (($#)); do
    asdkit corpus-download "$1" "$2"
    shift 2
  done
}

need() {
  local file first begin=
  for file in "${@:2}"; do
    [[ ! -e $file ]] || continue
    [[ $1 != ../* ]] \
      || fail 1 "stage $_stage needs $file, which $1/run.sh makes; see --help"
    first=$(_first_stage "$1")
    ((first == $1)) || begin="; begin with stage $first"
    fail 1 "stage $_stage needs $file, which stage $1 makes$begin:" \
      "$0${_given:-} --stage $first"
  done
}

# Print the stage to begin with if this one is to run: itself, if it has all it needs.
_first_stage() ( # a subshell, where `need` asks for more
  first=$1
  # shellcheck disable=SC2329 # what is evaluated calls it
  need() {
    local file earlier
    for file in "${@:2}"; do
      [[ ! -e $file && $1 != ../* ]] || continue
      earlier=$(_first_stage "$1")
      ((first <= earlier)) || first=$earlier
    done
  }
  eval "$(sed -n "/^if .*stage $1 \"/,/^fi\$/ { /^  \(\[\[.*|| \)\{0,1\}need /p; }" "$_script")"
  echo "$first"
)
