# Turns `--some-name value` into some_name=value, for variables that exist.
#
# To be sourced by a script that has set its defaults; `--help` prints the
# comment at the top of that script and the options with their defaults.

_name() {
  basename "$0"
}

_help() {
  sed -n '2,/^[^#]/ { s/^# \{0,1\}//p }' "$0"
  echo
  echo "Options (and their defaults):"
  # A recipe's variables stand at the start of a line, before it sources anything.
  sed -n '/^\. /q; s/^\([a-z][a-z0-9_]*\)=\(.*\)$/\1 \2/p' "$0" \
    | while read -r name value; do echo "  --${name//_/-} $value"; done
  echo "  --stage 0  the first stage to run"
  echo "  --stop-stage 99  the last stage to run"
}

_options=$(sed -n '/^\. /q; s/^\([a-z][a-z0-9_]*\)=.*$/\1/p' "$0")
_options=" ${_options//$'\n'/ } stage stop_stage "

while (($#)); do
  case $1 in
    --help | -h)
      _help
      exit 0
      ;;
    --*=*)
      echo "$(_name): write '${1%%=*} ${1#*=}', not '$1'" >&2
      exit 2
      ;;
    --*)
      _variable=${1#--}
      _variable=${_variable//-/_}
      if [[ $_options != *" $_variable "* ]]; then
        echo "$(_name): unknown option $1; see --help" >&2
        exit 2
      fi
      if (($# < 2)); then
        echo "$(_name): option $1 needs a value" >&2
        exit 2
      fi
      printf -v "$_variable" '%s' "$2"
      shift 2
      ;;
    *)
      echo "$(_name): unexpected argument '$1'; see --help" >&2
      exit 2
      ;;
  esac
done

for _variable in stage stop_stage; do
  if [[ ! ${!_variable} =~ ^[0-9]+$ ]]; then
    echo "$(_name): --${_variable//_/-} takes a number, not '${!_variable}'" >&2
    exit 2
  fi
done
unset _variable _options
