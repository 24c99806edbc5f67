"""What training minimizes: a sum of named terms of embeddings and batch."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from torch import Tensor, nn

from asdkit.losses.classification import AamSoftmax, AmSoftmax, ASoftmax
from asdkit.training.schedules import ramp

if TYPE_CHECKING:
    from asdkit.data.batches import Batch


class Objective(nn.Module):
    """Terms that are summed up, minimized, and told apart in the log.

    An objective owns the parameters that its terms need, e.g. a classifier, and every
    weight and margin that changes while training.
    """

    def schedule(self, step: int, num_steps: int) -> dict[str, float]:
        """Set what changes with the step, before it.

        Args:
            step: counted from 0.
            num_steps: of the whole training.

        Returns:
            what was set, by name, for the log.
        """
        return {}

    def forward(self, embeddings: Tensor, batch: Batch) -> dict[str, Tensor]:
        """Compute the terms.

        Args:
            embeddings: (N, E) of the batch.
            batch: everything else that is known of these utterances.

        Returns:
            name -> () weighted term; their sum is minimized.
        """
        raise NotImplementedError


class Labels(Objective):
    """Tell the training speakers apart: one loss of `asdkit.losses`.

    Args:
        loss: takes (N, E) embeddings and (N,) labels.
        margin_start: share of the training that goes without the loss's margin.
        margin_stop: share after which it is whole.

    Source: WeSpeaker's voxceleb/v2, for the margin's schedule: epochs 20 to 40 of 150.
    """

    def __init__(
        self, loss: nn.Module, margin_start: float = 0.13, margin_stop: float = 0.27
    ) -> None:
        super().__init__()
        self.loss = loss
        self.margin_start = margin_start
        self.margin_stop = margin_stop
        if isinstance(loss, AmSoftmax | AamSoftmax):
            self.margin = loss.margin

    def schedule(self, step: int, num_steps: int) -> dict[str, float]:
        """Set the margin, or the annealing of A-softmax."""
        if isinstance(self.loss, AmSoftmax | AamSoftmax):
            limits = self.margin_start, self.margin_stop
            self.loss.margin = ramp(step, num_steps, self.margin, *limits)
            return {"margin": self.loss.margin}
        if isinstance(self.loss, ASoftmax):
            self.loss.annealing = self.loss.annealing_at(step + 1)
            return {"annealing": self.loss.annealing}
        return {}

    def forward(self, embeddings: Tensor, batch: Batch) -> dict[str, Tensor]:
        """(N, E) embeddings and their batch -> the loss."""
        return {"loss": self.loss(embeddings, batch.labels)}


OBJECTIVES: dict[str, Callable[..., Objective]] = {
    "labels": Labels,
}
