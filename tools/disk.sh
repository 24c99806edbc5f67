# To be sourced: is there room on a disk?

# need_disk NAME GB FOLDER: end the program NAME unless FOLDER has so much free space.
need_disk() {
  local free
  free=$(df --output=avail --block-size=1G "$3" 2>/dev/null | tail -n 1) || return 0
  if ((free < $2)); then
    echo "$1: expected $2 GB of free disk space in $(cd "$3" && pwd), got ${free// /} GB" >&2
    exit 1
  fi
}
