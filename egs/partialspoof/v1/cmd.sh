# How programs are started: one process here, N ranks with torchrun, srun on a
# cluster.  Nothing else in the recipe knows.
# shellcheck disable=SC2034,SC2154 # run.sh sets nj, and uses cpu and gpu
if ((nj > 1)); then
  cpu="torchrun --standalone --nproc-per-node $nj -m asdkit"
else
  cpu="asdkit"
fi
# shellcheck disable=SC2034
gpu=$cpu
# cpu="srun --ntasks $nj asdkit"
# Programs that need k2: of the environment that tools/setup.sh --k2 has made, if any.
# shellcheck disable=SC2154 # path.sh sets asdkit_root
k2=$asdkit_root/.venv-k2/bin/asdkit
[[ -x $k2 ]] || k2=asdkit
