# Turns `--some-name value` into some_name=value, for variables that exist.
#
# To be sourced by a recipe that has gone to its own directory and set its defaults;
# `--help` prints the comment at the top of the recipe and the options with their
# defaults.
#
# An option is a path, or several, if its comment begins with one of these words:
#
#   corpus=/corpora/x # DIR with train/ and test/      DIR, FILE, PATH: one
#   others=           # DIRS of other systems          DIRS, FILES: several words
#
# A relative path on the command line starts where the user stands, as everywhere; a
# default starts where the recipe is.  What precedes it, as in ark:FILE, is kept.
# shellcheck disable=SC2154 # stages.sh sets stage, stop_stage and _script

# Print a recipe's variables, which stand at the start of a line before it sources
# anything, each with its value: all, or those whose comment begins with one of these.
_variables() {
  local pattern=${1:+"[^#]*# ($1)([^[:alpha:]].*)?"}
  sed -E -n "/^\\. /q; s/^([a-z][a-z0-9_]*)=(${pattern:-.*})\$/\\1 \\2/p" "$_script"
}

# Print their names, with a blank on each side.
_names() {
  echo " $(_variables "$@" | sed 's/ .*//' | tr '\n' ' ')"
}

_options="$(_names)stage stop_stage launcher "
_path=$(_names "DIR|FILE|PATH")
_paths=$(_names "DIRS|FILES")
_given= # the command line but for the stages, for messages

_help() {
  sed -n '2,/^[^#]/ { s/^# \{0,1\}//p }' "$_script"
  echo
  echo "Options (and their defaults):"
  _variables | while read -r name value; do echo "  --${name//_/-} $value"; done
  echo "  --stage 0  the first stage to run"
  echo "  --stop-stage 99  the last stage to run"
  echo "  --launcher local  how heavy stages start: local, torchrun or slurm"
}

# _closest WORD CHOICE ...: print "; did you mean CHOICE?" if one is like the word.
_closest() {
  python3 - "$@" 2>/dev/null <<'EOF' || true
import difflib
import sys

word, *choices = sys.argv[1:]
for found in difflib.get_close_matches(word, choices, n=1):
    print(f"; did you mean {found}?")
EOF
}

# Print a path on the command line as the recipe sees it.  `cd` leaves in OLDPWD where
# the user stands.
_from_recipe() {
  local kind="" path=$1
  case $path in
    ark:* | ark,t:* | scp:*)
      kind=${path%%:*}:
      path=${path#*:}
      ;;
  esac
  [[ -z $path || $path == /* ]] || path=${OLDPWD:-$PWD}/$path
  echo "$kind${path#"$PWD/"}"
}

# _set VARIABLE VALUE
_set() {
  local value=$2 word
  local -a words
  if [[ $_path == *" $1 "* ]]; then
    value=$(_from_recipe "$2")
  elif [[ $_paths == *" $1 "* ]]; then
    read -ra words <<<"$2"
    value=
    for word in "${words[@]}"; do value+=" $(_from_recipe "$word")"; done
    value=${value# }
  fi
  printf -v "$1" '%s' "$value"
}

while (($#)); do
  case $1 in
    --help | -h)
      _help
      exit 0
      ;;
    --*=*) fail 2 "write '${1%%=*} ${1#*=}', not '$1'" ;;
    --*)
      _variable=${1#--}
      _variable=${_variable//-/_}
      if [[ $_options != *" $_variable "* ]]; then
        _known=${_options% } && _known=${_known//_/-}
        # shellcheck disable=SC2086 # several words
        _hint=$(_closest "$1" ${_known// / --})
        fail 2 "unknown option $1${_hint:-; see --help}"
      fi
      [[ $# -gt 1 && $2 != --* ]] || fail 2 "option $1 needs a value"
      _set "$_variable" "$2"
      [[ $_variable =~ ^(stop_)?stage$ ]] \
        || printf -v _given '%s %s %q' "$_given" "$1" "$2"
      shift 2
      ;;
    *) fail 2 "unexpected argument '$1'; see --help" ;;
  esac
done

for _variable in stage stop_stage; do
  [[ ${!_variable} =~ ^[0-9]+$ ]] \
    || fail 2 "--${_variable//_/-} takes a number, not '${!_variable}'"
  printf -v "$_variable" '%d' "$((10#${!_variable}))"
done
((stage <= stop_stage)) \
  || fail 2 "--stage $stage comes after --stop-stage $stop_stage: nothing would run"
_last=$(sed -n 's/^if .*stage \([0-9][0-9]*\) ".*/\1/p' "$_script" | tail -n 1)
((stage <= ${_last:-99})) || fail 2 "there is no stage $stage; the last is $_last"
unset _variable _options _path _paths _last
