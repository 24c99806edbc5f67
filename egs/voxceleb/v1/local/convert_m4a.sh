#!/usr/bin/env bash
# Convert VoxCeleb2's .m4a files to .flac, 16 kHz, one channel, and copy its table
# of speakers.  Rerun the same command to resume.  Needs ffmpeg; the last argument is
# the number of files to convert at a time.
#
#   local/convert_m4a.sh /corpora/voxceleb2 /corpora/voxceleb2_flac 16

set -euo pipefail

if (($# != 3)); then
  sed -n '2,/^$/ { s/^# \{0,1\}//p }' "$0" >&2
  exit 2
fi
export from=$1 to=$2

convert() { # a path below $from
  local flac=$to/${1%.m4a}.flac
  [[ ! -e $flac ]] || return 0
  mkdir -p "${flac%/*}" \
    && ffmpeg -nostdin -loglevel error -y -i "$from/$1" -ac 1 -ar 16000 \
      -f flac "$flac.tmp" \
    && mv "$flac.tmp" "$flac"
}
export -f convert

mkdir -p "$to"
cp "$from/vox2_meta.csv" "$to"
# shellcheck disable=SC2016 # for the inner shell to expand
find "$from" -name '*.m4a' -printf '%P\0' \
  | xargs -0 -P "$3" -I{} bash -c 'convert "$1"' _ {}
