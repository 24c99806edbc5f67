"""Metric-learning losses over the utterances of a batch.

A batch holds K speakers with M utterances each, in any order; these are arranged as
(K, M, E) first, utterances of a speaker in the order of the batch.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from asdkit.base.ranges import NonNegative, Positive
from asdkit.losses.float32 import at_least_float32

MIN_SCALE = 1e-6
MIN_COSINE = 1e-6


def by_speaker(embeddings: Tensor, labels: Tensor) -> Tensor:
    """Arrange a balanced batch by speaker.

    Args:
        embeddings: (N, E).
        labels: (N,) integers, each M times.

    Returns:
        (K, M, E) speakers in the order of their labels.

    Raises:
        ValueError: fewer than two speakers, or not two or more utterances of each,
            the same number of all.
    """
    speakers, counts = labels.unique(return_counts=True)
    fewest, most = int(counts.min()), int(counts.max())
    if fewest != most or fewest < 2 or len(speakers) < 2:
        raise ValueError(
            "a metric loss needs two or more speakers in a batch and the same number "
            "of utterances, two or more, of each; "
            f"got {len(speakers)} speaker(s) with {fewest} to {most} utterances; "
            "draw batches by speaker"
        )
    order = labels.argsort(stable=True)
    return embeddings[order].view(len(speakers), most, -1)


def identify(scores: Tensor) -> Tensor:
    """Cross entropy of finding the speaker of every utterance.

    Args:
        scores: (K, M, K) how much each of M utterances of every speaker, first axis,
            resembles every speaker, last axis.

    Returns:
        () the mean.
    """
    num_spks, num_utts, _ = scores.shape
    speakers = torch.arange(num_spks, device=scores.device)
    return F.cross_entropy(scores.flatten(0, 1), speakers.repeat_interleave(num_utts))


class CosineScale(nn.Module):
    """Turn cosines into logits: ``w cos + b``, both learned, w kept positive."""

    def __init__(self) -> None:
        super().__init__()
        self.w = nn.Parameter(torch.tensor(10.0))
        self.b = nn.Parameter(torch.tensor(-5.0))

    def forward(self, cosines: Tensor) -> Tensor:
        """(...,) cosines -> (...,) logits."""
        # The parameter itself: a clamped copy would have no gradient to come back by.
        self.w.data.clamp_(min=MIN_SCALE)
        return self.w * cosines + self.b


class AngularPrototypical(nn.Module):
    """Find a speaker's last utterance by the mean of the others.

    Source: J. S. Chung et al., "In defence of metric learning for speaker
    recognition", Interspeech 2020.
    """

    def __init__(self) -> None:
        super().__init__()
        self.scale = CosineScale()

    @at_least_float32
    def forward(self, embeddings: Tensor, labels: Tensor) -> Tensor:
        """(N, E) embeddings, (N,) speakers -> () the loss."""
        x = by_speaker(embeddings, labels)
        queries, centroids = x[:, -1], x[:, :-1].mean(dim=1)  # (K, E)
        cosines = F.normalize(queries) @ F.normalize(centroids).T
        return identify(self.scale(cosines)[:, None])


class Prototypical(nn.Module):
    """Find a speaker's last utterance by squared distance to the mean of the others.

    Source: J. Snell et al., "Prototypical networks", NIPS 2017, (1) and (2).
    """

    @at_least_float32
    def forward(self, embeddings: Tensor, labels: Tensor) -> Tensor:
        """(N, E) embeddings, (N,) speakers -> () the loss."""
        x = by_speaker(embeddings, labels)
        queries, centroids = x[:, -1], x[:, :-1].mean(dim=1)  # (K, E)
        distances = (queries[:, None] - centroids).square().sum(dim=2)
        return identify(-distances[:, None])


class Ge2e(nn.Module):
    """Find every utterance by the means of all speakers, its own excluded.

    Cosines below 1e-6 count as 1e-6 and get no gradient, as in the published code.

    Source: L. Wan et al., "Generalized end-to-end loss", ICASSP 2018, equation (5) for
    the scaled cosines.
    """

    def __init__(self) -> None:
        super().__init__()
        self.scale = CosineScale()

    @at_least_float32
    def forward(self, embeddings: Tensor, labels: Tensor) -> Tensor:
        """(N, E) embeddings, (N,) speakers -> () the loss."""
        x = by_speaker(embeddings, labels)
        sums = x.sum(dim=1, keepdim=True)  # (K, 1, E)
        cosines = F.normalize(x, dim=2) @ F.normalize(sums[:, 0]).T  # (K, M, K)
        own = F.cosine_similarity(x, sums - x, dim=2)  # (K, M) leave-one-out
        is_own = torch.eye(len(x), dtype=torch.bool, device=x.device)[:, None]
        cosines = torch.where(is_own, own[..., None], cosines)
        return identify(self.scale(cosines.clamp(min=MIN_COSINE)))


class CircleLoss(nn.Module):
    """Pull within-speaker cosines to 1 and others to 0, the hardest most.

    For every utterance, with s_p its cosines with the same speaker, s_n with others:
    ``log(1 + sum exp(g a_n (s_n - m)) sum exp(-g a_p (s_p - 1 + m)))`` where
    ``a_p = [1 + m - s_p]+`` and ``a_n = [s_n + m]+`` are weights without gradient.

    Args:
        scale: scale g of the cosines.
        margin: margin m of the cosines.

    Source: Y. Sun et al., "Circle loss", CVPR 2020, equations (5) and (6).
    """

    def __init__(self, scale: Positive = 256.0, margin: NonNegative = 0.25) -> None:
        super().__init__()
        self.scale = scale
        self.margin = margin

    @at_least_float32
    def forward(self, embeddings: Tensor, labels: Tensor) -> Tensor:
        """(N, E) embeddings, (N,) speakers -> () the mean over utterances."""
        same, other = pair_cosines(by_speaker(embeddings, labels))
        m = self.margin
        pull = (1 + m - same.detach()).clamp(min=0) * (same - 1 + m)
        push = (other.detach() + m).clamp(min=0) * (other - m)
        worst_pull = (-self.scale * pull).logsumexp(dim=1)
        worst_push = (self.scale * push).logsumexp(dim=1)
        return F.softplus(worst_pull + worst_push).mean()


class Triplet(nn.Module):
    """Require that the nearest other speaker is farther than the farthest of the same.

    Args:
        margin: margin between squared distances of length-normalized embeddings.

    Source: A. Hermans et al., "In defense of the triplet loss", 2017, equation (5):
    batch hard.
    """

    def __init__(self, margin: NonNegative = 0.2) -> None:
        super().__init__()
        self.margin = margin

    @at_least_float32
    def forward(self, embeddings: Tensor, labels: Tensor) -> Tensor:
        """(N, E) embeddings, (N,) speakers -> () the mean over utterances."""
        same, other = pair_cosines(by_speaker(embeddings, labels))
        # |a - b|^2 = 2 - 2 cos between vectors of length 1.
        gap = 2 * (same.amin(dim=1) - other.amax(dim=1))
        return (self.margin - gap).clamp(min=0).mean()


def pair_cosines(x: Tensor) -> tuple[Tensor, Tensor]:
    """Compare every utterance with all others.

    Args:
        x: (K, M, E) by speaker.

    Returns:
        (K M, M - 1) cosines with the same speaker and (K M, (K - 1) M) with others.
    """
    num_spks, num_utts, _ = x.shape
    unit = F.normalize(x.flatten(0, 1))  # (K M, E)
    cosines = unit @ unit.T
    speakers = torch.arange(num_spks, device=x.device).repeat_interleave(num_utts)
    same = speakers[:, None] == speakers
    itself = torch.eye(len(unit), dtype=torch.bool, device=x.device)
    num = len(unit)
    return cosines[same & ~itself].view(num, -1), cosines[~same].view(num, -1)
