"""Batch normalization whose running averages forget their initial values at once.

Outside of training, batch normalization uses running means and variances, which start
at 0 and 1 and move a tenth of the way at every step.  In a network on samples the first
one sees variances of 3e-5: after 40 steps 0.9^40 = 0.015 of the 1 is left, 500 times
the true value, and the network seems to have learned nothing; it takes 150 steps for
that to vanish.  Here the first batch replaces the initial values, and the first ten
batches count equally.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from torch import nn
from torch.nn.modules.batchnorm import _NormBase

from asdkit.base.errors import AsdkitError


class RunningAverages:
    """The running means and variances of a network's batch normalizations.

    Those of a network that was trained before continue from their values.

    Args:
        model: the model in training.
    """

    def __init__(self, model: nn.Module) -> None:
        self._young = [
            (module, module.num_batches_tracked, module.momentum)
            for module in model.modules()
            if isinstance(module, _NormBase)
            and module.num_batches_tracked is not None
            and module.momentum is not None
        ]

    def prepare(self) -> None:
        """Weight the next batch as each one before it, but at least as by default."""
        still_young = []
        for module, num_batches, share in self._young:
            alike = 1 / (1 + int(num_batches))
            module.momentum = max(share, alike)
            if alike > share:
                still_young.append((module, num_batches, share))
        self._young = still_young


@contextlib.contextmanager
def renewed_averages(model: nn.Module) -> Iterator[bool]:
    """Begin running means and variances anew: means over all batches in the block.

    Those of averaged weights are not the average of those of each; a mean of epochs far
    apart scores as if it had learned nothing without its own.

    Args:
        model: in training mode within the block.

    Yields:
        whether there is any batch normalization with such averages.
    """
    found = [
        (module, module.momentum)
        for module in model.modules()
        if isinstance(module, _NormBase) and module.track_running_stats
    ]
    for module, _ in found:
        module.reset_running_stats()
        module.momentum = None  # a cumulative mean
    try:
        yield bool(found)
    finally:
        for module, momentum in found:
            module.momentum = momentum


@contextlib.contextmanager
def enough_for_batchnorm(num_utts: int) -> Iterator[None]:
    """Explain the error of batch normalization on a batch of one chunk."""
    try:
        yield
    except ValueError as error:
        if not str(error).startswith("Expected more than 1 value per channel"):
            raise
        raise AsdkitError(
            f"batch normalization needs at least 2 chunks at a time, got {num_utts} of "
            "a batch",
            hint="raise --batch-size; or lower --accumulate, or the number of ranks",
        ) from None
