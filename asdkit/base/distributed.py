"""Distributed ranks: one program N times, each with its share of the utterances.

``torchrun --nproc-per-node N -m asdkit ...`` on one machine or ``srun -n N asdkit
...`` on a cluster; alone, a program is rank 0 of 1 and torch is not imported.
Sufficient statistics are summed with `all_reduce`; rank 0 writes.
"""

from __future__ import annotations

import contextlib
import logging
import os
import re
import signal
import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, TypeVar

from asdkit.base.device import choose_device
from asdkit.base.errors import AsdkitError

if TYPE_CHECKING:
    import numpy as np
    import torch

logger = logging.getLogger(__name__)
Item = TypeVar("Item")

WATCH_SEC = 1.0  # between two looks whether the launcher is there
GRACE_SEC = 30.0  # between SIGTERM and SIGKILL


def rank() -> int:
    """Return this process's number, 0 when it is alone."""
    if "WORLD_SIZE" in os.environ:
        return int(os.environ["RANK"])
    return int(os.environ["SLURM_PROCID"]) if num_ranks() > 1 else 0


def num_ranks() -> int:
    """Return how many processes share the work, 1 when alone.

    Only ``srun`` sets SLURM_STEP_NUM_TASKS; a batch script that was given many
    tasks but starts a program without ``srun`` starts it once.
    """
    slurm = os.environ.get("SLURM_STEP_NUM_TASKS", "1")
    return int(os.environ.get("WORLD_SIZE", slurm))


def is_main() -> bool:
    """Tell whether this process is the one that writes and reports."""
    return rank() == 0


def share(items: Sequence[Item]) -> Sequence[Item]:
    """Return every N-th item, starting at this process's rank."""
    return items[rank() :: num_ranks()]


def all_reduce(tensor: torch.Tensor) -> torch.Tensor:
    """Sum a tensor over all ranks, in place; every rank gets the sum.

    Args:
        tensor: any shape, on CPU or GPU, the same shape on every rank.

    Returns:
        The tensor itself.
    """
    if num_ranks() > 1:
        join()
        import torch.distributed as dist

        with _together():
            dist.all_reduce(tensor)
    return tensor


def sum_ranks(counts: np.ndarray) -> np.ndarray:
    """Sum an array over all ranks, in place; a rank that is alone imports no torch.

    Args:
        counts: (...) any shape, the same on every rank.

    Returns:
        The array itself.
    """
    if num_ranks() > 1:
        import torch

        all_reduce(torch.from_numpy(counts))
    return counts


def barrier() -> None:
    """Wait for all ranks.

    On the CPU even where there are GPUs: unlike nccl, gloo notices a rank that dies.
    """
    if num_ranks() > 1:
        import torch

        all_reduce(torch.zeros(1))


def agree(verdict: bool) -> bool:
    """Return rank 0's value on every rank."""
    if num_ranks() == 1:
        return verdict
    import torch

    return bool(broadcast(torch.tensor([float(verdict)])).item())


def gather(
    keys: Sequence[str], parts: Iterable[tuple[Sequence[str], np.ndarray]]
) -> dict[str, float]:
    """Gather numbers that the ranks compute; every rank gets all of them.

    Args:
        keys: keys of all possible numbers, the same on every rank.
        parts: this rank's keys and their numbers.

    Returns:
        key -> number in the order of the keys, without keys that no rank has.
    """
    import torch

    row_of = {key: row for row, key in enumerate(keys)}
    values = torch.zeros(len(keys), dtype=torch.float64)
    is_there = torch.zeros(len(keys), dtype=torch.int64)
    for some, numbers in parts:
        rows = [row_of[key] for key in some]
        values[rows] = torch.as_tensor(numbers, dtype=torch.float64)
        is_there[rows] = 1
    found = zip(keys, all_reduce(values).tolist(), all_reduce(is_there), strict=True)
    return {key: value for key, value, there in found if there}


def broadcast(tensor: torch.Tensor) -> torch.Tensor:
    """Copy rank 0's tensor to all ranks, in place."""
    if num_ranks() > 1:
        join()
        import torch.distributed as dist

        with _together():
            dist.broadcast(tensor, src=0)
    return tensor


def leave() -> None:
    """Leave the process group, if this rank joined one."""
    if num_ranks() > 1:
        import torch.distributed as dist

        if dist.is_initialized():
            dist.destroy_process_group()


@contextlib.contextmanager
def _together() -> Iterator[None]:
    """Say in one line that another rank is gone, whose own message says why."""
    try:
        yield
    except RuntimeError as error:
        reason = str(error).partition("\n")[0]
        raise AsdkitError(f"rank {rank()}: another rank has failed: {reason}") from None


def join() -> None:
    """Join the other ranks, once. gloo sums CPU tensors, nccl GPU ones.

    Those who have met notice when one of them fails, and tidy up; one who waits for
    the first meeting notices neither that nor a signal.  So meet before work begins.
    """
    if num_ranks() == 1:
        return
    import torch.distributed as dist

    if dist.is_initialized():
        return
    import torch

    os.environ.setdefault("MASTER_ADDR", _first_host())
    os.environ.setdefault("MASTER_PORT", _port())
    if torch.cuda.is_available():
        torch.cuda.set_device(choose_device())
        backend = "cpu:gloo,cuda:nccl"
    else:
        backend = "gloo"
    dist.init_process_group(backend, rank=rank(), world_size=num_ranks())


def end_with_launcher() -> None:
    """End this rank when the torchrun that started it is gone.

    It ends its ranks itself unless it is killed; srun's are ended by the cluster.  As
    torchrun does, a rank gets SIGTERM and, half a minute later, SIGKILL: it may be
    waiting in a library for another one that has ended, and receive no signal.
    """
    if "TORCHELASTIC_RUN_ID" in os.environ:
        watching = threading.Thread(target=_watch, args=(os.getppid(),), daemon=True)
        watching.start()


def _watch(launcher: int) -> None:
    """End this process when its parent has ended.

    One whose launcher was gone before that cannot join the others, and fails.
    """
    while os.getppid() == launcher:
        time.sleep(WATCH_SEC)
    logger.warning("rank %d: the launcher is gone, so this rank ends", rank())
    main = threading.main_thread().ident
    assert main is not None
    signal.pthread_kill(main, signal.SIGTERM)
    time.sleep(GRACE_SEC)
    os.kill(os.getpid(), signal.SIGKILL)


def _first_host() -> str:
    """Name the host of rank 0: ``a[03-05,9],b`` in Slurm's notation gives a03."""
    hosts = os.environ.get("SLURM_STEP_NODELIST", "127.0.0.1")
    found = re.match(r"([^,\[]+)(?:\[([^\],-]+)[^\]]*\])?", hosts)
    assert found is not None
    return found[1] + (found[2] or "")


def _port() -> str:
    """Choose a port that two jobs, or two steps of a job, on one host do not share.

    Below 32768, where ports of outgoing connections begin.
    """
    job, step = (int(os.environ.get(f"SLURM_{x}_ID", "0")) for x in ("JOB", "STEP"))
    return str(20000 + (job + 997 * step) % 12000)
