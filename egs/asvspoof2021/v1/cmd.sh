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
