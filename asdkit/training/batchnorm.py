"""Batch normalization whose averages do not remember what they began with.

What a batch normalization uses outside of training are running means and variances,
which begin at 0 and 1 and move a tenth of the way at every step.  The first one of a
network on samples sees variances of 3e-5: after 40 steps 0.9^40 = 0.015 of the 1 is
left, 500 times what it should be, and the network is rated as if it had learned
nothing; it takes 150 steps until that is gone.  Here the first batch replaces it, and
the first ten count alike.
"""

from __future__ import annotations

from torch import nn
from torch.nn.modules.batchnorm import _NormBase


class RunningAverages:
    """The running means and variances of a network's batch normalizations.

    Those of a network that was trained before go on from what it has.

    Args:
        model: what is trained.
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
        """Let the next batch count as one of all so far, or as it does by default."""
        still_young = []
        for module, num_batches, share in self._young:
            alike = 1 / (1 + int(num_batches))
            module.momentum = max(share, alike)
            if alike > share:
                still_young.append((module, num_batches, share))
        self._young = still_young
