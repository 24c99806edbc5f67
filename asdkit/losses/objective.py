"""Training objectives: a sum of named loss terms on a batch."""

from __future__ import annotations

from typing import Protocol

from torch import Tensor, nn

from asdkit.base.ranges import Share
from asdkit.losses.classification import AamSoftmax, AmSoftmax, ASoftmax


class LabeledBatch(Protocol):
    """Chunks and their labels; see `asdkit.batches.batches.Batch`."""

    @property
    def utts(self) -> list[str]:
        """N ids."""

    @property
    def feats(self) -> Tensor:
        """(N, T, D) features."""

    @property
    def num_frames(self) -> Tensor:
        """(N,) how many of the T frames are real, on the CPU."""

    @property
    def labels(self) -> Tensor:
        """(N,) classes."""

    @property
    def teacher_feats(self) -> Tensor | None:
        """(N, T', D') features of the same chunks for a teacher that needs others."""

    @property
    def frame_labels(self) -> Tensor | None:
        """(N, T) 0 for spoofed and 1 for bona fide frames."""


class Objective(nn.Module):
    """Terms that are summed, minimized, and logged one by one.

    An objective owns the parameters that its terms need, e.g. a classifier, and every
    weight and margin that changes while training.  It implements `terms`; one that
    needs more of the network than its embeddings overrides `forward` instead.
    """

    def schedule(self, step: int, num_steps: int) -> dict[str, float]:
        """Set what depends on the step, before it.

        Args:
            step: counted from 0.
            num_steps: of the whole training.

        Returns:
            what was set, by name, for the log.
        """
        return {}

    def forward(self, network: nn.Module, batch: LabeledBatch) -> dict[str, Tensor]:
        """Run the network on a batch, and compute the terms.

        Args:
            network: maps feats and num_frames to (N, E) embeddings.
            batch: on the device of the network.

        Returns:
            name -> () weighted term; their sum is minimized.
        """
        return self.terms(network(batch.feats, batch.num_frames), batch)

    def terms(self, embeddings: Tensor, batch: LabeledBatch) -> dict[str, Tensor]:
        """Compute the terms.

        Args:
            embeddings: (N, E) of the batch.
            batch: everything else that is known of these utterances.

        Returns:
            name -> () weighted term; their sum is minimized.
        """
        raise NotImplementedError


class Labels(Objective):
    """Classify the training speakers with one loss of `asdkit.losses`.

    Args:
        loss: takes (N, E) embeddings and (N,) labels.
        margin_start: share of the training before the loss's margin starts to grow.
        margin_stop: share of the training after which the loss's margin is at its full
            value.

    Source: WeSpeaker's voxceleb/v2, for the margin's schedule: epochs 20 to 40 of 150.
    """

    def __init__(
        self, loss: nn.Module, margin_start: Share = 0.13, margin_stop: Share = 0.27
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

    def terms(self, embeddings: Tensor, batch: LabeledBatch) -> dict[str, Tensor]:
        """(N, E) embeddings and their batch -> the loss."""
        return {"loss": self.loss(embeddings, batch.labels)}


def ramp(
    step: int, num_steps: int, value: float, start: float = 0.0, stop: float = 0.0
) -> float:
    """Return a margin or weight that rises from 0 to ``value`` and stays there.

    Fast at first and slow at the end.

    Args:
        step: counted from 0.
        num_steps: of the whole training.
        value: final value, reached to a thousandth at ``stop``.
        start: share of the training where the ramp begins.
        stop: share where it ends; a jump if no later than ``start``.

    Source: WeSpeaker's margin schedule, m (1 - exp(x ln 0.001)).
    """
    done = step / num_steps
    if done >= max(start, stop):
        return value
    if done <= start:
        return 0.0
    return value * (1 - 1e-3 ** ((done - start) / (stop - start)))
