"""Parts of batches, and their transfer to a device, whatever fields batches have."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel

from asdkit.base.distributed import barrier, num_ranks

if TYPE_CHECKING:
    from asdkit.batches.batches import Batch


def split(batch: Batch, num_parts: int) -> Iterator[tuple[Batch, float, bool]]:
    """Cut a batch into parts of nearly equal size.

    Yields:
        a part, its share of the batch, and whether it is the last.
    """
    num_utts = len(batch.utts)
    num_parts = min(num_parts, num_utts)
    ends = [num_utts * (i + 1) // num_parts for i in range(num_parts)]
    for start, end in zip([0, *ends], ends, strict=False):
        part = batch if num_parts == 1 else cut(batch, slice(start, end))
        yield part, (end - start) / num_utts, end == num_utts


def cut(batch: Batch, rows: slice) -> Batch:
    """Keep some of the utterances of a batch, in all of its fields."""
    fields: dict[str, Any] = {
        name: value[rows]
        for name, value in batch._asdict().items()
        if value is not None
    }
    return batch._replace(**fields)


def to_device(batch: Batch, device: str) -> Batch:
    """Move a batch's tensors to a device, except the lengths, which stay on the CPU."""
    moved: dict[str, Any] = {
        name: value.to(device, non_blocking=True)
        for name, value in batch._asdict().items()
        if isinstance(value, Tensor) and name != "num_frames"
    }
    return batch._replace(**moved)


def parallel(model: nn.Module) -> nn.Module:
    """Average gradients over ranks, if there are several."""
    if num_ranks() == 1:
        return model
    barrier()  # joins the process group, if need be
    return DistributedDataParallel(model)


def sync_gradients(
    model: nn.Module, is_last: bool
) -> contextlib.AbstractContextManager[None]:
    """Average gradients over ranks in the last part of a batch only."""
    if is_last or not isinstance(model, DistributedDataParallel):
        return contextlib.nullcontext()
    return model.no_sync()
