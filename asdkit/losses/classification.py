"""Cross entropy over the training speakers, with and without a margin.

The classifier's weights are part of the loss: one row per class, and thrown away with
it when the network is used for embeddings.  A countermeasure, whose classes are spoofed
speech, 0, and bona fide speech, 1, keeps it and scores with it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from asdkit.base.ranges import Count, NonNegative, Positive
from asdkit.losses.float32 import at_least_float32

# As near as float32 comes to cos^2 = 1, where the slope of the sine is infinite.
SINE2_FLOOR = 1e-7


class ClassificationLoss(nn.Module):
    """Cross entropy of `logits`.

    Args:
        weight: (K, E) or more rows, the classifier's weight, initialized here.
        class_weights: (K,) weights of the classes in the loss; None: all equal.
    """

    def __init__(
        self, weight: Tensor, class_weights: Sequence[float] | None = None
    ) -> None:
        super().__init__()
        self.weight = nn.Parameter(nn.init.xavier_uniform_(weight))
        self.class_weights: Tensor | None
        weights = None if class_weights is None else torch.tensor(class_weights)
        self.register_buffer("class_weights", weights)

    def logits(self, embeddings: Tensor, labels: Tensor | None = None) -> Tensor:
        """Compare every embedding with every class.

        Args:
            embeddings: (N, E).
            labels: (N,) integer classes, whose logits get the margin; None for none.

        Returns:
            (N, K) in float32 at least; softmax makes posteriors of them.
        """
        raise NotImplementedError

    def scores(self, embeddings: Tensor) -> Tensor:
        """Score how likely utterances are bona fide, class 1, rather than spoofed, 0.

        Args:
            embeddings: (N, E).

        Returns:
            (N,) differences of their logits without margin, which are log-odds; the
            prior in these is the share of both classes, weighed, in training.

        Raises:
            ValueError: the classes are not two.
        """
        logits = two_classes(self.logits(embeddings))
        return logits[:, 1] - logits[:, 0]

    @at_least_float32
    def forward(self, embeddings: Tensor, labels: Tensor) -> Tensor:
        """(N, E) embeddings, (N,) integer classes -> () their mean loss."""
        logits = self.logits(embeddings, labels)
        return F.cross_entropy(logits, labels, self.class_weights)


def two_classes(logits: Tensor) -> Tensor:
    """Return (N, 2) logits as they are.

    Raises:
        ValueError: they are of another number of classes.
    """
    if logits.shape[1] != 2:
        raise ValueError(f"a score tells 2 classes apart, not {logits.shape[1]}")
    return logits


def weighted_mean(
    losses: Tensor, labels: Tensor, class_weights: Tensor | None
) -> Tensor:
    """(N,) losses, (N,) classes, (K,) their weights or None -> () mean."""
    if class_weights is None:
        return losses.mean()
    weights = class_weights.to(losses.dtype)[labels]
    return (weights * losses).sum() / weights.sum()


class CrossEntropy(ClassificationLoss):
    """Plain cross entropy: a linear layer and a softmax.

    Args:
        embedding_dim: E.
        num_classes: K.
        class_weights: (K,) weights of the classes in the loss; None: all equal.
    """

    def __init__(
        self,
        embedding_dim: int,
        num_classes: int,
        class_weights: Sequence[float] | None = None,
    ) -> None:
        super().__init__(torch.empty(num_classes, embedding_dim), class_weights)
        self.bias = nn.Parameter(torch.zeros(num_classes))

    @at_least_float32
    def logits(self, embeddings: Tensor, labels: Tensor | None = None) -> Tensor:
        """(N, E) -> (N, K); there is no margin, so labels change nothing."""
        return F.linear(embeddings, self.weight, self.bias)


class MarginLoss(ClassificationLoss):
    """Cross entropy of scaled cosines with a margin for the target class.

    A loss with another margin implements `penalize`.
    """

    scale = 1.0

    @at_least_float32
    def logits(self, embeddings: Tensor, labels: Tensor | None = None) -> Tensor:
        """(N, E) and (N,) classes, None for no margin -> (N, K) scaled cosines."""
        cosines = self.cosines(embeddings)
        if labels is not None:
            target = cosines.gather(1, labels[:, None])  # (N, 1)
            cosines = cosines.scatter(1, labels[:, None], self.penalize(target))
        return self.scale_of(embeddings) * cosines

    def cosines(self, embeddings: Tensor) -> Tensor:
        """(N, E) -> (N, K) in [-1, 1] but for rounding."""
        return F.linear(F.normalize(embeddings), F.normalize(self.weight))

    def penalize(self, cosines: Tensor) -> Tensor:
        """(...,) cosines of the target classes -> (...,) lowered by the margin."""
        raise NotImplementedError

    def scale_of(self, embeddings: Tensor) -> Tensor | float:
        """(N, E) embeddings -> (N, 1) or one factor of their cosines."""
        return self.scale


class AmSoftmax(MarginLoss):
    """Additive margin: ``cos - m`` for the true class.

    Args:
        embedding_dim: E.
        num_classes: K.
        scale: scale of the cosines before the softmax.
        margin: final margin m of the target class, subtracted from its cosine.
        class_weights: (K,) weights of the classes in the loss; None: all equal.

    Source: F. Wang et al., "Additive margin softmax for face verification", 2018.
    """

    def __init__(
        self,
        embedding_dim: int,
        num_classes: int,
        scale: Positive = 32.0,
        margin: NonNegative = 0.2,
        class_weights: Sequence[float] | None = None,
    ) -> None:
        super().__init__(torch.empty(num_classes, embedding_dim), class_weights)
        self.scale = scale
        self.margin = margin

    def penalize(self, cosines: Tensor) -> Tensor:
        """(...,) ``cos - m``."""
        return cosines - self.margin


class AamSoftmax(MarginLoss):
    """Additive angular margin: ``cos(theta + m)`` for the true class.

    Beyond theta = pi - m, where that would rise again, ``cos(theta) - (1 - cos(m))``
    continues it without a jump.

    Args:
        embedding_dim: E.
        num_classes: K.
        scale: scale of the cosines before the softmax.
        margin: final margin m of the target class, added to its angle, in radians.
        num_subcenters: centers per class, of which the nearest counts; more than one
            absorbs wrong labels and outliers.
        class_weights: (K,) weights of the classes in the loss; None: all equal.

    Source: J. Deng et al., "ArcFace", CVPR 2019; "Sub-center ArcFace", ECCV 2020:
    equations (3) and (7) of arXiv:1801.07698v4, which has both.
    """

    def __init__(
        self,
        embedding_dim: int,
        num_classes: int,
        scale: Positive = 32.0,
        margin: NonNegative = 0.2,
        num_subcenters: Count = 1,
        class_weights: Sequence[float] | None = None,
    ) -> None:
        num_rows = num_classes * num_subcenters
        super().__init__(torch.empty(num_rows, embedding_dim), class_weights)
        self.scale = scale
        self.margin = margin
        self.num_subcenters = num_subcenters

    def cosines(self, embeddings: Tensor) -> Tensor:
        """(N, E) -> (N, K) cosines with the nearest center of every class."""
        cosines = super().cosines(embeddings)  # (N, K * num_subcenters)
        return cosines.unflatten(1, (-1, self.num_subcenters)).amax(dim=2)  # (7)

    def penalize(self, cosines: Tensor) -> Tensor:
        """(...,) ``cos(theta + m)``, and its continuation."""
        sines = (1 - cosines.square()).clamp(min=SINE2_FLOOR).sqrt()
        cos_m, sin_m = math.cos(self.margin), math.sin(self.margin)
        turned = cosines * cos_m - sines * sin_m  # (3)
        return torch.where(cosines > -cos_m, turned, cosines - (1 - cos_m))


class ASoftmax(MarginLoss):
    """Multiplicative angular margin of 4, eased in; the length of embeddings counts.

    The true class gets ``cos + (psi - cos) / (1 + annealing)``, where psi is
    ``cos(4 theta)`` continued downwards beyond pi / 4.

    Args:
        embedding_dim: E.
        num_classes: K.
        annealing: lambda; large values mean no margin. A training loop sets it to
            `annealing_at` before every step to ease the margin in.
        annealing_steps: steps in which lambda falls to 5; as published 2,990, which is
            too slow for a training that is hardly longer.
        class_weights: (K,) weights of the classes in the loss; None: all equal.

    Source: W. Liu et al., "SphereFace", CVPR 2017.
    """

    def __init__(
        self,
        embedding_dim: int,
        num_classes: int,
        annealing: float = 5.0,
        annealing_steps: Count = 2990,
        class_weights: Sequence[float] | None = None,
    ) -> None:
        super().__init__(torch.empty(num_classes, embedding_dim), class_weights)
        self.annealing = annealing
        self.annealing_steps = annealing_steps

    def annealing_at(self, step: int) -> float:
        """Return lambda for a step, counted from 1: from 1,364 down to 5."""
        return max(5.0, 1500.0 / (1.0 + 299 * step / self.annealing_steps))

    def scores(self, embeddings: Tensor) -> Tensor:
        """Return the bona fide logits, ``|x| cos theta_1``, as published; (N,).

        They are no log-odds.
        """
        return two_classes(self.logits(embeddings))[:, 1]

    def penalize(self, cosines: Tensor) -> Tensor:
        """(...,) ``cos + (psi - cos) / (1 + annealing)``."""
        cosines = cosines.clamp(-1, 1)
        k = (4 / math.pi * cosines.detach().acos()).floor()
        sign = 1 - 2 * (k % 2)
        cos_4theta = 8 * cosines**4 - 8 * cosines**2 + 1
        psi = sign * cos_4theta - 2 * k
        return cosines + (psi - cosines) / (1 + self.annealing)

    def scale_of(self, embeddings: Tensor) -> Tensor:
        """(N, E) -> (N, 1) the lengths of the embeddings."""
        return embeddings.norm(dim=1, keepdim=True)


class P2sGrad(ClassificationLoss):
    """Squared error of the cosines: 1 for the target class, 0 for the others.

    No scale, no margin: its gradient is what P2SGrad prescribes.  ``logits`` are the
    cosines.

    Args:
        embedding_dim: E.
        num_classes: K.
        class_weights: (K,) weights of the classes in the loss; None: all equal.

    Source: X. Zhang et al., "P2SGrad: refined gradients for optimizing deep face
    models", CVPR 2019, equation (11); X. Wang, J. Yamagishi, "A comparative study on
    recent neural spoofing countermeasures", Interspeech 2021, for the squared error.
    """

    def __init__(
        self,
        embedding_dim: int,
        num_classes: int,
        class_weights: Sequence[float] | None = None,
    ) -> None:
        super().__init__(torch.empty(num_classes, embedding_dim), class_weights)

    @at_least_float32
    def logits(self, embeddings: Tensor, labels: Tensor | None = None) -> Tensor:
        """(N, E) -> (N, K) cosines; there is no margin, so labels change nothing."""
        return F.linear(F.normalize(embeddings), F.normalize(self.weight))

    def scores(self, embeddings: Tensor) -> Tensor:
        """(N, E) -> (N,) cosines with the bona fide class, in [-1, 1]."""
        return two_classes(self.logits(embeddings))[:, 1]

    @at_least_float32
    def forward(self, embeddings: Tensor, labels: Tensor) -> Tensor:
        """(N, E) embeddings, (N,) integer classes -> () the mean over both axes."""
        cosines = self.logits(embeddings)
        wanted = F.one_hot(labels, cosines.shape[1]).to(cosines.dtype)
        errors = (cosines - wanted).square().mean(dim=1)
        return weighted_mean(errors, labels, self.class_weights)
