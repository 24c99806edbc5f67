"""Pooling over time: weighted means, with standard deviations.

All poolings are one formula, ``mean = sum_t w_t x_t`` and, where asked for,
``std = sqrt(sum_t w_t (x_t - mean)^2)``; they differ in the weights.  These are
equal, or a softmax over time of what an attention says of every frame.
"""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor, nn

# Below this a variance is rounding, and the slope of its root would explode.
VARIANCE_FLOOR = 1e-5

PoolingName = Literal["tap", "stats", "sap", "asp"]
# name: (attentive, with standard deviation)
POOLINGS: dict[PoolingName, tuple[bool, bool]] = {
    "tap": (False, False),  # temporal average
    "stats": (False, True),  # statistics
    "sap": (True, False),  # self-attentive
    "asp": (True, True),  # attentive statistics
}


class Pooling(nn.Module):
    """Turn a map into its mean over time, or its mean and standard deviation.

    Args:
        name: one of `POOLINGS`.
        channels: C of the map.
        attention: maps a map and its lengths to scores (N, C or 1, T); None for a
            `FrameAttention`. Ignored by poolings without attention.
        unbiased: divide a variance by one frame fewer than there are, and add the
            floor to it, as WeSpeaker and 3D-Speaker do; not with attention.
        variance_floor: the least variance.

    Attributes:
        out_channels: C, or 2C with the standard deviation.

    Source: D. Snyder et al., "X-vectors", ICASSP 2018 (stats); Y. Zhu et al.,
    "Self-attentive speaker embeddings", Interspeech 2018 (sap); K. Okabe et al.,
    "Attentive statistics pooling", Interspeech 2018 (asp).
    """

    def __init__(
        self,
        name: PoolingName,
        channels: int,
        attention: nn.Module | None = None,
        unbiased: bool = False,
        variance_floor: float = VARIANCE_FLOOR,
    ) -> None:
        super().__init__()
        if name not in POOLINGS:
            raise ValueError(f"expected one of {', '.join(POOLINGS)}, got {name!r}")
        attentive, self.with_std = POOLINGS[name]
        self.attention = (attention or FrameAttention(channels)) if attentive else None
        self.out_channels = channels * (2 if self.with_std else 1)
        self.unbiased = unbiased and not attentive
        self.variance_floor = variance_floor

    def forward(self, x: Tensor, num_frames: Tensor | None) -> Tensor:
        """(N, C, T) and how many frames are real -> (N, C), or (N, 2C) with std.

        Sums are in float32 at least; the result has the map's precision.
        """
        dtype = x.dtype
        if self.attention is None:
            scores = x.new_zeros(x.shape[0], 1, x.shape[-1])
        else:
            scores = self.attention(x, num_frames)
        x = x.to(torch.promote_types(dtype, torch.float32))
        weights = softmax_over_time(scores.to(x.dtype), num_frames)
        pooled = (weights * x).sum(dim=-1)
        if self.with_std:
            std = self._std(x, pooled, weights, num_frames)
            pooled = torch.cat([pooled, std], dim=1)
        return pooled.to(dtype)

    def _std(
        self, x: Tensor, mean: Tensor, weights: Tensor, num_frames: Tensor | None
    ) -> Tensor:
        """(N, C, T), its mean (N, C), weights (N, C or 1, T) -> (N, C).

        One frame is enough, as none is without a variance.
        """
        variance = (weights * (x - mean[..., None]).square()).sum(dim=-1)
        if not self.unbiased:
            return variance.clamp(min=self.variance_floor).sqrt()
        if num_frames is None:
            num_frames = torch.full_like(x[:, 0, 0], x.shape[-1])  # (N,)
        n = num_frames[:, None].to(x.dtype)
        return (variance * (n / (n - 1).clamp(min=1)) + self.variance_floor).sqrt()


def softmax_over_time(scores: Tensor, num_frames: Tensor | None) -> Tensor:
    """(N, C, T) scores -> (N, C, T) weights that add to 1 over the real frames."""
    if num_frames is not None:
        frames = torch.arange(scores.shape[-1], device=scores.device)
        padding = frames >= num_frames[:, None, None]  # (N, 1, T)
        scores = scores.masked_fill(padding, -torch.inf)
    return scores.softmax(dim=-1)


class FrameAttention(nn.Module):
    """Score whole frames: v' tanh(W x_t + b).

    Args:
        channels: C.
        hidden_dim: dimension of the hidden layer.
    """

    def __init__(self, channels: int, hidden_dim: int = 128) -> None:
        super().__init__()
        self.scores = nn.Sequential(
            nn.Conv1d(channels, hidden_dim, 1),
            nn.Tanh(),
            nn.Conv1d(hidden_dim, 1, 1, bias=False),
        )

    def forward(self, x: Tensor, num_frames: Tensor | None) -> Tensor:
        """(N, C, T) -> (N, 1, T)."""
        return self.scores(x)


class ChannelAttention(nn.Module):
    """Score every channel of every frame: V f(W x_t + b) + k.

    Args:
        channels: C.
        hidden_dim: dimension of the hidden layer.
        nonlinearity: f; None is the tanh of ECAPA-TDNN.
        context: feed the utterance's mean and standard deviation to the hidden layer
            with the frame, ``W [x_t; mean; std]``; their part is computed once per
            utterance, not once per frame.
        unbiased: of the standard deviations in the context, see `Pooling`.
        variance_floor: of these.

    Source: B. Desplanques et al., "ECAPA-TDNN", Interspeech 2020, section 3.1.
    """

    def __init__(
        self,
        channels: int,
        hidden_dim: int = 128,
        nonlinearity: nn.Module | None = None,
        context: bool = False,
        unbiased: bool = False,
        variance_floor: float = VARIANCE_FLOOR,
    ) -> None:
        super().__init__()
        self.frame = nn.Conv1d(channels, hidden_dim, 1)
        self.context: nn.Module | None = None
        if context:
            self.statistics = Pooling("stats", channels, None, unbiased, variance_floor)
            self.context = nn.Linear(2 * channels, hidden_dim, bias=False)
        self.scores = nn.Sequential(
            nonlinearity or nn.Tanh(), nn.Conv1d(hidden_dim, channels, 1)
        )

    def forward(self, x: Tensor, num_frames: Tensor | None) -> Tensor:
        """(N, C, T) and how many frames are real -> (N, C, T)."""
        hidden = self.frame(x)  # (N, H, T)
        if self.context is not None:
            context = self.context(self.statistics(x, num_frames))  # (N, H)
            hidden = hidden + context[..., None]
        return self.scores(hidden)
