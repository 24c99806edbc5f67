# To be sourced by a recipe: puts asdkit and the shell grammar on the path.
asdkit_root=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=/dev/null
[[ -n ${VIRTUAL_ENV:-} || ! -f $asdkit_root/.venv/bin/activate ]] \
  || . "$asdkit_root/.venv/bin/activate"
export PATH=$asdkit_root/tools:$PATH
export PYTHONPATH=$asdkit_root${PYTHONPATH:+:$PYTHONPATH}
export LC_ALL=C.UTF-8
