"""Stop when a loss is NaN or infinite, and save the batch."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from torch import Tensor

from asdkit.base.distributed import num_ranks, rank
from asdkit.base.errors import FitError
from asdkit.io.tables import PathName
from asdkit.io.tensors import save_tensors

if TYPE_CHECKING:
    from asdkit.batches.batches import Batch


def refuse_nonfinite(
    directory: PathName, step: int, batch: Batch, values: Mapping[str, float]
) -> None:
    """Raise an error if a loss term, or the gradient norm, is NaN or infinite.

    The batch is saved, with its features, as ``bad_batch.pt``.

    Args:
        directory: directory of the experiment.
        step: step, counted from 0.
        batch: this rank's batch.
        values: name -> loss term or gradient norm.

    Raises:
        FitError: a value is not finite; names it, and the utterances.
    """
    bad = {name: value for name, value in values.items() if not math.isfinite(value)}
    if not bad:
        return
    name = f"bad_batch.{rank()}.pt" if num_ranks() > 1 else "bad_batch.pt"
    path = Path(directory) / name
    fields = batch._asdict()
    tensors = {
        name: value.cpu() if isinstance(value, Tensor) else value
        for name, value in fields.items()
    }
    save_tensors(path, "Batch", {"step": step, **values}, tensors)
    finite = batch.feats.isfinite().flatten(1).all(dim=1).tolist()
    culprits = [utt for utt, ok in zip(batch.utts, finite, strict=True) if not ok]
    if culprits:
        utts, hint = culprits, "asdkit data-validate names every such utterance"
        whose = "features hold NaN or infinity"
    else:
        utts = list(batch.utts)
        hint = "a lower --learning-rate, a longer --warmup, a lower --max-grad-norm"
        whose = "all features of the batch are finite"
    shown = " ".join(utts[:10]) + (f" ... ({len(utts)} in all)" if utts[10:] else "")
    what = ", ".join(f"{name} = {value}" for name, value in bad.items())
    raise FitError(
        f"step {step}: {what}; {whose}: {shown}; the batch is in {path}", hint
    )
