# How programs start, by $launcher and $nj: one process, N ranks of torchrun, or a
# cluster.  Nothing else in a recipe knows.
#
# To be sourced after the options are parsed.  Sets $cpu and $gpu, which begin the
# command of a heavy program that computes on the one or the other, and $k2, of one
# that needs k2.  A cmd.sh beside run.sh, if a lab puts one there, sets $cpu and $gpu
# instead; slurm.md has an example.
# shellcheck disable=SC2154 # run.sh sets nj, stages.sh launcher, path.sh asdkit_root

[[ $nj =~ ^[1-9][0-9]*$ ]] || fail 2 "--nj takes a number from 1, not '$nj'"

# A recipe whose models are so small that threads wait for each other more than they
# compute says how many a rank has; else it has one per core, or one under torchrun.
if [[ ${num_threads:-} ]]; then
  [[ $num_threads =~ ^[1-9][0-9]*$ ]] \
    || fail 2 "--num-threads takes a number from 1, not '$num_threads'"
  export OMP_NUM_THREADS=$num_threads
fi

# Of the environment that tools/setup.sh --k2 has made, if any.
k2=$asdkit_root/.venv-k2/bin/asdkit
# shellcheck disable=SC2034 # recipes use it
[[ -x $k2 ]] || k2=asdkit

cpu="" gpu="" # whatever the environment has
if [[ -f cmd.sh ]]; then
  # shellcheck source=/dev/null
  . ./cmd.sh
else
  case $launcher:$nj in
    local:1) cpu="asdkit" ;;
    local:* | torchrun:*)
      cpu="torchrun --standalone --nproc-per-node $nj -m asdkit"
      ;;
    slurm:*)
      type -P srun >/dev/null || fail 2 "--launcher slurm: there is no srun here"
      # One rank that fails, or one Ctrl-C, ends all.
      srun="srun --kill-on-bad-exit --quit-on-interrupt --ntasks $nj"
      cpu="$srun asdkit"
      # Where the cluster hands out GPUs, a rank that is not given one does not see any.
      [[ $(sinfo --noheader --format %G) != *gpu* ]] \
        || gpu="$srun --gpus-per-task 1 asdkit"
      ;;
    *)
      _hint=$(_closest "$launcher" local torchrun slurm)
      fail 2 "--launcher takes local, torchrun or slurm, not '$launcher'$_hint"
      ;;
  esac
  gpu=${gpu:-$cpu}
fi
: "${cpu:?cmd.sh must set it}" "${gpu:?cmd.sh must set it}"
