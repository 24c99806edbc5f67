# How programs are started: one process here, N ranks with torchrun, srun on a
# cluster.  Nothing else in the recipe knows.
if ((nj > 1)); then
  cpu="torchrun --standalone --nproc-per-node $nj -m asdkit"
else
  cpu="asdkit"
fi
gpu=$cpu
# cpu="srun --ntasks $nj asdkit"
