"""Threads that yield the core to others while they wait, or are not there.

The threads of torch's OpenMP spin while they wait for each other.  On a machine with
other work, one that spins keeps the core from the one it waits for, and a training
becomes many times slower.  Sleeping at once cost an idle machine between 0 and 7 %,
since every operator wakes them again; so asdkit has them spin for some microseconds
first (tools/bench/contention.py measures all three).
"""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator

# LLVM's and Intel's OpenMP read the first; GNU's takes the second before the first.
CHOSEN = {"OMP_WAIT_POLICY": "PASSIVE", "GOMP_SPINCOUNT": "3000"}
WAITING = (*CHOSEN, "KMP_BLOCKTIME")


def let_threads_yield() -> None:
    """Have OpenMP's threads sleep during long waits, unless the user has set otherwise.

    Does nothing once torch is loaded, when it would be too late.
    """
    if "torch" not in sys.modules and not any(name in os.environ for name in WAITING):
        os.environ.update(CHOSEN)


def waiting() -> str:
    """Say how OpenMP's threads wait: which of `WAITING` is set, and to what.

    Example:
        >>> let_threads_yield()
        >>> "=" in waiting() or waiting() == "OpenMP's own choice"
        True
    """
    chosen = [f"{name}={os.environ[name]}" for name in WAITING if name in os.environ]
    return " ".join(chosen) or "OpenMP's own choice"


@contextlib.contextmanager
def one_thread() -> Iterator[None]:
    """Compute in one thread: what is small, or sums that must have the same order.

    A decorator, too: of a function, for all of its calls.
    """
    import torch

    num_threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(num_threads)
