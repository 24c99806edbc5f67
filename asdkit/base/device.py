"""Device selection: the CPU, or this rank's GPU."""

from __future__ import annotations

import os
from typing import Literal

from asdkit.base.errors import AsdkitError


def choose_device(device: Literal["auto", "cpu", "cuda"] = "auto") -> str:
    """Name the device to compute on, as torch does: "cpu", "cuda:0", "cuda:1"...

    Args:
        device: device to compute on; auto: a GPU if available.

    Raises:
        AsdkitError: a GPU is asked for and torch sees none.
    """
    import torch

    if device == "cpu" or (device == "auto" and not torch.cuda.is_available()):
        return "cpu"
    if not torch.cuda.is_available():
        raise AsdkitError("torch sees no GPU", hint="--device cpu, or asdkit doctor")
    local = os.environ.get("LOCAL_RANK", os.environ.get("SLURM_LOCALID", "0"))
    return f"cuda:{int(local) % torch.cuda.device_count()}"
