#!/usr/bin/env bash
# Damaged files, hostile manifests, absurd options, kill -9 and hostile uploads: what
# does asdkit do?
#
#   tools/torture.sh                                1,000 inputs, 50 kills, 300 uploads
#   tools/torture.sh --inputs 200 --kills 5 --seed 1
#   tools/torture.sh --only hostile,npz --kills 0   some kinds of input
#   tools/torture.sh --inputs 0 --kills 0           uploads to a server only
#   tools/torture.sh --case 345                     one of the inputs again, in full
#
# The last lines are a table of counts; 1 is the exit code if one of them is a fault.
# An environment that is active is used; else that of tools/setup.sh.

set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

# shellcheck source=path.sh
. ./path.sh
export OMP_NUM_THREADS=1 PYTHONPATH=$PWD/tools:$PYTHONPATH
exec python -m torture "$@"
