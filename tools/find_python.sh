# To be sourced: find_python 3.11 3.12 prints the first of these Pythons that is here,
# the system's or pyenv's.

find_python() {
  local version candidate
  for version; do
    # A python3.11 on the PATH may be pyenv's stand-in for one that is not there.
    for candidate in "python$version" \
      "${PYENV_ROOT:-$HOME/.pyenv}"/versions/"$version".*/bin/python; do
      if "$candidate" -c 'import ensurepip, venv' 2>/dev/null; then
        echo "$candidate"
        return
      fi
    done
  done
  return 1
}
