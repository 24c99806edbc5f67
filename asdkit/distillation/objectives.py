"""Objectives of a student: a loss on labels plus a distance from a teacher.

`Distillation` is the base: it weighs what `distances` gives, raises the weight while
training begins, lowers it at the end, and logs every term under its own name.  An
objective is a class with a `distances`, and a line in `asdkit.training.objectives`.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from asdkit.base.ranges import NonNegative, Share
from asdkit.distillation.teachers import Teacher
from asdkit.losses import distillation as losses
from asdkit.losses.objective import LabeledBatch, Labels
from asdkit.nnet.network import Network


class Distillation(Labels):
    """A loss on labels, and weighted terms that a teacher adds.

    Args:
        loss: loss on labels, one of `asdkit.losses`.
        network: the student, whose embedding dimension the terms need.
        teacher: teacher of the same utterances; it is not trained.
        distill_weight: weight of the distillation terms after the warm-up.
        distill_warmup: share of the training over which the distillation weight rises
            linearly from 0.
        distill_cooldown: share of the training, at its end, over which the distillation
            weight falls linearly to 0.
        gradient_ratio: length of the gradient that the distillation terms send into
            the embeddings, relative to that of the loss on labels, where the
            distillation weight is 1; kept by scaling them anew in every batch. 0: the
            terms are not scaled.
        labels: options of `Labels`.
    """

    def __init__(
        self,
        loss: nn.Module,
        network: Network,
        teacher: Teacher,
        distill_weight: NonNegative = 1.0,
        distill_warmup: Share = 0.0,
        distill_cooldown: Share = 0.0,
        gradient_ratio: NonNegative = 0.0,
        **labels: Any,
    ) -> None:
        super().__init__(loss, **labels)
        self.teacher = teacher  # no module: neither trained nor in checkpoints
        self.distill_weight = distill_weight
        self.distill_warmup = distill_warmup
        self.distill_cooldown = distill_cooldown
        self.gradient_ratio = gradient_ratio
        self.weight = distill_weight

    def schedule(self, step: int, num_steps: int) -> dict[str, float]:
        """Set the weight of the teacher's terms, and what the loss needs.

        Source: D.-T. Truong et al., ICASSP 2024, released code: min(epoch / 20, 1).
        """
        values = super().schedule(step, num_steps)
        share = 1.0
        if warmup := self.distill_warmup * num_steps:
            share = min(share, (step + 1) / warmup)
        if cooldown := self.distill_cooldown * num_steps:
            share = min(share, (num_steps - step) / cooldown)
        self.weight = share * self.distill_weight
        return values | {"distill": self.weight}

    def terms(self, embeddings: Tensor, batch: LabeledBatch) -> dict[str, Tensor]:
        """(N, E) embeddings and their batch -> the loss, and the weighted distances."""
        return self.compare(embeddings, embeddings, batch)

    def compare(
        self, embeddings: Tensor, student: Tensor, batch: LabeledBatch
    ) -> dict[str, Tensor]:
        """Compute the loss of embeddings, and the distances of a layer of the student.

        Args:
            embeddings: (N, E) of the batch.
            student: (N, C) what is compared with the teacher: the embeddings, or a
                layer that they are computed from.
            batch: the batch they belong to.

        Returns:
            name -> () weighted term.
        """
        terms = super().terms(embeddings, batch)
        taught = self.teacher.embed(batch)
        with torch.autocast(embeddings.device.type, enabled=False):
            distances = self.distances(student.float(), taught.float(), batch)
        weight: float | Tensor = self.weight
        if self.gradient_ratio:
            total = torch.stack(list(distances.values())).sum()
            weight = (
                weight * self.gradient_ratio * _ratio(terms["loss"], total, student)
            )
        return terms | {name: weight * x for name, x in distances.items()}

    def distances(
        self, student: Tensor, taught: Tensor, batch: LabeledBatch
    ) -> dict[str, Tensor]:
        """Compare the student with its teacher, in float32.

        Args:
            student: (N, E) embeddings.
            taught: (N, R) the teacher's embeddings.
            batch: the batch they belong to.

        Returns:
            name -> () terms to minimize.
        """
        raise NotImplementedError


class Relational(Distillation):
    """Keep the distances and angles among the utterances of a batch.

    Dimensions may differ; there is nothing to project.

    Args:
        loss: loss on labels.
        network: the student.
        teacher: teacher of the same utterances.
        distance_weight: weight of the distances between utterances.
        angle_weight: weight of the angles between utterances; twice that of the
            distances in the paper.
        distillation: options of `Distillation`.

    Source: W. Park et al., "Relational knowledge distillation", CVPR 2019.
    """

    def __init__(
        self,
        loss: nn.Module,
        network: Network,
        teacher: Teacher,
        distance_weight: NonNegative = 1.0,
        angle_weight: NonNegative = 2.0,
        **distillation: Any,
    ) -> None:
        super().__init__(loss, network, teacher, **distillation)
        self.distance_weight = distance_weight
        self.angle_weight = angle_weight

    def distances(
        self, student: Tensor, taught: Tensor, batch: LabeledBatch
    ) -> dict[str, Tensor]:
        """Compare the relations; arguments as in `Distillation.distances`."""
        return {
            "distances": self.distance_weight
            * losses.distance_relations(student, taught),
            "angles": self.angle_weight * losses.angle_relations(student, taught),
        }


def _ratio(a: Tensor, b: Tensor, x: Tensor) -> Tensor:
    """Divide the length of the gradient of () a by that of () b, both in (N, C) x."""
    lengths = []
    for term in (a, b):
        (slope,) = torch.autograd.grad(term, x, retain_graph=True)
        lengths.append(slope.float().norm())
    return lengths[0] / lengths[1].clamp(min=losses.TINY)
