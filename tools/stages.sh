# The grammar of a recipe: `if stage 3 "train the UBM"; then ... fi`.
#
# To be sourced, after the defaults are set and before the options are parsed.
# A stage runs when its number lies in [$stage, $stop_stage].

stage=0
stop_stage=99

log() {
  echo "$(date '+%Y-%m-%d %H:%M:%S') $(basename "$0"): $*" >&2
}

stage() {
  ((stage <= $1 && $1 <= stop_stage)) || return 1
  log "stage $1: $2"
}
