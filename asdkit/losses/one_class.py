"""One-class losses: compact bona fide speech, unconstrained spoofs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import torch
import torch.nn.functional as F
from torch import Tensor

from asdkit.base.errors import FitError
from asdkit.base.ranges import Positive, Range
from asdkit.losses.classification import ClassificationLoss, weighted_mean
from asdkit.losses.float32 import at_least_float32

Cosine = Annotated[float, Range(least=-1, most=1)]


class OcSoftmax(ClassificationLoss):
    """Gather bona fide speech around one direction, away from spoofed speech.

    With s the cosine between an utterance and that direction, the mean of
    ``log(1 + exp(scale (bonafide_margin - s)))`` for bona fide speech and of
    ``log(1 + exp(scale (s - spoof_margin)))`` for spoofed speech.

    Args:
        embedding_dim: E.
        num_classes: 2: spoofed and bona fide speech.
        scale: scale of the differences between cosines and margins.
        bonafide_margin: cosine above which bona fide speech costs little.
        spoof_margin: cosine below which spoofed speech costs little.
        class_weights: (2,) weights of spoofed and bona fide speech in the loss; None:
            equal.

    Raises:
        FitError: there are not two classes.

    Source: Y. Zhang, F. Jiang, Z. Duan, "One-class learning towards synthetic voice
    spoofing detection", IEEE Signal Processing Letters 2021, equation (3).
    """

    def __init__(
        self,
        embedding_dim: int,
        num_classes: int,
        scale: Positive = 20.0,
        bonafide_margin: Cosine = 0.9,
        spoof_margin: Cosine = 0.2,
        class_weights: Sequence[float] | None = None,
    ) -> None:
        if num_classes != 2:
            raise FitError(
                f"OC-softmax is for spoofed and bona fide speech, not {num_classes} "
                "classes",
                hint="choose another loss, e.g. aam_softmax",
            )
        super().__init__(torch.empty(1, embedding_dim), class_weights)
        self.scale = scale
        self.bonafide_margin = bonafide_margin
        self.spoof_margin = spoof_margin

    @at_least_float32
    def scores(self, embeddings: Tensor) -> Tensor:
        """(N, E) -> (N,) cosines with the bona fide direction, in [-1, 1]."""
        return F.linear(F.normalize(embeddings), F.normalize(self.weight))[:, 0]

    def logits(self, embeddings: Tensor, labels: Tensor | None = None) -> Tensor:
        """(N, E) -> (N, 2), for sigmoids, not a softmax."""
        scores = self.scores(embeddings)
        distances = (self.spoof_margin - scores, scores - self.bonafide_margin)
        return self.scale * torch.stack(distances, dim=1)

    def forward(self, embeddings: Tensor, labels: Tensor) -> Tensor:
        """(N, E) embeddings, (N,) classes, 1 for bona fide -> () the mean loss."""
        own = self.logits(embeddings).gather(1, labels[:, None])[:, 0]
        return weighted_mean(F.softplus(-own), labels, self.class_weights)
