# To be sourced by a recipe: puts asdkit and the shell grammar on the path.
asdkit_root=$(cd "$(dirname "${BASH_SOURCE[0]}")" >/dev/null && pwd)
# shellcheck source=/dev/null
[[ -n ${VIRTUAL_ENV:-} || ! -f $asdkit_root/.venv/bin/activate ]] \
  || . "$asdkit_root/.venv/bin/activate"
# First, and once: a recipe's own scripts source this again.
[[ $PATH == "$asdkit_root/tools:"* ]] || export PATH=$asdkit_root/tools:$PATH
[[ ${PYTHONPATH:-}: == "$asdkit_root:"* ]] \
  || export PYTHONPATH=$asdkit_root${PYTHONPATH:+:$PYTHONPATH}
export LC_ALL=C.UTF-8
